// The runner and the client against a broker of one node with nothing but memory.
#include <gtest/gtest.h>

#include "reports/json.hpp"
#include "reports/table.hpp"
#include "sim/scenario/parse.hpp"
#include "sim/scenario/verdicts.hpp"
#include "tests/sim_scenario/fake_broker.hpp"

namespace hf::sim {
namespace {

const char* const one_node = R"({
  "name": "one", "seed": 3, "duration": "20s", "heal": {"at": "15s", "settle": "30s"},
  "cluster": {"nodes": 1},
  "network": {"clients": {"latency": {"exp": "5ms", "max": "40ms"}, "loss": 0.001}},
  "clients": [
    {"group": "sub", "count": 3, "receive_maximum": 8, "keepalive": "4s", "ack_delay": {"exp": "5ms"},
     "subscribe": [{"filter": "t/+", "qos": 2}],
     "churn": {"every": {"exp": "2s"}, "how": "drop|disconnect|takeover|crash", "offline": {"uniform": ["0s", "1s"]}}},
    {"group": "old", "mqtt": 4, "subscribe": [{"filter": "t/1", "qos": 1, "every": "4s"}],
     "unsubscribe": [{"filter": "t/1", "at": "2s", "every": "4s"}]},
    {"group": "pub", "count": 2, "behaviour": ["one_packet_id"],
     "publish": [{"topic": "t/{i}", "qos": 2, "rate": "20/s", "size": "64B"}, {"topic": "t/{n%3}", "qos": 1, "rate": "10/s"},
                 {"topic": "t/{i}", "qos": 0, "rate": "5/s"}],
     "churn": {"every": {"exp": "3s"}, "how": "drop|takeover"}}],
  "faults": [{"at": "4s", "do": "pause", "on": "n1", "for": "2s"}, {"at": "9s", "do": "reset_peer", "on": "n1->n1"},
             {"when": {"reached": "publish.acked", "occurrence": 5}, "do": "client", "action": "drop", "group": "sub"}]
})";

RunResult run_with(FakeFault fault) {
  const auto scenario = parse_scenario(one_node, "one");
  EXPECT_TRUE(scenario) << (scenario ? "" : scenario.error().text);
  return run_scenario(*scenario, fake_inside(fault));
}

std::uint64_t violated(const RunResult& result, const std::string& id) {
  for (const auto& verdict : result.verdicts) {
    if (verdict.id == id) return verdict.violated;
  }
  return 0;
}

TEST(Run, of_a_correct_broker_holds_and_settles) {
  const RunResult result = run_with(FakeFault::none);
  EXPECT_TRUE(result.held()) << reports::verdict_table(result) << reports::stories(result);
  EXPECT_TRUE(result.settled) << (result.unsettled.empty() ? "" : result.unsettled.front());
  EXPECT_LT(result.virtual_time, 40'000'000'000) << "ends when all is quiet";
  std::uint64_t received = 0, acknowledged = 0;
  for (const auto& [name, value] : result.facts) {
    if (name == "messages received") received = value;
    if (name == "acknowledgements") acknowledged = value;
  }
  EXPECT_GT(received, 1000U) << reports::fact_table(result, 1);
  EXPECT_GT(acknowledged, 500U);
  EXPECT_GT(result.situations.at("publish.acked"), 500U);
}

TEST(Run, is_the_same_twice_and_differs_by_seed) {
  const RunResult one = run_with(FakeFault::none), two = run_with(FakeFault::none);
  EXPECT_EQ(one.digest, two.digest);
  EXPECT_EQ(one.events, two.events);
  const auto other = parse_scenario(one_node, "one", 4);
  ASSERT_TRUE(other);
  EXPECT_NE(run_scenario(*other, fake_inside()).digest, one.digest);
}

TEST(Run, catches_acknowledged_messages_that_are_lost) {
  EXPECT_GT(violated(run_with(FakeFault::lose_acknowledged), "G2"), 0U);
}

TEST(Run, catches_a_second_delivery) { EXPECT_GT(violated(run_with(FakeFault::deliver_twice), "G3"), 0U); }

TEST(Run, catches_a_packet_id_in_use) {
  const RunResult result = run_with(FakeFault::reuse_id);
  EXPECT_GT(violated(result, "MQTT"), 0U);
  EXPECT_NE(reports::stories(result).find("which is in use for"), std::string::npos);
}

TEST(Run, catches_malformed_packets) {
  EXPECT_GT(violated(run_with(FakeFault::garbage), "MQTT"), 0U);
}

TEST(Run, reports_as_json) {
  const RunResult result = run_with(FakeFault::none);
  const std::string json = reports::to_json(result, "{}", 1, "m", "b");
  EXPECT_NE(json.find("\"verdicts\""), std::string::npos);
  EXPECT_NE(json.find("\"digest\""), std::string::npos);
}

}  // namespace
}  // namespace hf::sim
