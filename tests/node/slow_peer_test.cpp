// Messages of QoS 0 for a node that does not take what it is sent are dropped and counted; what is acknowledged gets through.
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <variant>

#include "tests/node/nodes.hpp"

namespace hf::sim {
namespace {

struct SlowPeer : testing::Test, Nodes {
  SlowPeer() : Nodes(2, little()) { start(); }
  static node::Config little() {
    node::Config config = with_slots(16);
    config.max_outbox_bytes = 64 * 1024;
    return config;
  }
  /// More than a quarter of an outbox in one turn of n1, for a reader at n2; and a message of QoS 1.
  void flood(const std::string& reader_name, bool clean) {
    WorldClient reader(world, reader_name, "n2", clean, clean ? 0 : 3600), writer(world, "writer", "n1");
    world.run_for(1s);
    reader.subscribe("t", 1);
    world.run_for(1s);
    int of_qos_1 = 0;
    reader.on_packet = [&](const mqtt::Packet& came) {
      const auto* publish = std::get_if<mqtt::Publish>(&came);
      of_qos_1 += publish != nullptr && publish->qos == 1 ? 1 : 0;
    };
    std::string bytes;
    mqtt::Publish packet;
    packet.topic = "t";
    packet.payload = Bytes(std::string(1000, 'x'));
    for (int i = 0; i < 60; ++i) mqtt::encode(packet, mqtt::Version::v5, bytes);
    writer.send_bytes(std::move(bytes));
    writer.publish("t", 1, 1);
    world.run_for(2s);
    const std::uint64_t dropped = shard("n1").counters().dropped_slow_peer;
    EXPECT_GT(dropped, 0U);
    EXPECT_EQ(shard("n1").counters().dropped, dropped);
    EXPECT_EQ(static_cast<std::uint64_t>(reader.publishes) + dropped, 61U);
    EXPECT_EQ(of_qos_1, 1);
    reader.leave();
    world.run_for(1s);
  }
};

TEST_F(SlowPeer, of_the_publishers_node) { flood("bound", true); }

TEST_F(SlowPeer, of_the_coordinator) {
  for (int i = 0;; ++i) {
    const std::string client = "reader-" + std::to_string(i);
    if (left_session(client).coordinator == 1) return flood(client, false);
  }
}

/// A message that a link carries for longer than silence may last: heartbeats lie behind it. Nobody is taken for gone.
void carries_a_large_message(std::optional<Duration> reset_after) {
  node::Config config = Nodes::with_slots(16);
  config.max_packet_size = 8 * 1024 * 1024;
  Nodes nodes(2, config);
  World& world = nodes.world;
  faultnet::Wire wire = world.wire("n1", "n2");
  wire.bandwidth = 20'000'000;
  world.set_node_wire(wire);
  nodes.start();
  WorldClient reader(world, "reader", "n2"), writer(world, "writer", "n1");
  world.run_for(1s);
  reader.subscribe("t", 1);
  world.run_for(1s);
  const std::uint64_t failovers = nodes.shard("n1").counters().failovers + nodes.shard("n2").counters().failovers;
  mqtt::Publish packet;
  packet.topic = "t";
  packet.qos = 1;
  packet.packet_id = 1;
  packet.payload = Bytes(std::string(6'000'000, 'x'));  // 2.4 s
  writer.send(packet);
  if (reset_after) {
    world.run_for(*reset_after);
    world.reset_peer("n1", "n2");
  }
  world.run_for(10s);
  EXPECT_EQ(reader.publishes, 1);
  EXPECT_EQ(nodes.shard("n1").counters().failovers + nodes.shard("n2").counters().failovers, failovers);
}

TEST(SlowLink, carries_a_large_message) { carries_a_large_message({}); }
TEST(SlowLink, that_breaks_carries_a_large_message_when_it_is_back) { carries_a_large_message(2s); }

}  // namespace
}  // namespace hf::sim
