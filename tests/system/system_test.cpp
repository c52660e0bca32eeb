// The promises of DESIGN.md on real processes: across nodes, across kill -9, with clients nobody here wrote.
#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/system/paho_client.hpp"
#include "tests/system/processes.hpp"

namespace hf::system_tests {
namespace {

std::string named(int qos, int number) {
  return "q" + std::to_string(qos) + "-" + std::to_string(number);
}

/// Payloads with the prefix, duplicates removed, in order of first arrival.
std::vector<std::string> first_arrivals(const std::vector<std::string>& all, const std::string& prefix) {
  std::vector<std::string> result;
  std::set<std::string> seen;
  for (const auto& payload : all) {
    if (payload.rfind(prefix, 0) == 0 && seen.insert(payload).second) result.push_back(payload);
  }
  return result;
}

std::vector<std::string> expected(int qos, int count) {
  std::vector<std::string> all;
  for (int i = 0; i < count; ++i) all.push_back(named(qos, i));
  return all;
}

class SystemTest : public testing::Test {
 protected:
  void SetUp() override {
    cluster_.start_all();
    ASSERT_TRUE(cluster_.wait_joined()) << cluster_.log(0);
  }
  Cluster cluster_{3};
};

/// Both versions by a client nobody here wrote.
class BothVersions : public SystemTest, public testing::WithParamInterface<Speaks> {};
INSTANTIATE_TEST_SUITE_P(Paho, BothVersions, testing::Values(Speaks::v311, Speaks::v5),
                         [](const auto& version) { return version.param == Speaks::v5 ? "v5" : "v311"; });

TEST_P(BothVersions, publishes_cross_nodes_at_every_qos) {
  for (int qos = 0; qos <= 2; ++qos) {
    PahoClient subscriber("subscriber-" + std::to_string(qos), true, GetParam());
    PahoClient publisher("publisher-" + std::to_string(qos), true, GetParam());
    subscriber.connect(cluster_.port(0));
    publisher.connect(cluster_.port(1));
    subscriber.subscribe("cross/" + std::to_string(qos) + "/#", qos);
    for (int i = 0; i < 50; ++i) publisher.publish("cross/" + std::to_string(qos) + "/t", named(qos, i), qos);
    EXPECT_TRUE(eventually([&] { return subscriber.total() >= 50; })) << "QoS " << qos;
    EXPECT_EQ(subscriber.received(), expected(qos, 50));
  }
}

TEST_F(SystemTest, mosquitto_clients_talk_across_nodes) {
  for (const std::string version : {"311", "5"}) {
    for (int qos = 0; qos <= 2; ++qos) {
      const std::string q = std::to_string(qos);
      const std::string topic = "mosquitto/" + version + "/" + q;
      const std::string output = testing::TempDir() + "/hf-mosquitto-" + std::to_string(cluster_.port(2)) + version + q;
      Process subscriber;
      subscriber.start({"stdbuf", "-oL", "mosquitto_sub", "-d", "-V", version, "-p", std::to_string(cluster_.port(2)), "-t", topic,
                        "-q", q, "-C", "3", "-W", "20"}, output);
      ASSERT_TRUE(eventually([&] { return slurp(output).find("SUBACK") != std::string::npos; })) << slurp(output);
      for (const char* text : {"one", "two", "three"}) {
        int status = 0;
        const auto said = run_tool({"mosquitto_pub", "-V", version, "-p", std::to_string(cluster_.port(0)), "-t", topic, "-q", q,
                                    "-m", text}, status);
        EXPECT_EQ(status, 0) << said;
      }
      EXPECT_EQ(subscriber.wait(Seconds(25)), 0);
      const std::string heard = slurp(output);
      for (const char* text : {"\none\n", "\ntwo\n", "\nthree\n"}) {
        EXPECT_NE(heard.find(text), std::string::npos) << heard;
      }
    }
  }
}

TEST_P(BothVersions, a_persistent_session_resumes_on_another_node) {
  PahoClient subscriber("wanderer", false, GetParam());
  EXPECT_FALSE(subscriber.connect(cluster_.port(0)));
  subscriber.subscribe("wander/#", 2);
  subscriber.disconnect();
  PahoClient publisher("publisher", true, GetParam());
  publisher.connect(cluster_.port(1));
  for (int i = 0; i < 20; ++i) {
    publisher.publish("wander/one", named(1, i), 1);
    publisher.publish("wander/two", named(2, i), 2);
  }
  EXPECT_TRUE(subscriber.connect(cluster_.port(2))) << "no session present";
  EXPECT_TRUE(eventually([&] { return subscriber.total() >= 40; }));
  EXPECT_EQ(first_arrivals(subscriber.received(), "q1"), expected(1, 20));
  EXPECT_EQ(first_arrivals(subscriber.received(), "q2"), expected(2, 20));
  EXPECT_EQ(subscriber.total(), 40U);
}

TEST_F(SystemTest, kill_9_of_the_node_a_client_is_on_loses_nothing) {
  constexpr int count = 300;
  PahoClient subscriber("survivor", false);
  subscriber.connect(cluster_.port(0));
  subscriber.subscribe("queue/#", 2);
  subscriber.disconnect();
  PahoClient publisher("publisher", true);
  publisher.connect(cluster_.port(1));
  for (int i = 0; i < count; ++i) {
    publisher.publish("queue/one", named(1, i), 1);
    publisher.publish("queue/two", named(2, i), 2);
  }
  EXPECT_TRUE(subscriber.connect(cluster_.port(0)));
  EXPECT_TRUE(eventually([&] { return subscriber.total() >= 10; }));
  cluster_.kill(0);
  const std::size_t before = subscriber.total();
  ASSERT_TRUE(eventually([&] { return !subscriber.connected(); }));
  EXPECT_TRUE(subscriber.connect_patiently(cluster_.port(2), Seconds(20))) << "no session present";
  EXPECT_TRUE(eventually([&] {
    return first_arrivals(subscriber.received(), "q1").size() >= count &&
           first_arrivals(subscriber.received(), "q2").size() >= count;
  }, Seconds(60))) << subscriber.total() << " of " << 2 * count << " arrived, " << before << " before the kill";
  EXPECT_EQ(first_arrivals(subscriber.received(), "q1"), expected(1, count));
  EXPECT_EQ(first_arrivals(subscriber.received(), "q2"), expected(2, count));
  for (int i = 0; i < count; ++i) EXPECT_EQ(subscriber.count(named(2, i)), 1U) << named(2, i);
}

TEST_F(SystemTest, a_publisher_whose_node_is_killed_publishes_qos_2_once) {
  constexpr int count = 200;
  PahoClient subscriber("listener", false);
  subscriber.connect(cluster_.port(1));
  subscriber.subscribe("flow/#", 2);
  PahoClient publisher("mover", false);
  publisher.connect(cluster_.port(0));
  for (int i = 0; i < count / 2; ++i) publisher.publish_soon("flow/t", named(2, i), 2);
  EXPECT_TRUE(eventually([&] { return subscriber.total() > 0; }));
  cluster_.kill(0);
  ASSERT_TRUE(eventually([&] { return !publisher.connected(); }));
  publisher.connect_patiently(cluster_.port(2), Seconds(20));
  for (int i = count / 2; i < count; ++i) publisher.publish_soon("flow/t", named(2, i), 2);
  EXPECT_TRUE(eventually([&] { return first_arrivals(subscriber.received(), "q2").size() >= count; }, Seconds(60)))
      << subscriber.total() << " arrived";
  for (int i = 0; i < count; ++i) EXPECT_EQ(subscriber.count(named(2, i)), 1U) << named(2, i);
}

TEST_F(SystemTest, all_nodes_killed_and_restarted_lose_nothing) {
  constexpr int count = 100;
  PahoClient subscriber("phoenix", false);
  subscriber.connect(cluster_.port(0));
  subscriber.subscribe("ash/#", 2);
  subscriber.disconnect();
  PahoClient publisher("publisher", true);
  publisher.connect(cluster_.port(1));
  for (int i = 0; i < count; ++i) {
    publisher.publish("ash/one", named(1, i), 1);
    publisher.publish("ash/two", named(2, i), 2);
  }
  for (int node = 0; node < cluster_.size(); ++node) cluster_.kill(node);
  cluster_.start_all();
  ASSERT_TRUE(cluster_.wait_joined()) << cluster_.log(0);
  EXPECT_TRUE(subscriber.connect_patiently(cluster_.port(2), Seconds(20))) << "no session present";
  EXPECT_TRUE(eventually([&] { return subscriber.total() >= 2 * count; }, Seconds(40)));
  EXPECT_EQ(first_arrivals(subscriber.received(), "q1"), expected(1, count));
  EXPECT_EQ(first_arrivals(subscriber.received(), "q2"), expected(2, count));
  for (int i = 0; i < count; ++i) EXPECT_EQ(subscriber.count(named(2, i)), 1U) << named(2, i);
}

TEST_F(SystemTest, sigterm_ends_a_node_in_good_order) {
  PahoClient client("bystander", true);
  client.connect(cluster_.port(0));
  EXPECT_EQ(cluster_.stop(0), 0) << cluster_.log(0);
  EXPECT_NE(cluster_.log(0).find("stopped"), std::string::npos);
  EXPECT_TRUE(eventually([&] { return !client.connected(); }));
}

}  // namespace
}  // namespace hf::system_tests
