// Reading retained messages for a subscription, while more is published and subscribed.
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <variant>

#include "tests/node/nodes.hpp"

namespace hf::sim {
namespace {

/// A SUBSCRIBE that asks for none itself, while the one before is still owed some: the reading goes on, and knows what overtook it.
TEST(RetainedReading, what_overtook_it_does_not_come_again_after_another_subscribe) {
  node::Config config = Nodes::with_slots(4);
  config.receive_maximum = 1000;
  Nodes nodes(1, config);
  World& world = nodes.world;
  world.node("n1").disk().options.fsync = 60ms;  // time goes by between a SUBSCRIBE and its SUBACK
  nodes.start();
  WorldClient writer(world, "writer", "n1");
  world.run_for(1s);
  const auto retain = [&](int topic, const std::string& payload, mqtt::PacketId id) {
    mqtt::Publish packet;
    packet.topic = "r/" + std::to_string(topic);
    packet.payload = Bytes(std::string(payload));
    packet.qos = 1;
    packet.retain = true;
    packet.packet_id = id;
    writer.send(packet);
  };
  constexpr int topics = 600;
  for (int i = 0; i < topics; ++i) retain(i, "old", static_cast<mqtt::PacketId>(i + 1));
  world.run_for(5s);

  WorldClient reader(world, "reader", "n1", false, 3600);
  std::map<std::string, int> came;  // by topic and payload
  reader.on_packet = [&](const mqtt::Packet& packet) {
    const auto* publish = std::get_if<mqtt::Publish>(&packet);
    if (publish == nullptr) return;
    ++came[publish->topic + " " + std::string(publish->payload.view())];
    mqtt::Puback answer;
    answer.packet_id = publish->packet_id;
    world.at(world.now() + Duration(100ms).count(), [&reader, answer] { reader.send(answer); });
  };
  world.run_for(1s);
  reader.subscribe("r/#", 1);
  world.run_for(200ms);
  ASSERT_EQ(reader.subacks, 1);
  for (int i = 0; i < 100; ++i) retain(topics - 1 - i, "new", static_cast<mqtt::PacketId>(i + 1));
  world.run_for(200ms);
  ASSERT_LT(came.size(), 400U) << "it is still read";
  mqtt::Subscribe again;
  again.packet_id = 2;
  again.subscriptions.push_back({.filter = "r/#", .qos = 1, .retain_handling = 2});
  reader.send(again);
  world.run_for(30s);
  ASSERT_EQ(reader.subacks, 2);
  int topics_seen = 0, repeated = 0;
  for (int i = 0; i < topics; ++i) topics_seen += came.contains("r/" + std::to_string(i) + " old") || came.contains("r/" + std::to_string(i) + " new") ? 1 : 0;
  for (const auto& [what, times] : came) repeated += times > 1 ? 1 : 0;
  EXPECT_EQ(topics_seen, topics);
  EXPECT_EQ(repeated, 0);
}

}  // namespace
}  // namespace hf::sim
