// What a client asks for and waits for is bounded: then it is read no further.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/node/nodes.hpp"

namespace hf::sim {
namespace {

TEST(Waiting, nothing_more_is_read_while_a_thousand_filters_wait) {
  Nodes nodes(1);
  World& world = nodes.world;
  nodes.start();
  WorldClient client(world, "client", "n1", false, 3600);
  world.run_for(1s);
  ASSERT_EQ(client.connacks, 1);
  std::string came;
  client.on_packet = [&](const mqtt::Packet& packet) { came += std::holds_alternative<mqtt::Suback>(packet) ? 's' : 'p'; };
  for (mqtt::PacketId id = 1; id <= 3; ++id) {
    mqtt::Subscribe packet;
    packet.packet_id = id;
    for (int i = 0; i < 1000; ++i) packet.subscriptions.push_back({.filter = std::to_string(id) + "/" + std::to_string(i), .qos = 1});
    client.send(packet);
  }
  client.send(mqtt::Pingreq{});
  world.run_for(5s);
  EXPECT_EQ(came, "sssp");
}

/// The session that they are for has no coordinator: that has gone silent, and nobody has noticed.
TEST(Waiting, what_was_published_ends_with_its_connection) {
  node::Config config = Nodes::with_slots(16);
  config.detect_after = 3s;
  Nodes nodes(3, config);
  World& world = nodes.world;
  nodes.start();
  const NodeId coordinator = nodes.left_session("reader").coordinator;
  const std::string other = Nodes::name(coordinator == 1 ? 2 : 1);
  WorldClient goes(world, "goes", other), stays(world, "stays", other);
  world.run_for(1s);
  world.crash(Nodes::name(coordinator), CrashMode::keep, Silence::silent);
  goes.publish("t", 1, 1);
  stays.publish("t", 1, 1);
  goes.publish("t", 1, 2);
  world.run_for(500ms);
  goes.drop();
  world.run_for(10s);
  WorldClient reader(world, "reader", other, false, 3600);
  world.run_for(5s);
  EXPECT_EQ(reader.publishes, 1) << "of who stayed";
}

/// It comes back again and again, and sends the same again.
TEST(Waiting, what_waits_for_a_majority_ends_with_its_connection) {
  Nodes nodes(3);
  nodes.start();
  nodes.world.crash("n2", CrashMode::keep, Silence::reset);
  nodes.world.crash("n3", CrashMode::keep, Silence::reset);
  nodes.world.run_for(5s);
  const auto waits = [&] {
    std::uint64_t sum = 0;
    for (const auto& slot : nodes.inspect("n1").slots()) sum += slot.waits_for_majority;
    return sum;
  };
  for (int i = 0; i < 5; ++i) {
    WorldClient writer(nodes.world, "writer", "n1", false, 3600);
    nodes.world.run_for(1s);
    for (mqtt::PacketId id = 1; id <= 3; ++id) writer.publish("t", 2, id);
    nodes.world.run_for(1s);
    EXPECT_EQ(waits(), 3U);
    writer.drop();
    nodes.world.run_for(1s);
    EXPECT_EQ(waits(), 0U);
  }
}

}  // namespace
}  // namespace hf::sim
