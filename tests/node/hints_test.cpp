// Messages that a stand-in keeps for replicas out of reach.
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "tests/node/nodes.hpp"

namespace hf::sim {
namespace {

node::Config two_replicas() {
  node::Config config = Nodes::with_slots(16);
  config.replicas = 2;
  config.write_quorum = 2;
  return config;
}

/// Two nodes that are no replicas have stood in for them, each alone, and find each other while one is storing a message. How long its
/// PUBACK takes; nothing if it is not there after 5 s.
std::optional<Duration> acknowledged_after(Duration since_they_can_reach_each_other, Duration fsync) {
  Nodes nodes(4, two_replicas());
  World& world = nodes.world;
  nodes.start();
  const std::vector<NodeId> replicas = nodes.left_session("reader").replicas;
  std::vector<std::string> others;
  for (NodeId id = 1; id <= 4; ++id)
    if (std::find(replicas.begin(), replicas.end(), id) == replicas.end()) others.push_back(Nodes::name(id));
  world.partition({{others[0]}, {others[1]}}, ClientPolicy::free);
  world.run_for(5s);
  WorldClient one(world, "one", others[0]), two(world, "two", others[1]);
  world.run_for(2s);
  one.publish("t", 1, 1);
  two.publish("t", 1, 1);
  world.run_for(2s);
  world.node(others[0]).disk().options.fsync = fsync;
  world.node(others[1]).disk().options.fsync = fsync;
  std::optional<VirtualTime> came;
  one.on_packet = [&](const mqtt::Packet& packet) {
    if (std::holds_alternative<mqtt::Puback>(packet) && !came) came = world.now();
  };
  world.partition({{others[0], others[1]}}, ClientPolicy::free);
  world.run_for(since_they_can_reach_each_other);
  const VirtualTime sent = world.now();
  one.publish("t", 1, 2);
  world.run_for(5s);
  if (!came) return std::nullopt;
  return Duration(*came - sent);
}

TEST(Hints, are_on_disk_before_they_are_acknowledged_however_often_they_are_asked_for) {
  constexpr Duration fsync = 400ms;
  for (int i = 0; i < 60; ++i) {
    const auto after = acknowledged_after(i * 25ms, fsync);
    ASSERT_TRUE(after) << i;
    EXPECT_GE(*after, fsync) << "published " << i * 25 << " ms after they could reach each other";
  }
}

}  // namespace
}  // namespace hf::sim
