// Identities of QoS 2 messages whose publishers have released them are forgotten, whatever others keep.
#include <gtest/gtest.h>

#include <variant>

#include "tests/node/nodes.hpp"

namespace hf::sim {
namespace {

TEST(Retiring, names_that_are_not_released_do_not_hold_up_those_behind_them) {
  node::Config config = Nodes::with_slots(1);  // of all publishers and subscribers
  config.receive_maximum = 2000;
  Nodes nodes(1, config);
  World& world = nodes.world;
  nodes.start();
  const auto remembered = [&] { return nodes.shard("n1").report().front().tombstones; };

  WorldClient reader(world, "reader", "n1", false, 3600);
  world.run_for(1s);
  reader.subscribe("t", 2);
  reader.on_packet = [&](const mqtt::Packet& packet) {
    if (const auto* publish = std::get_if<mqtt::Publish>(&packet)) {
      mqtt::Pubrec answer;
      answer.packet_id = publish->packet_id;
      reader.send(answer);
    } else if (const auto* pubrel = std::get_if<mqtt::Pubrel>(&packet)) {
      mqtt::Pubcomp answer;
      answer.packet_id = pubrel->packet_id;
      reader.send(answer);
    }
  };
  world.run_for(1s);
  constexpr mqtt::PacketId keeps = 1100;
  WorldClient keeper(world, "keeper", "n1", false, 3600), writer(world, "writer", "n1", false, 3600);
  world.run_for(1s);
  for (mqtt::PacketId id = 1; id <= keeps; ++id) keeper.publish("t", 2, id);
  world.run_for(20s);
  ASSERT_EQ(reader.publishes, keeps);
  const auto before = remembered();
  ASSERT_GE(before, keeps) << "none of them is released";
  writer.publish("t", 2, 1);
  world.run_for(1s);
  ASSERT_EQ(reader.publishes, keeps + 1);
  EXPECT_GT(remembered(), before);
  mqtt::Pubrel release;
  release.packet_id = 1;
  writer.send(release);
  world.run_for(30s);
  EXPECT_EQ(remembered(), before);
}

}  // namespace
}  // namespace hf::sim
