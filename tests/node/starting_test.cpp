// Nodes that start at different moments: whoever serves clients knows what the others' clients have asked for.
#include <gtest/gtest.h>

#include "tests/node/nodes.hpp"

namespace hf::sim {
namespace {

/// Does a message of QoS 0, published at n2 the moment n1 has acknowledged the subscription, arrive?
bool arrives(std::uint64_t seed) {
  Nodes nodes(3, Nodes::with_slots(16), seed);
  World& world = nodes.world;
  // Two meet the third long before they meet each other.
  faultnet::Wire far;
  far.latency = 100ms;
  world.set_wire("n1", "n2", far);
  world.set_wire("n2", "n1", far);
  DrawSequence& draws = world.draws().of("start", "nodes");
  for (NodeId id = 1; id <= 3; ++id)
    world.at(static_cast<VirtualTime>(draws.between(0, Duration(400ms).count())), [&world, id] { world.start(Nodes::name(id)); });
  WorldClient subscriber(world, "subscriber", "n1"), publisher(world, "publisher", "n2");
  bool published = false;
  const auto go_on = [&] {
    if (subscriber.subacks == 0 || publisher.connacks == 0 || std::exchange(published, true)) return;
    publisher.publish("t", 0);
  };
  subscriber.on_packet = [&](const mqtt::Packet& packet) {
    if (std::holds_alternative<mqtt::Connack>(packet)) subscriber.subscribe("t", 0);
    go_on();
  };
  publisher.on_packet = [&](const mqtt::Packet&) { go_on(); };
  world.run_for(10s);
  EXPECT_TRUE(published) << "seed " << seed;
  return subscriber.publishes == 1;
}

TEST(Starting, who_serves_its_first_client_has_met_its_neighbours_neighbours) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) EXPECT_TRUE(arrives(seed)) << "seed " << seed;
}

/// Its CONNECT is more than is read ahead of a node that is not ready.
TEST(Starting, a_large_connect_is_answered_once_the_node_is_ready) {
  Nodes nodes(3);
  World& world = nodes.world;
  world.start_all();
  WorldClient client(world, "large", "n1");
  int packets = 0;
  client.will = mqtt::Will{.topic = "w", .payload = Bytes(std::string(65000, 'x')), .qos = 0, .retain = false, .properties = {}};
  for (int i = 0; i < 40; ++i) client.will->properties.edit().user_properties.emplace_back("k", std::string(1000, 'v'));
  client.on_packet = [&](const mqtt::Packet&) { ++packets; };
  world.run_for(3s);
  EXPECT_EQ(client.connacks, 1);
  EXPECT_EQ(packets, 1) << "and nothing else";
}

}  // namespace
}  // namespace hf::sim
