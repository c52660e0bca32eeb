// Wills of connections that a coordinator learns of at a heal, before their nodes can be reached.
#include <gtest/gtest.h>

#include "tests/node/nodes.hpp"

namespace hf::sim {
namespace {

/// n3's client connects beyond a cut that has lasted for longer than the grace; at the heal n2 comes back to n1, the coordinator then,
/// and n3 some time later, or not at all. How many wills come?
int wills_at_a_heal(bool comes_back) {
  node::Config config = Nodes::with_slots(16);
  config.replicas = 2;
  config.write_quorum = 2;
  config.will_partition_grace = 4s;
  Nodes nodes(3, config);
  World& world = nodes.world;
  nodes.start();
  std::string client;
  for (int i = 0; client.empty(); ++i) {
    const std::string trial = "client-" + std::to_string(i);
    WorldClient probe(world, trial, "n1", false, 3600);
    world.run_for(100ms);
    probe.leave();
    world.run_for(100ms);
    const auto seen = nodes.inspect("n1").session(trial);
    if (seen && seen->replicas == std::vector<NodeId>{1, 2}) client = trial;
  }
  WorldClient watch(world, "watch", "n1", false, 3600);
  world.run_for(1s);
  watch.subscribe("w", 0);
  world.run_for(1s);
  world.partition({{"n1"}, {"n2", "n3"}}, ClientPolicy::free);
  world.run_for(10s);
  WorldClient mortal(world, client, "n3", false, 3600);
  mortal.will = mqtt::Will{.topic = "w", .payload = {}, .qos = 1, .retain = false, .properties = {}};
  world.run_for(1s);
  EXPECT_EQ(mortal.connacks, 1);
  world.cut("n2", "n3");
  world.cut("n3", "n2");
  world.partition({{"n1", "n2"}, {"n3"}}, ClientPolicy::free);
  world.run_for(3s);
  EXPECT_EQ(nodes.inspect("n1").session(client)->front, 3U) << "it is known";
  EXPECT_EQ(watch.publishes, 0) << "its node was silent for three seconds";
  if (comes_back) world.heal_network();
  world.run_for(20s);
  EXPECT_EQ(mortal.connacks, 1);
  return watch.publishes;
}

TEST(WillsAtAHeal, are_void_if_their_node_comes_back_in_time) { EXPECT_EQ(wills_at_a_heal(true), 0); }
TEST(WillsAtAHeal, are_published_if_it_does_not) { EXPECT_EQ(wills_at_a_heal(false), 1); }

}  // namespace
}  // namespace hf::sim
