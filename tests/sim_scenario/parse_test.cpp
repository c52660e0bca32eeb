// Scenario files: what is read, what is refused and with which words, what a draw becomes.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "sim/scenario/facts.hpp"
#include "sim/scenario/parse.hpp"
#include "sim/scenario/units.hpp"

namespace hf::sim {
namespace {

std::string error_of(const std::string& text) {
  const auto scenario = parse_scenario(text, "x.json");
  return scenario ? "accepted" : scenario.error().text;
}

TEST(Units, table) {
  EXPECT_EQ(parse_duration("250ms"), 250'000'000);
  EXPECT_EQ(parse_duration("1.5s"), 1'500'000'000);
  EXPECT_EQ(parse_duration("-50ms"), -50'000'000);
  EXPECT_EQ(parse_duration("0"), 0);
  EXPECT_EQ(parse_duration("1h"), 3'600'000'000'000);
  EXPECT_EQ(parse_duration("5"), std::nullopt);
  EXPECT_EQ(parse_duration("5 parsecs"), std::nullopt);
  EXPECT_EQ(parse_duration("99999999999999999999s"), std::nullopt);
  EXPECT_EQ(parse_rate("50/s"), 20'000'000);
  EXPECT_EQ(parse_rate("0.5/s"), 2'000'000'000);
  EXPECT_EQ(parse_rate("6/m"), 10'000'000'000);
  EXPECT_EQ(parse_rate("0/s"), std::nullopt);
  EXPECT_EQ(parse_size("64KiB"), 65'536);
  EXPECT_EQ(parse_size("-1B"), std::nullopt);
  EXPECT_EQ(parse_bandwidth("1gbit"), 1'000'000'000);
  EXPECT_EQ(parse_bandwidth("500MB/s"), 4'000'000'000);
  for (const std::int64_t value : {0LL, 1LL, 1'500LL, 250'000'000LL, 3'600'000'000'000LL, -20'000LL}) {
    EXPECT_EQ(parse_duration(show_duration(value)), value);
  }
}

struct Case {
  const char *text, *part;
};

class Refused : public testing::TestWithParam<Case> {};

TEST_P(Refused, with_path_and_words) {
  const std::string error = error_of(GetParam().text);
  EXPECT_NE(error.find(GetParam().part), std::string::npos) << error;
  EXPECT_EQ(error.rfind("x.json: ", 0), 0U) << error;
}

INSTANTIATE_TEST_SUITE_P(
    table, Refused,
    testing::Values(
        Case{R"({"durations":"1s"})", "durations: unknown field; did you mean \"duration\"?"},
        Case{R"({"duration":5})", "duration: must be a duration such as"},
        Case{R"({"schema":"holdfast/9"})", "is not holdfast/1"},
        Case{R"({"cluster":{"nodes":0}})", "cluster.nodes: 0 is out of range 1 .. 1000"},
        Case{R"({"cluster":{"nodes":3,"write_quorum":4}})", "cluster.write_quorum: 4 is out of range 1 .. 3"},
        Case{R"({"cluster":{"nodes":3,"zones":{"a":["n9"]}}})", "cluster.zones.a: no node \"n9\""},
        Case{R"({"cluster":{"config":{"session.max_inflght":3}}})", "did you mean \"session.max_inflight\"?"},
        Case{R"({"cluster":{"config":{"session.max_inflight":0}}})", "0 is out of range 1 .. 65535"},
        Case{R"({"network":{"clients":{"loss":2}}})", "network.clients.loss: 2 is out of range 0 .. 1"},
        Case{R"({"network":{"nodes":{"latency":"fast"}}})", "network.nodes.latency: must be a duration"},
        Case{R"({"clients":[{"count":2,"id":"same"}]})", "clients[0].id: two clients are called same"},
        Case{R"({"clients":[{"publish":[{"topic":"t","rate":"often"}]}]})", "clients[0].publish[0].rate: must be a rate"},
        Case{R"({"clients":[{"publish":[{"topic":"t","qos":3}]}]})", "publish[0].qos: 3 is out of range 0 .. 2"},
        Case{R"({"clients":[{"connect_to":"n7"}]})", "clients[0].connect_to: \"n7\" is no node"},
        Case{R"({"clients":[{"behaviour":["slow_reader"]}]})", "slow_reader is not supported yet"},
        Case{R"({"clients":[{"subscribe":[{"filter":"a/{q}"}]}]})", "templates are"},
        Case{R"({"clients":[{"churn":{"how":"dance"}}]})", "clients[0].churn.how: \"dance\" is none of"},
        Case{R"({"clients":[{"churn":{"how":"disconnect_with_expiry"},"session_expiry":"0s"}]})", "needs a \"session_expiry\" of the client"},
        Case{R"({"clients":[{"churn":{"how":"disconnect_with_will"},"mqtt":4}]})", "churn.how: \"disconnect_with_will\" needs MQTT 5"},
        Case{R"({"clients":[{"publish":[{"topic":"t","expiry":"10ms"}]}]})", "publish[0].expiry: 10ms is out of range"},
        Case{R"({"clients":[{"mqtt":4,"will":{"topic":"t","expiry":"9s"}}]})", "will.expiry: only MQTT 5 has messages that expire"},
        Case{R"({"clients":[{"authenticate":"smile"}]})", "clients[0].authenticate: \"smile\" is none of"},
        Case{R"({"clients":[{"authenticate":"challenge"}]})", "clients[0].authenticate: a challenge needs a \"user\""},
        Case{R"({"clients":[{"mqtt":4,"user":"u","authenticate":"challenge"}]})", "only MQTT 5 has challenges"},
        Case{R"({"clients":[{"user":"u","reauthenticate":{"every":"1s"}}]})", "reauthenticate.every: needs"},
        Case{R"({"clients":[{"mqtt":4,"publish":[{"topic":"t","properties":true}]}]})", "publish[0].properties: only MQTT 5 has properties"},
        Case{R"({"clients":[{"mqtt":4,"will":{"topic":"t","properties":true}}]})", "will.properties: only MQTT 5 has properties"},
        Case{R"({"clients":[{"mqtt":4,"subscribe":[{"filter":"t","identifier":1}]}]})", "only MQTT 5 has subscription identifiers"},
        Case{R"({"clients":[{"subscribe":[{"filter":"t","identifier":268435456}]}]})", "out of range 0 .. 268435455"},
        Case{R"({"clients":[{"mqtt":4,"problem_information":false}]})", "problem_information: only MQTT 5"},
        Case{R"({"faults":[{"do":"partitoin"}]})", "faults[0].do: unknown fault \"partitoin\"; did you mean \"partition\"?"},
        Case{R"({"faults":[{"do":"bitrot"}]})", "faults[0].do: bitrot is not supported yet"},
        Case{R"({"faults":[{"do":"crash","on":"n4"}]})", "faults[0].on: \"n4\" is no target"},
        Case{R"({"faults":[{"do":"crash","on":"random:4"}]})", "random:N needs N in 1 .. 3"},
        Case{R"({"faults":[{"do":"crash","on":"coordinator:bob"}]})", "no client \"bob\""},
        Case{R"({"faults":[{"do":"crash","at":"1s","when":{"reached":"x"}}]})", "faults[0].when: either"},
        Case{R"({"faults":[{"do":"crash","when":{"after":"fault:p1"}}]})", "no fault called \"p1\""},
        Case{R"({"nemesis":[{"kind":["wipe"]}]})", "wipe is not supported yet in a nemesis"},
        Case{R"({"nemesis":[{"kind":"crash","swarm":true}]})", "nemesis[0].swarm: not supported yet"},
        Case{R"({"expect":[{"guarantee":"G99"}]})", "expect[0].guarantee: \"G99\" is none of"},
        Case{R"({"expect":[{"within":"2s"}]})", "expect[0].within: not supported yet"},
        Case{R"({"cost_model":"f"})", "cost_model: not supported yet"},
        Case{R"({"seed":{"uniform":[5,1]}})", "low is above high"},
        Case{R"({"duration":{"one_of":[]}})", "must be a list, not empty"},
        Case{R"({"duration":{"exp":"1s","mx":"2s"}})", "duration.mx: unknown field of a draw"},
        Case{R"({"duration":)", "parse error"}));

TEST(Draws, are_resolved_at_the_start_and_keyed) {
  const std::string text = R"({
    // comments are fine
    "seed": 7, "cluster": {"nodes": {"uniform": [3, 9]}, "config": {"session.max_inflight": {"one_of": [1, 2, 20]}}},
    "network": {"clients": {"latency": {"exp": "20ms", "max": "2s"}, "loss": {"uniform": [0.0, 0.01]}}},
    "clients": [{"group": "a", "publish": [{"topic": "t", "rate": {"one_of": ["1/s", "2/s"]}, "count": {"uniform": [1, 1000000]}}]},
                {"group": "b", "keepalive": {"chance": 0.5, "value": "3s", "else": "9s"}, "start": {"uniform": ["0s", "9s"]}}]})";
  const auto one = parse_scenario(text, "x");
  ASSERT_TRUE(one) << one.error().text;
  EXPECT_EQ(one->resolved.find("one_of"), std::string::npos);
  EXPECT_NE(one->resolved.find("exp"), std::string::npos) << "a client's latency is drawn for each client";
  const auto again = parse_scenario(one->resolved, "x");
  ASSERT_TRUE(again) << again.error().text;
  EXPECT_EQ(again->resolved, one->resolved);
  EXPECT_EQ(again->clients[0].clients[0].publish[0].count, one->clients[0].clients[0].publish[0].count);
  const auto other = parse_scenario(text, "x", 8);
  ASSERT_TRUE(other);
  EXPECT_NE(other->resolved, one->resolved);
  // Leaving out group a leaves what was drawn for b as it was.
  std::string without = text;
  const auto from = without.find(R"({"group": "a")"), to = without.find(R"({"group": "b")");
  without.erase(from, to - from);
  const auto less = parse_scenario(without, "x");
  ASSERT_TRUE(less) << less.error().text;
  EXPECT_EQ(less->clients[0].clients[0].start, one->clients[1].clients[0].start);
}

/// id, and whether it may be let in, of every client of a file with these clients.
std::string admitted(const std::string& access, const std::string& clients) {
  const auto scenario = parse_scenario(R"({"cluster":{"access":)" + access + R"(},"clients":[)" + clients + "]}", "x");
  EXPECT_TRUE(scenario) << (scenario ? "" : scenario.error().text);
  RunFacts facts;
  if (scenario) add_facts(facts, *scenario, {});
  std::string out;
  for (const auto& client : facts.clients) out += client.id + (client.admitted ? "+ " : "- ");
  return out;
}

TEST(Facts, say_who_may_be_let_in) {
  const std::string clients = R"({"group":"nobody"}, {"group":"good","user":"u","password":"p"}, {"group":"bad","user":"u","password":"q"},
    {"group":"strange","user":"v","password":"p"}, {"group":"c","user":"u","password":"p","authenticate":"challenge"},
    {"group":"d","user":"u","password":"q","authenticate":"challenge"})";
  EXPECT_EQ(admitted(R"({"users":[{"name":"u","password":"p"}]})", clients), "nobody+ good+ bad- strange- c+ d- ");
  EXPECT_EQ(admitted(R"({"anonymous":false,"users":[{"name":"u","password":"p"}]})", clients), "nobody- good+ bad- strange- c+ d- ");
  EXPECT_EQ(admitted("{}", clients), "nobody+ good+ bad+ strange+ c- d- ");
}

TEST(Files, of_the_tree_parse_and_round_trip) {
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(HF_SOURCE_DIR "/scenarios")) {
    if (entry.path().extension() != ".json") continue;
    ++files;
    std::ifstream in(entry.path());
    std::ostringstream text;
    text << in.rdbuf();
    const auto scenario = parse_scenario(text.str(), entry.path().filename().string());
    ASSERT_TRUE(scenario) << scenario.error().text;
    EXPECT_EQ(scenario->name, entry.path().stem().string());
    const auto again = parse_scenario(scenario->resolved, "resolved");
    ASSERT_TRUE(again) << again.error().text;
    EXPECT_EQ(again->resolved, scenario->resolved);
  }
  EXPECT_GE(files, 12U);
}

}  // namespace
}  // namespace hf::sim
