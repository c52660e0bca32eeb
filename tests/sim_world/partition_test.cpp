// Partitions: who reaches whom, for nodes and clients, before, during and after.
#include "tests/sim_world/toy_node.hpp"

namespace hf::sim {
namespace {

TEST(Partition, GroupsSplitAndTheRestIsOneMore) {
  Toys toys(5);
  toys.world.partition({{"n1"}, {"n2", "n3"}});
  EXPECT_TRUE(toys.world.reaches("n2", "n3"));
  EXPECT_TRUE(toys.world.reaches("n4", "n5"));
  EXPECT_FALSE(toys.world.reaches("n1", "n2"));
  EXPECT_FALSE(toys.world.reaches("n4", "n3"));
  EXPECT_EQ(toys.history.events.back().groups, (Groups{{"n1"}, {"n2", "n3"}, {"n4", "n5"}}));
  toys.world.heal_network();
  EXPECT_TRUE(toys.world.reaches("n1", "n2"));
  EXPECT_EQ(toys.history.events.back().groups, (Groups{{"n1", "n2", "n3", "n4", "n5"}}));
}

TEST(Partition, OneWay) {
  Toys toys(2);
  toys.world.cut("n1", "n2");
  EXPECT_FALSE(toys.world.reaches("n1", "n2"));
  EXPECT_TRUE(toys.world.reaches("n2", "n1"));
  toys.world.heal_network();
  EXPECT_TRUE(toys.world.reaches("n1", "n2"));
  EXPECT_EQ(toys.kinds(), (std::vector{Event::Kind::fault_began, Event::Kind::fault_ended}));
  EXPECT_EQ(toys.history.events[0].text, "cut n1->n2");
}

TEST(Partition, ClientsStayWithTheirNode) {
  Toys toys(3);
  ToyClient client;
  toys.dial(client, "n1");
  toys.world.partition({{"n1"}, {"n2", "n3"}}, ClientPolicy::with_node);
  EXPECT_TRUE(toys.world.reaches("c1", "n1"));
  EXPECT_FALSE(toys.world.reaches("c1", "n2"));
  ToyClient moved;
  toys.world.dial_as_client("c1", "n2", &moved);
  toys.world.run_for(20s);
  EXPECT_EQ(moved.connected, 0);
  EXPECT_EQ(moved.closed, std::vector{env::CloseReason::failed});
  ToyClient fresh;  // a new client: its first dial decides
  toys.dial(fresh, "n3", "c2");
  EXPECT_TRUE(toys.world.reaches("c2", "n2"));
  EXPECT_FALSE(toys.world.reaches("c2", "n1"));
}

TEST(Partition, ClientsFreeOrCut) {
  Toys toys(3);
  ToyClient client;
  toys.dial(client, "n1");
  toys.world.partition({{"n1"}, {"n2", "n3"}}, ClientPolicy::free);
  EXPECT_TRUE(toys.world.reaches("c1", "n1"));
  EXPECT_TRUE(toys.world.reaches("c1", "n2"));
  toys.world.partition({{"n1"}, {"n2", "n3"}}, ClientPolicy::cut);
  EXPECT_FALSE(toys.world.reaches("c1", "n1"));
  EXPECT_FALSE(toys.world.reaches("n1", "c1"));
  EXPECT_TRUE(toys.world.reaches("c1", "n2"));
}

TEST(Partition, StreamsSurviveAShortOne) {
  Toys toys(2);
  ToyNode& one = toys.toy("n1");
  toys.toy("n2").echo = false;
  const StreamId stream = one.env.dial("n2");
  toys.world.run_for(10ms);
  toys.world.partition({{"n1"}, {"n2"}});
  one.env.send(stream, Bytes("held"));
  toys.world.run_for(1s);
  EXPECT_TRUE(toys.toy("n2").got.empty());
  toys.world.heal_network();
  toys.world.run_for(2s);
  EXPECT_EQ(toys.toy("n2").got.begin()->second, "held");
}

TEST(Partition, ClogsHoldAndResetsEnd) {
  Toys toys(2);
  ToyNode& one = toys.toy("n1");
  toys.toy("n2").echo = false;
  const StreamId stream = one.env.dial("n2");
  toys.world.run_for(10ms);
  toys.world.clog("n1", "n2", true);
  one.env.send(stream, Bytes("held"));
  toys.world.run_for(60s);
  EXPECT_TRUE(toys.toy("n2").got.empty());
  toys.world.clog("n1", "n2", false);
  toys.world.run_for(1ms);
  EXPECT_EQ(toys.toy("n2").got.begin()->second, "held");
  toys.world.reset_peer("n2", "n1");
  EXPECT_EQ(one.closed[stream], env::CloseReason::reset);
  EXPECT_EQ(toys.toy("n2").closed.size(), 1U);
}

}  // namespace
}  // namespace hf::sim
