// Whom the keep alive ends, in a cluster that takes its time.
#include <gtest/gtest.h>

#include <string>

#include "tests/node/nodes.hpp"

namespace hf::sim {
namespace {

/// A client with a keep alive of a second connects while its session's coordinator is silent, and that is not noticed for 3 s.
void connects_slowly(bool says_something_meanwhile) {
  node::Config config = Nodes::with_slots(16);
  config.detect_after = 3s;
  Nodes nodes(3, config);
  World& world = nodes.world;
  nodes.start();
  const NodeId coordinator = nodes.left_session("client").coordinator;
  world.crash(Nodes::name(coordinator), CrashMode::keep, Silence::silent);
  WorldClient client(world, "client", Nodes::name(coordinator == 1 ? 2 : 1), false, 60);
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
