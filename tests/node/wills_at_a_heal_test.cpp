// Wills of connections that a coordinator learns of at a heal: before their nodes can be reached, or while those hold copies of them.
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "tests/node/nodes.hpp"

namespace hf::sim {
namespace {

/// A client connects at n3, beyond a cut that has lasted for longer than the grace. Then n2 comes back to n1, and n3 is alone.
struct WillsAtAHeal : testing::Test, Nodes {
  WillsAtAHeal() : Nodes(3, config()) {
    start();
    for (int i = 0; client.empty(); ++i) {
      const std::string trial = "client-" + std::to_string(i);
      const auto seen = visit(trial, "n1");
      if (seen && seen->replicas == std::vector<NodeId>{1, 2, 3}) client = trial;
    }
    watch.emplace(world, "watch", "n1", false, 3600);
    world.run_for(1s);
    watch->subscribe("w", 0);
    world.run_for(1s);
    world.partition({{"n1"}, {"n2", "n3"}}, ClientPolicy::free);
    world.run_for(10s);
  }
  static node::Config config() {
    node::Config config = with_slots(16);
    config.replicas = 3;
    config.write_quorum = 2;
    config.will_partition_grace = 4s;
    return config;
  }
  void connect(std::uint32_t will_delay_s) {
    mortal.emplace(world, client, "n3", false, 3600);
    mortal->will = mqtt::Will{.topic = "w", .payload = {}, .qos = 1, .retain = false, .properties = {}};
    mortal->will->properties.edit().will_delay_interval = will_delay_s;
    world.run_for(1s);
    EXPECT_EQ(mortal->connacks, 1);
  }
  void leave_for_a_while() {
    mortal->drop();
    world.run_for(500ms);
  }
  void n2_comes_back() {
    world.partition({{"n1", "n2"}, {"n3"}}, ClientPolicy::free);
    world.run_for(3s);
    EXPECT_EQ(inspect("n1").session(client)->coordinator, 1U);
    EXPECT_EQ(inspect("n1").session(client)->front, 3U) << "it is known";
    EXPECT_EQ(watch->publishes, 0) << "its node was silent for three seconds";
  }
  int wills_after(Duration time) {
    world.run_for(time);
    return watch->publishes;
  }
  std::string client;
  std::optional<WorldClient> watch, mortal;
};

TEST_F(WillsAtAHeal, are_published_if_their_node_does_not_come_back) {
  connect(0);
  n2_comes_back();
  EXPECT_EQ(wills_after(5s), 1);
}

TEST_F(WillsAtAHeal, are_void_if_it_comes_back_in_time) {
  connect(0);
  n2_comes_back();
  world.heal_network();
  EXPECT_EQ(wills_after(20s), 0);
}

TEST_F(WillsAtAHeal, are_published_after_delay_and_grace) {
  connect(2);
  leave_for_a_while();
  n2_comes_back();
  EXPECT_EQ(wills_after(5s), 1);
}

TEST_F(WillsAtAHeal, are_void_if_their_client_is_back_there_within_the_delay) {
  connect(2);
  leave_for_a_while();
  WorldClient again(world, client, "n3", false, 3600);
  n2_comes_back();
  EXPECT_EQ(again.connacks, 1);
  world.heal_network();
  EXPECT_EQ(wills_after(20s), 0);
}

/// n1, alone, takes a CONNECT; at a heal its client moves, and the will is published. Then n1 is
/// cut off again, `after` the heal, and the client comes back there: what n1 knows of is published, if not void.
int wills_of_a_copy(Duration after) {
  node::Config config = Nodes::with_slots(16);
  config.replicas = 3;
  config.write_quorum = 2;
  Nodes nodes(4, config);
  World& world = nodes.world;
  nodes.start();
  std::vector<std::string> apart;  // their sessions have no replica at n1
  for (int i = 0; apart.size() < 2; ++i) {
    const std::string trial = "client-" + std::to_string(i);
    const auto seen = nodes.visit(trial, "n2");
    if (seen && std::find(seen->replicas.begin(), seen->replicas.end(), 1U) == seen->replicas.end()) apart.push_back(trial);
  }
  const std::string client = apart[0];
  WorldClient watch(world, apart[1], "n2", false, 3600);
  std::set<mqtt::PacketId> held;
  int wills = 0;
  watch.on_packet = [&](const mqtt::Packet& packet) {
    if (const auto* publish = std::get_if<mqtt::Publish>(&packet)) {
      wills += held.insert(publish->packet_id).second ? 1 : 0;
      watch.send(mqtt::Pubrec{{.packet_id = publish->packet_id, .reason = mqtt::Reason::success, .properties = {}}});
    }
    if (const auto* pubrel = std::get_if<mqtt::Pubrel>(&packet)) {
      held.erase(pubrel->packet_id);
      watch.send(mqtt::Pubcomp{{.packet_id = pubrel->packet_id, .reason = mqtt::Reason::success, .properties = {}}});
    }
  };
  world.run_for(1s);
  watch.subscribe("w", 2);
  world.run_for(5s);
  world.partition({{"n1"}, {"n2", "n3", "n4"}}, ClientPolicy::free);
  world.run_for(3s);
  WorldClient mortal(world, client, "n1", false, 3600);
  mortal.will = mqtt::Will{.topic = "w", .payload = {}, .qos = 2, .retain = false, .properties = {}};
  world.run_for(1s);
  EXPECT_EQ(mortal.connacks, 1);
  mortal.stay_away();
  WorldClient again(world, client, "n3", false, 3600);
  world.heal_network();
  world.run_for(after);
  again.stay_away();
  for (const char* other : {"n2", "n3", "n4"}) world.cut(other, "n1");  // for a second only n1 notices
  world.run_for(1s);
  world.partition({{"n1"}, {"n2", "n3", "n4"}}, ClientPolicy::free);
  world.run_for(3s);
  WorldClient back(world, client, "n1", false, 3600);
  world.run_for(10s);
  world.heal_network();
  world.run_for(20s);
  return wills;
}

TEST(WillsOfACopy, are_published_once) {
  for (int at = 0; at < 2000; at += 25) EXPECT_EQ(wills_of_a_copy(at * 1ms), 1) << at << " ms after the heal";
}

}  // namespace
}  // namespace hf::sim
