// Wills of connections that a coordinator learns of at a heal, before their nodes can be reached.
#include <gtest/gtest.h>

#include "tests/node/nodes.hpp"

namespace hf::sim {
namespace {

/// A client connects at n3, beyond a cut that has lasted for longer than the grace. Then n2 comes back to n1, and n3 is alone.
struct WillsAtAHeal : testing::Test, Nodes {
  WillsAtAHeal() : Nodes(3, config()) {
    start();
    for (int i = 0; client.empty(); ++i) {
      const std::string trial = "client-" + std::to_string(i);
      WorldClient probe(world, trial, "n1", false, 3600);
      world.run_for(100ms);
      probe.leave();
      world.run_for(100ms);
      const auto seen = inspect("n1").session(trial);
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
  void n2_comes_back() {
    world.partition({{"n1", "n2"}, {"n3"}}, ClientPolicy::free);
    world.run_for(3s);
    EXPECT_EQ(inspect("n1").session(client)->coordinator, 1U);
    EXPECT_EQ(inspect("n1").session(client)->front, 3U) << "it is known";
    EXPECT_EQ(watch->publishes, 0) << "its node was silent for three seconds";
  }
  std::string client;
  std::optional<WorldClient> watch, mortal;
};

TEST_F(WillsAtAHeal, are_void_if_their_node_comes_back_in_time) {
  connect(0);
  n2_comes_back();
  world.heal_network();
  world.run_for(20s);
  EXPECT_EQ(watch->publishes, 0);
}

TEST_F(WillsAtAHeal, are_published_if_it_does_not) {
  connect(0);
  n2_comes_back();
  world.run_for(5s);
  EXPECT_EQ(watch->publishes, 1);
}

TEST_F(WillsAtAHeal, are_void_if_their_client_is_back_there_within_the_delay) {
  connect(2);
  mortal->drop();
  world.run_for(500ms);
  WorldClient again(world, client, "n3", false, 3600);
  world.partition({{"n1", "n2"}, {"n3"}}, ClientPolicy::free);
  world.run_for(3s);
  EXPECT_EQ(again.connacks, 1);
  EXPECT_EQ(watch->publishes, 0) << "its node was silent for three seconds";
  world.heal_network();
  world.run_for(20s);
  EXPECT_EQ(watch->publishes, 0);
}

TEST_F(WillsAtAHeal, are_published_after_delay_and_grace) {
  connect(2);
  mortal->drop();
  world.run_for(500ms);
  n2_comes_back();
  world.run_for(5s);
  EXPECT_EQ(watch->publishes, 1);
}

}  // namespace
}  // namespace hf::sim
