// What a client asks for and waits for is bounded: then it is read no further.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "sim/world/shard_factory.hpp"
#include "tests/node/world_client.hpp"

namespace hf::sim {
namespace {

TEST(Waiting, nothing_more_is_read_while_a_thousand_filters_wait) {
  History history;
  World world(1, history, shard_factory());
  node::Config config;
  config.slots = 4;
  config.members.push_back({1, "n1", "n1", "z"});
  config.id = 1;
  world.add_node("n1", config);
  world.start_all();
  WorldClient client(world, "client", "n1", false, 3600);
  world.run_for(3s);
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
