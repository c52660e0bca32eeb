// Whom the keep alive ends, in a cluster that takes its time.
#include <gtest/gtest.h>

#include <string>

#include "broker/node/inspection.hpp"
#include "broker/node/shard.hpp"
#include "sim/world/shard_factory.hpp"
#include "tests/node/world_client.hpp"

namespace hf::sim {
namespace {

/// A client with a keep alive of a second connects while its session's coordinator is silent, and that is not noticed for 3 s.
void connects_slowly(bool says_something_meanwhile) {
  History history;
  World world(1, history, shard_factory());
  const auto name = [](NodeId id) { return "n" + std::to_string(id); };
  node::Config config;
  config.slots = 16;
  config.detect_after = 3s;
  for (NodeId id = 1; id <= 3; ++id) config.members.push_back({id, name(id), name(id), "z"});
  for (NodeId id = 1; id <= 3; ++id) {
    config.id = id;
    world.add_node(name(id), config);
  }
  world.start_all();
  world.run_for(3s);
  WorldClient probe(world, "client", "n1", false, 60);
  world.run_for(1s);
  const NodeId coordinator = static_cast<node::Shard&>(*world.node("n1").handler()).inspection().session("client")->coordinator;
  probe.leave();
  world.run_for(1s);
  world.crash(name(coordinator), CrashMode::keep, Silence::silent);
  WorldClient client(world, "client", name(coordinator == 1 ? 2 : 1), false, 60);
  client.keep_alive = 1;
  int closed = 0;
  client.on_close = [&] { ++closed; };
  for (int i = 0; i < 20; ++i) {
    world.run_for(500ms);
    if (client.connacks != 0 || says_something_meanwhile) client.send(mqtt::Pingreq{});
    EXPECT_TRUE(i != 3 || client.connacks == 0) << "else this shows nothing";
  }
  EXPECT_EQ(client.connacks, 1);
  EXPECT_EQ(closed, 0);
  world.run_for(3s);
  EXPECT_EQ(closed, 1) << "it says nothing any more";
}

TEST(KeepAlive, counts_from_connack_on) { connects_slowly(false); }
TEST(KeepAlive, does_not_miss_what_waits_for_connack) { connects_slowly(true); }

}  // namespace
}  // namespace hf::sim
