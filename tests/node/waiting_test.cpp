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

}  // namespace
}  // namespace hf::sim
