// What is left of sessions that ended, while a node of the cluster is away and after it has come back.
#include <gtest/gtest.h>

#include <algorithm>
#include <variant>

#include "tests/node/nodes.hpp"

namespace hf::sim {
namespace {

template <NodeId count>
struct EndingAmong : testing::Test, Nodes {
  EndingAmong() : Nodes(count) { start(); }
  /// Over the nodes that run; of slots served.
  std::uint64_t queued(const std::vector<std::string>& nodes) {
    std::uint64_t sum = 0;
    for (const auto& node : nodes) sum += inspect(node).totals().queued_messages;
    return sum;
  }
  std::uint64_t tombstones(const std::string& node) {
    std::uint64_t sum = 0;
    for (const auto& slot : shard(node).report()) sum += slot.tombstones;
    return sum;
  }
  /// Five messages wait for it: it reads them, and confirms none.
  void owe(WorldClient& reader) {
    reader.subscribe("t", 1);
    world.run_for(1s);
    ASSERT_EQ(reader.subacks, 1);
    WorldClient writer(world, "writer", "n2");
    world.run_for(1s);
    for (mqtt::PacketId id = 1; id <= 5; ++id) writer.publish("t", 1, id);
    world.run_for(1s);
    writer.leave();
    world.run_for(1s);
  }
};

using Ending = EndingAmong<3>;
using EndingAmongFive = EndingAmong<5>;

TEST_F(Ending, a_queue_that_nobody_can_resume_goes_at_once_though_a_replica_is_away) {
  WorldClient reader(world, "reader", "n1", false);
  world.run_for(1s);
  owe(reader);
  ASSERT_EQ(queued({"n1", "n2", "n3"}), 5U);
  world.crash("n3", CrashMode::keep, Silence::reset);
  world.run_for(3s);
  ASSERT_EQ(queued({"n1", "n2"}), 5U);
  reader.leave();
  world.run_for(2s);
  EXPECT_EQ(queued({"n1", "n2"}), 0U);
  EXPECT_NE(tombstones("n1") + tombstones("n2"), 0U) << "the third does not know yet that it ended";
  world.restart("n3");
  world.run_for(15s);
  EXPECT_EQ(tombstones("n1") + tombstones("n2") + tombstones("n3"), 0U);
}

/// Its client could come back to a replica that does not know that it ran out.
TEST_F(Ending, the_queue_of_a_session_that_ran_out_stays_until_every_replica_knows) {
  WorldClient reader(world, "reader", "n1", false, 3);
  world.run_for(1s);
  owe(reader);
  reader.leave();
  world.run_for(2500ms);
  const NodeId coordinator = inspect("n1").session("reader")->coordinator;
  const std::string cut_off = name(coordinator == 3 ? 2 : 3);
  world.partition({{cut_off}});  // not noticed when the session runs out
  for (int i = 0; i < 20 && inspect(name(coordinator)).session("reader"); ++i) world.run_for(50ms);
  ASSERT_FALSE(inspect(name(coordinator)).session("reader"));
  world.run_for(5s);
  EXPECT_EQ(inspect(name(coordinator)).totals().queued_messages, 5U);
  world.heal_network();
  world.run_for(10s);
  EXPECT_EQ(queued({"n1", "n2", "n3"}), 0U);
}

/// And no other node has to know.
TEST_F(EndingAmongFive, the_queue_of_a_session_that_ran_out_goes_though_a_node_is_away_that_is_no_replica) {
  std::vector<std::string> running{"n1", "n2", "n3", "n4"};
  for (int i = 0; i < 50; ++i) {
    WorldClient reader(world, "reader-" + std::to_string(i), "n1", false, 3);
    world.run_for(1s);
    const auto session = [&] {
      for (const auto& node : {"n1", "n2", "n3", "n4", "n5"})
        if (auto found = inspect(node).session("reader-" + std::to_string(i))) return found;
      return std::optional<node::SessionView>();
    }();
    ASSERT_TRUE(session);
    if (std::find(session->replicas.begin(), session->replicas.end(), 5U) != session->replicas.end()) {
      reader.leave();
      world.run_for(1s);
      continue;
    }
    owe(reader);
    world.crash("n5", CrashMode::keep, Silence::reset);
    world.run_for(3s);
    ASSERT_EQ(queued(running), 5U);
    reader.leave();
    world.run_for(2s);
    EXPECT_EQ(queued(running), 5U) << "it is not over yet";
    world.run_for(6s);
    EXPECT_EQ(queued(running), 0U);
    return;
  }
  FAIL() << "each had the fifth node as a replica";
}

TEST_F(Ending, who_comes_back_to_what_is_left_of_a_session_begins_anew) {
  WorldClient reader(world, "reader", "n1", false);
  world.run_for(1s);
  owe(reader);
  world.crash("n3", CrashMode::keep, Silence::reset);
  world.run_for(3s);
  reader.leave();
  world.run_for(2s);
  ASSERT_NE(tombstones("n1") + tombstones("n2"), 0U) << "the third does not know yet that it ended";
  WorldClient again(world, "reader", "n2", false);
  bool present = true;
  again.on_packet = [&](const mqtt::Packet& packet) {
    if (const auto* answer = std::get_if<mqtt::Connack>(&packet)) present = answer->session_present;
  };
  world.run_for(1s);
  ASSERT_EQ(again.connacks, 1);
  EXPECT_FALSE(present);
  WorldClient writer(world, "writer", "n2");
  world.run_for(1s);
  writer.publish("t", 1, 6);
  world.run_for(1s);
  world.restart("n3");
  world.run_for(10s);
  writer.publish("t", 1, 7);
  world.run_for(1s);
  EXPECT_EQ(again.publishes, 0) << "neither the subscription nor the queue is its own";
  EXPECT_EQ(again.connacks, 1);
}

/// The client moved on over a cut, and ended its session there: what it left behind is closed at the heal, and brings nothing back.
TEST_F(EndingAmongFive, a_connection_left_behind_is_closed_once_its_session_is_known_to_be_over) {
  WorldClient behind(world, "reader", "n1", false);
  world.run_for(1s);
  behind.subscribe("t", 1);
  world.run_for(1s);
  ASSERT_EQ(behind.subacks, 1);
  int closed = 0;
  behind.on_packet = [&](const mqtt::Packet& packet) {
    if (std::holds_alternative<mqtt::Disconnect>(packet)) ++closed, behind.stay_away();
  };
  world.partition({{"n1"}}, ClientPolicy::free);
  world.run_for(5s);
  WorldClient moved(world, "reader", "n4", false);
  world.run_for(2s);
  ASSERT_EQ(moved.connacks, 1);
  moved.leave();
  world.run_for(2s);
  EXPECT_EQ(closed, 0);
  world.heal_network();
  world.run_for(15s);
  EXPECT_EQ(closed, 1);
  for (NodeId id = 1; id <= 5; ++id) EXPECT_FALSE(inspect(name(id)).session("reader")) << name(id);
  for (NodeId id = 1; id <= 5; ++id) EXPECT_EQ(tombstones(name(id)), 0U) << name(id);
}

}  // namespace
}  // namespace hf::sim
