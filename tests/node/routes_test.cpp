// Filters of a slot, told to other nodes page by page.
#include <gtest/gtest.h>

#include <cstdio>
#include <deque>
#include <limits>
#include <map>
#include <random>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "tests/node/nodes.hpp"

namespace hf::sim {
namespace {

/// About nine of them fill a page.
std::string filter(int number) {
  char digits[8];
  std::snprintf(digits, sizeof digits, "%05d", number);
  return digits + std::string(30'000, 'f');
}

void subscribe(WorldClient& client, int from, int to, mqtt::PacketId id) {
  mqtt::Subscribe packet;
  packet.packet_id = id;
  for (int i = from; i < to; ++i) packet.subscriptions.push_back({.filter = filter(i), .qos = 1});
  client.send(packet);
}

node::Config roomy(std::uint32_t replicas) {
  node::Config config = Nodes::with_slots(1);
  config.replicas = replicas;
  config.write_quorum = replicas;
  config.max_filter_bytes = std::uint64_t{1} << 30U;
  config.max_outbox_bytes = 1024 * 1024;
  config.receive_maximum = 1000;
  return config;
}

TEST(Routes, of_a_slot_are_more_than_a_message_carries) {
  Nodes nodes(3, roomy(3));
  World& world = nodes.world;
  nodes.start();
  WorldClient reader(world, "reader", "n1", false, 3600);
  world.run_for(1s);
  constexpr int filters = 1200, in_a_packet = 20;
  for (int i = 0; i < filters; i += in_a_packet) {
    subscribe(reader, i, i + in_a_packet, static_cast<mqtt::PacketId>(i + 1));
    world.run_for(500ms);
  }
  ASSERT_EQ(reader.subacks, filters / in_a_packet);
  std::deque<WorldClient> connected;
  for (int i = 0; i < 20; ++i) connected.emplace_back(world, "client-" + std::to_string(i), "n3", false, 3600);
  world.run_for(1s);
  const auto operations = [&] {
    std::uint64_t sum = 0;
    for (const char* node : {"n1", "n3"}) sum += nodes.shard(node).counters().operations;
    return sum;
  };
  const std::uint64_t before = operations();
  world.crash("n2", CrashMode::keep, Silence::reset);
  world.run_for(5s);
  world.restart("n2");
  world.run_for(20s);
  EXPECT_EQ(nodes.inspect("n2").totals().routes, nodes.inspect("n1").totals().routes);
  EXPECT_LT(operations() - before, 20 * connected.size()) << "connections are told of once a snapshot, and not once a page";
  WorldClient writer(world, "writer", "n2");
  world.run_for(1s);
  for (const int i : {0, filters / 2, filters - 1}) writer.publish(filter(i), 0);
  world.run_for(5s);
  EXPECT_EQ(reader.publishes, 3);
}

/// The far node knew others, from before a cut; what is asked for while pages come is known by SUBACK, and what was wanted
/// all the time is known all the time.
void change_while_pages_come(std::uint64_t seed) {
  Nodes nodes(2, roomy(1), seed);
  World& world = nodes.world;
  faultnet::Wire wire = world.wire("n1", "n2");
  wire.bandwidth = 30'000'000;
  world.set_node_wire(wire);
  nodes.start();
  const bool first = nodes.inspect("n1").slots().front().replica;
  const std::string near = first ? "n1" : "n2", far = first ? "n2" : "n1";
  WorldClient reader(world, "reader", near, false, 3600), writer(world, "writer", far);
  world.run_for(1s);

  std::mt19937_64 random(seed);
  constexpr int filters = 150, lasting = 20, changes = 100;
  std::set<int> present;
  mqtt::PacketId id = 0;
  std::map<mqtt::PacketId, int> asked;  // present ones too: nothing new to tell for those
  std::map<std::string, int> came;
  reader.on_packet = [&](const mqtt::Packet& packet) {
    if (const auto* publish = std::get_if<mqtt::Publish>(&packet)) {
      ++came[publish->topic];
      if (publish->qos == 1) reader.send(mqtt::Puback{{.packet_id = publish->packet_id, .reason = mqtt::Reason::success, .properties = {}}});
    }
    if (const auto* suback = std::get_if<mqtt::Suback>(&packet))
      if (asked.contains(suback->packet_id)) writer.publish(filter(asked.at(suback->packet_id)), 1, suback->packet_id);
  };
  const auto change = [&] {
    const int which = static_cast<int>(random() % filters);
    if (present.erase(which) != 0) {
      reader.send(mqtt::Unsubscribe{.packet_id = ++id, .filters = {filter(which)}, .properties = {}});
    } else {
      present.insert(which);
      subscribe(reader, which, which + 1, ++id);
    }
  };
  for (int i = 0; i < filters; ++i) change();
  subscribe(reader, filters, filters + lasting, ++id);
  world.run_for(10s);
  world.partition({{near}, {far}}, ClientPolicy::free);
  world.run_for(10s);
  for (int i = 0; i < filters; ++i) change();
  world.run_for(2s);
  world.heal_network();
  std::set<int> told;
  const auto reaches = [&] {
    for (const node::NodeView& node : nodes.inspect(near).nodes())
      if (!node.self) return node.reachable;
    return false;
  };
  for (int i = 0; i < changes; ++i) {
    const std::set<int> before = present;
    if (i % 3 != 0) change();
    for (const int gone : before)
      if (!present.contains(gone)) told.erase(gone);
    const int again = *std::next(present.begin(), static_cast<int>(random() % present.size()));
    if (i % 3 == 0) subscribe(reader, again, again + 1, ++id);
    for (const int added : present)
      if ((!before.contains(added) || (i % 3 == 0 && added == again)) && reaches()) asked[id] = added, told.insert(added);
    writer.publish(filter(filters + i % lasting), 1, static_cast<mqtt::PacketId>(10'000 + i));
    world.run_for(30ms);
  }
  world.run_for(20s);
  for (const int one : told) EXPECT_GE(came[filter(one)], 1) << one << ", seed " << seed;
  for (int i = 0; i < lasting; ++i) EXPECT_EQ(came[filter(filters + i)], changes / lasting) << "lasting " << i << ", seed " << seed;
  EXPECT_EQ(nodes.inspect(far).totals().routes, nodes.inspect(near).totals().routes);
  came.clear();
  for (int i = 0; i < filters; ++i) {
    writer.publish(filter(i), 0);
    world.run_for(20ms);
  }
  world.run_for(2s);
  for (int i = 0; i < filters; ++i) EXPECT_EQ(came[filter(i)], present.contains(i) ? 1 : 0) << i << ", seed " << seed;
}

TEST(Routes, change_while_pages_come) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) change_while_pages_come(seed);
}

/// While pages of its slot are on their way to a node, the coordinator has to stop serving, for a moment or for good: another replica
/// came back.
void another_replica_comes_back(bool takes_over) {
  Nodes nodes(3, roomy(2));
  World& world = nodes.world;
  nodes.start();
  const std::vector<NodeId> replicas = nodes.inspect("n1").slots().front().replicas;
  const NodeId present = replicas[takes_over ? 1 : 0];  // the first in order takes over
  const std::string coordinator = Nodes::name(present), other = Nodes::name(replicas[takes_over ? 0 : 1]);
  const std::string far = Nodes::name(6 - replicas[0] - replicas[1]);
  WorldClient reader(world, "reader", coordinator, false, 3600), writer(world, "writer", far);
  world.run_for(1s);
  for (int i = 0; i < 600; i += 20) {
    subscribe(reader, i, i + 20, static_cast<mqtt::PacketId>(i + 1));
    world.run_for(500ms);
  }
  world.partition({{coordinator, other}, {far}}, ClientPolicy::free);
  world.run_for(5s);
  subscribe(reader, 90'000, 90'001, 1000);
  world.run_for(1s);
  world.crash(other, CrashMode::keep, Silence::reset);
  world.run_for(3s);
  faultnet::Wire wire = world.wire(coordinator, far);
  wire.bandwidth = 30'000'000;  // five seconds of pages
  world.set_wire(coordinator, far, wire);
  world.heal_network();
  const auto reaches = [&] { return nodes.inspect(far).slots().front().coordinator == present; };
  while (!reaches()) world.run_for(10ms);
  world.run_for(1s);
  bool acknowledged = false;
  reader.on_packet = [&](const mqtt::Packet& packet) {
    const auto* suback = std::get_if<mqtt::Suback>(&packet);
    if (suback == nullptr || suback->packet_id != 1001) return;
    acknowledged = true;
    writer.publish(filter(90'000), 1, 1);
  };
  subscribe(reader, 90'000, 90'001, 1001);  // nothing new, but a promise
  world.run_for(300ms);
  EXPECT_FALSE(acknowledged) << "the far node cannot know yet";
  world.restart(other);
  world.run_for(60s);
  EXPECT_TRUE(acknowledged);
  EXPECT_EQ(reader.publishes, 1);
}

TEST(Routes, are_not_taken_for_known_when_serving_is_interrupted) { another_replica_comes_back(false); }
TEST(Routes, are_not_taken_for_known_when_serving_ends) { another_replica_comes_back(true); }

/// `coordinator` tells a node beyond a slow link of the filters of its slot. Meanwhile the other replica comes back, with changes
/// of its own, which that node hears from the coordinator alone.
TEST(Routes, that_another_replica_brings_are_told_though_their_page_has_gone) {
  Nodes nodes(3, roomy(2));
  World& world = nodes.world;
  nodes.start();
  const std::vector<NodeId> replicas = nodes.inspect("n1").slots().front().replicas;
  const std::string coordinator = Nodes::name(replicas[0]), other = Nodes::name(replicas[1]);
  const std::string far = Nodes::name(6 - replicas[0] - replicas[1]);
  WorldClient reader(world, "reader", coordinator, false, 3600), elsewhere(world, "elsewhere", other, false, 3600);
  WorldClient writer(world, "writer", far);
  world.run_for(1s);
  world.cut(far, other);
  world.cut(other, far);
  world.partition({{coordinator}, {other}, {far}}, ClientPolicy::with_node);
  world.run_for(5s);
  for (int i = 100; i < 700; i += 20) {
    subscribe(reader, i, i + 20, static_cast<mqtt::PacketId>(i + 1));
    world.run_for(500ms);
  }
  subscribe(elsewhere, 1, 3, 1);
  world.run_for(1s);
  elsewhere.send(mqtt::Unsubscribe{.packet_id = 2, .filters = {filter(2)}, .properties = {}});
  world.run_for(1s);
  ASSERT_EQ(reader.subacks, 30);
  ASSERT_EQ(elsewhere.subacks, 1);
  faultnet::Wire wire = world.wire(coordinator, far);
  wire.bandwidth = 30'000'000;  // five seconds of pages
  world.set_wire(coordinator, far, wire);
  world.partition({{coordinator, far}, {other}}, ClientPolicy::with_node);
  const auto routes = [&] { return nodes.inspect(far).totals().routes; };
  while (routes() == 0) world.run_for(10ms);
  world.run_for(1s);
  ASSERT_LT(routes(), 600U) << "pages are on their way";
  world.partition({}, ClientPolicy::with_node);
  world.run_for(60s);
  EXPECT_EQ(routes(), 601U) << "what came and went is not among them";
  writer.publish(filter(1), 1, 1);
  world.run_for(2s);
  EXPECT_EQ(elsewhere.publishes, 1);
}

/// One slot's pages fill the link; those of another slot, of the same coordinator, come after them.
TEST(Routes, of_a_slot_that_waits_for_room_are_not_taken_for_known) {
  node::Config config = roomy(1);
  config.slots = 16;
  Nodes nodes(2, config);
  World& world = nodes.world;
  nodes.start();
  const std::string near = "n1", far = "n2";
  std::map<SlotId, std::string> client_of;
  for (int i = 0; i < 64; ++i) {
    const std::string client = "client-" + std::to_string(i);
    if (const auto session = nodes.visit(client, near); session && session->coordinator == 1) client_of[session->slot] = client;
  }
  ASSERT_GT(client_of.size(), 1U);
  WorldClient large(world, client_of.begin()->second, near, false, 3600), small(world, client_of.rbegin()->second, near, false, 3600);
  WorldClient writer(world, "writer", far);
  world.run_for(1s);
  world.partition({{near}, {far}}, ClientPolicy::free);
  world.run_for(5s);
  for (int i = 0; i < 600; i += 20) {
    subscribe(large, i, i + 20, static_cast<mqtt::PacketId>(i + 1));
    world.run_for(500ms);
  }
  subscribe(small, 90'000, 90'001, 1);
  world.run_for(1s);
  ASSERT_EQ(large.subacks, 30);
  ASSERT_EQ(small.subacks, 1);
  faultnet::Wire wire = world.wire(near, far);
  wire.bandwidth = 30'000'000;  // five seconds of pages
  wire.latency = 50ms;
  world.set_wire(near, far, wire);
  world.heal_network();
  const auto reaches = [&] {
    for (const node::NodeView& node : nodes.inspect(near).nodes())
      if (!node.self) return node.reachable;
    return false;
  };
  while (!reaches()) world.run_for(1ms);
  bool acknowledged = false;
  small.on_packet = [&](const mqtt::Packet& packet) {
    if (!std::holds_alternative<mqtt::Suback>(packet)) return;
    acknowledged = true;
    writer.publish(filter(90'000), 1, 1);
  };
  subscribe(small, 90'000, 90'001, 2);  // nothing new, but a promise
  world.run_for(1s);
  EXPECT_FALSE(acknowledged) << "the far node cannot know yet";
  world.run_for(30s);
  EXPECT_TRUE(acknowledged);
  EXPECT_EQ(small.publishes, 1);
}

/// What does not wait for room, here deliveries, may take up all of it for as long as it likes.
TEST(Routes, are_told_though_there_is_never_room) {
  node::Config config = roomy(3);
  config.max_inflight = 100;
  config.write_quorum = 2;
  Nodes nodes(3, config);
  World& world = nodes.world;
  nodes.start();
  const std::vector<NodeId> replicas = nodes.inspect("n1").slots().front().replicas;
  const std::string coordinator = Nodes::name(replicas[0]), far = Nodes::name(replicas[1]), other = Nodes::name(replicas[2]);
  WorldClient wanting(world, "wanting", coordinator, false, 3600), reader(world, "reader", far, false, 3600);
  WorldClient writer(world, "writer", coordinator);
  world.run_for(1s);
  for (int i = 0; i < 40; i += 20) subscribe(wanting, i, i + 20, static_cast<mqtt::PacketId>(i + 1));
  reader.subscribe("t", 1);
  reader.on_packet = [&](const mqtt::Packet& packet) {
    const auto* publish = std::get_if<mqtt::Publish>(&packet);
    if (publish != nullptr) reader.send(mqtt::Puback{{.packet_id = publish->packet_id, .reason = mqtt::Reason::success, .properties = {}}});
  };
  world.run_for(2s);
  faultnet::Wire wire = world.wire(coordinator, far);
  wire.bandwidth = 30'000'000;
  world.set_wire(coordinator, far, wire);
  mqtt::Publish packet;
  packet.topic = "t";
  packet.qos = 1;
  packet.payload = Bytes(std::string(30'000, 'x'));
  const auto publish_for = [&](int seconds) {  // twice what the link carries
    for (int i = 0; i < seconds * 4; ++i) {
      for (int n = 0; n < 60; ++n) {
        packet.packet_id = static_cast<mqtt::PacketId>(packet.packet_id % 60'000 + 1);
        writer.send(packet);
      }
      world.run_for(250ms);
    }
  };
  publish_for(3);
  world.crash(other, CrashMode::keep, Silence::reset);
  publish_for(2);
  world.restart(other);
  publish_for(3);
  std::size_t least = std::numeric_limits<std::size_t>::max();
  wanting.subacks = 0;
  subscribe(wanting, 0, 1, 1000);
  for (int i = 0; i < 10; ++i) {
    publish_for(1);
    for (const node::NodeView& node : nodes.inspect(coordinator).nodes())
      if (node.name == far) least = std::min<std::size_t>(least, node.unacknowledged_bytes);
  }
  EXPECT_GT(least, config.max_outbox_bytes / 4 * 3) << "so it was put to the test";
  EXPECT_EQ(wanting.subacks, 1);
}

}  // namespace
}  // namespace hf::sim
