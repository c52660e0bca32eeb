// What becomes of the will of a connection that gives way to one made where nobody knew of it.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <variant>

#include "tests/node/nodes.hpp"

namespace hf::sim {
namespace {

struct LeftWills : testing::Test, Nodes {
  LeftWills() : Nodes(5) { start(); }
  std::optional<node::SessionView> session(const std::string& client) {
    for (NodeId id = 1; id <= 5; ++id)
      if (auto found = inspect(name(id)).session(client)) return found;
    return std::nullopt;
  }
  /// A client id whose session has no replica at that node.
  std::string apart(NodeId from) {
    for (int i = 0;; ++i) {
      const std::string client = "mover-" + std::to_string(i);
      WorldClient probe(world, client, "n1", false);
      world.run_for(1s);
      const auto found = session(client);
      probe.leave();
      world.run_for(2s);
      if (found && std::find(found->replicas.begin(), found->replicas.end(), from) == found->replicas.end()) return client;
    }
  }
  /// The client connects at n1, and again at n5 while that is cut off. How many wills come.
  int wills_of_moving(bool clean, std::uint32_t expiry_s, std::optional<std::uint32_t> delay_s, std::uint8_t qos) {
    const std::string client = apart(5);
    WorldClient watch(world, "watch", "n2");
    world.run_for(1s);
    watch.subscribe("w", 2);
    world.run_for(1s);
    int closed = 0;
    WorldClient first(world, client, "n1", clean, expiry_s);
    first.will = mqtt::Will{.topic = "w", .payload = {}, .qos = qos, .retain = false, .properties = {}};
    if (delay_s) first.will->properties.edit().will_delay_interval = *delay_s;
    first.on_packet = [&](const mqtt::Packet& packet) {
      const auto* bye = std::get_if<mqtt::Disconnect>(&packet);
      if (bye == nullptr || bye->reason != mqtt::Reason::session_taken_over) return;
      ++closed;
      first.stay_away();
    };
    world.run_for(1s);
    EXPECT_EQ(first.connacks, 1);
    world.partition({{"n5"}}, ClientPolicy::free);
    world.run_for(5s);
    WorldClient second(world, client, "n5", clean, expiry_s);
    world.run_for(2s);
    EXPECT_EQ(second.connacks, 1);
    EXPECT_EQ(closed, 0);
    EXPECT_EQ(watch.publishes, 0);
    world.heal_network();
    world.run_for(10s);
    EXPECT_EQ(closed, 1);
    EXPECT_EQ(second.connacks, 1) << "and it stays";
    world.run_for(30s);
    second.leave();
    world.run_for(5s);
    return watch.publishes;
  }
};

TEST_F(LeftWills, of_a_session_that_ends_with_its_connection_is_published) { EXPECT_EQ(wills_of_moving(false, 0, std::nullopt, 2), 1); }
TEST_F(LeftWills, of_a_connection_bound_session_is_published) { EXPECT_EQ(wills_of_moving(true, 0, std::nullopt, 1), 1); }
TEST_F(LeftWills, of_a_session_that_goes_on_is_published) { EXPECT_EQ(wills_of_moving(false, 3600, std::nullopt, 1), 1); }
TEST_F(LeftWills, of_QoS_0_is_published) { EXPECT_EQ(wills_of_moving(false, 3600, std::nullopt, 0), 1); }
TEST_F(LeftWills, that_was_to_wait_is_void_where_the_session_goes_on) { EXPECT_EQ(wills_of_moving(false, 3600, 60, 1), 0); }
TEST_F(LeftWills, that_was_to_wait_is_published_where_the_session_is_another) { EXPECT_EQ(wills_of_moving(true, 3600, 60, 1), 1); }

/// The answer to its CONNECT is cut off; its node, alone, takes it anew.
TEST_F(LeftWills, of_a_connection_that_goes_on_under_another_stamp_is_not_published) {
  const std::string client = apart(1);
  WorldClient watch(world, "watch", "n2");
  world.run_for(1s);
  watch.subscribe("w", 2);
  world.run_for(1s);
  WorldClient one(world, client, "n1", false, 3600);
  one.will = mqtt::Will{.topic = "w", .payload = {}, .qos = 1, .retain = false, .properties = {}};
  while (one.connacks == 0 && !session(client)) world.run_for(100us);
  ASSERT_EQ(one.connacks, 0);
  world.partition({{"n1"}}, ClientPolicy::free);
  world.run_for(5s);
  ASSERT_EQ(one.connacks, 1);
  ASSERT_TRUE(session(client));
  world.heal_network();
  world.run_for(20s);
  EXPECT_EQ(watch.publishes, 0);
  EXPECT_EQ(one.connacks, 1) << "and it stays";
  one.drop();
  world.run_for(5s);
  EXPECT_EQ(watch.publishes, 1);
}

}  // namespace
}  // namespace hf::sim
