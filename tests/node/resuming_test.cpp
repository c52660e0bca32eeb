// What a session's next connection is sent again, in which order, and with or without a majority.
#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "tests/node/nodes.hpp"

namespace hf::sim {
namespace {

/// A reader has a message of QoS 2 and one of QoS 1 in its hands when its coordinator dies, and comes back. `cut_after`: the
/// coordinator of now loses the last other replica then. What it gets again: a letter each, by QoS; "-" before what comes 5 s later.
std::string got_again(std::optional<Duration> cut_after) {
  Nodes nodes(3);
  World& world = nodes.world;
  nodes.start();
  const auto coordinator = [&](NodeId asked) { return nodes.inspect(Nodes::name(asked)).session("reader")->coordinator; };
  WorldClient reader(world, "reader", "n1", false, 3600);
  WorldClient writer(world, "writer", "n1");
  world.run_for(1s);
  reader.subscribe("t", 2);
  world.run_for(1s);
  writer.publish("t", 2, 1);
  world.run_for(1s);
  writer.send(mqtt::Pubrel{{1, mqtt::Reason::success, {}}});
  world.run_for(1s);
  writer.publish("t", 1, 2);
  world.run_for(1s);
  EXPECT_EQ(reader.publishes, 2);
  const NodeId first = coordinator(1);
  const NodeId asked = first == 1 ? 2 : 1;
  reader.drop();
  writer.leave();
  world.run_for(1s);
  world.crash(Nodes::name(first), CrashMode::keep, Silence::reset);
  world.run_for(5s);
  const NodeId second = coordinator(asked);
  const NodeId third = 6 - first - second;
  std::string got;
  WorldClient again(world, "reader", Nodes::name(second), false, 3600);
  again.on_packet = [&](const mqtt::Packet& packet) {
    if (const auto* publish = std::get_if<mqtt::Publish>(&packet)) got += publish->dup ? std::to_string(publish->qos) : "?";
  };
  if (cut_after) {
    world.run_for(*cut_after);
    world.partition({{Nodes::name(third)}});
  }
  world.run_for(20s);
  if (!cut_after) return got;
  got += '-';
  world.heal_network();
  world.run_for(10s);
  return got;
}

TEST(Resuming, comes_in_one_order_over_both_qos) { EXPECT_EQ(got_again(std::nullopt), "21"); }

TEST(Resuming, what_is_qos_1_does_not_wait_for_a_majority_that_went) {
  int alone = 0;
  for (int i = 0; i < 80; ++i) {
    const std::string got = got_again(i * 250us);
    EXPECT_TRUE(got == "21-" || got == "1-2") << got << " when cut off after " << i * 250 << " us";
    alone += got == "1-2" ? 1 : 0;
  }
  EXPECT_GT(alone, 0);
  EXPECT_LT(alone, 80);
}

}  // namespace
}  // namespace hf::sim
