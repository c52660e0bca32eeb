// The world: determinism, clients, timers, situations, the log, speed.
#include "tests/sim_world/toy_node.hpp"

namespace hf::sim {
namespace {

/// A busy run: pings over bad wires, crashes, pauses, resets.
std::uint64_t busy(std::uint64_t seed, std::uint64_t* events = nullptr) {
  Toys toys(3, seed);
  faultnet::Wire wire;
  wire.jitter = 3ms;
  wire.loss = 20'000'000;
  wire.slice = 5;
  toys.world.set_client_wire(wire);
  std::vector<std::unique_ptr<ToyClient>> clients;
  for (int i = 0; i < 10; ++i) {
    clients.push_back(std::make_unique<ToyClient>());
    ToyClient& client = *clients.back();
    client.world = &toys.world;
    client.left = 200;
    const std::string name = "n" + std::to_string(i % 3 + 1);
    client.stream = toys.world.dial_as_client("c" + std::to_string(i), name, &client);
    toys.send(client.stream, "hello there");
  }
  toys.world.at(toys.world.now() + 1'000'000'000, [&] { toys.world.crash("n2", CrashMode::torn); });
  toys.world.at(toys.world.now() + 2'000'000'000, [&] { toys.world.pause("n3"); });
  toys.world.at(toys.world.now() + 3'000'000'000, [&] { toys.world.resume("n3"); });
  toys.world.run_for(20s);
  if (events != nullptr) *events = toys.world.digest().events();
  return toys.world.digest().value();
}

TEST(World, SameSeedSameDigestTwiceInOneProcess) {
  std::uint64_t events = 0;
  const auto first = busy(1, &events);
  EXPECT_GT(events, 1000U);
  EXPECT_EQ(first, busy(1));
  EXPECT_NE(first, busy(2));
  EXPECT_EQ(first, busy(1));
}

TEST(World, ClientsTalkToNodes) {
  Toys toys(1);
  ToyClient client;
  const StreamId stream = toys.dial(client, "n1");
  toys.send(stream, "hello ");
  toys.send(stream, "world");
  toys.world.run_for(10ms);
  EXPECT_EQ(client.got, "hello world");
  ToyNode& toy = toys.toy("n1");
  ASSERT_EQ(toy.accepted.size(), 1U);
  EXPECT_EQ(toy.accepted.begin()->second, "c1");
  EXPECT_EQ(toy.kinds.begin()->second, env::StreamKind::client);
  toys.world.close(stream);
  toys.world.run_for(10ms);
  EXPECT_EQ(toy.closed.begin()->second, env::CloseReason::ended);
  ToyClient second;
  toys.world.reset(toys.dial(second, "n1"));
  toys.world.run_for(10ms);
  EXPECT_EQ(toy.closed.rbegin()->second, env::CloseReason::reset);
}

TEST(World, NodesDialEachOtherByName) {
  Toys toys(2);
  const StreamId stream = toys.toy("n1").env.dial("n2");
  toys.world.run_for(10ms);
  EXPECT_EQ(toys.toy("n1").connected, std::vector{stream});
  EXPECT_EQ(toys.toy("n2").accepted.begin()->second, "n1");
  EXPECT_EQ(toys.toy("n2").kinds.begin()->second, env::StreamKind::peer);
}

TEST(World, AVanishedClientLeavesAHalfOpenStream) {
  Toys toys(1);
  ToyClient client;
  toys.dial(client, "n1");
  toys.world.vanish("c1");
  toys.world.run_for(60s);
  EXPECT_TRUE(toys.toy("n1").closed.empty());
  EXPECT_TRUE(client.closed.empty());
  ToyClient again;
  toys.dial(again, "n1");
  EXPECT_EQ(toys.toy("n1").accepted.size(), 2U);
}

TEST(World, TimersRunAndCanBeCancelled) {
  Toys toys(0);
  ToyClient client;
  const VirtualTime now = toys.world.now();
  toys.world.at(now + 20, &client, 2);
  const Ticket cancelled = toys.world.at(now + 15, &client, 3);
  toys.world.at(now + 10, &client, 1);
  EXPECT_TRUE(toys.world.cancel(cancelled));
  EXPECT_FALSE(toys.world.cancel(cancelled));
  int calls = 0;
  toys.world.at(now + 30, [&] { ++calls; });
  toys.world.run_for(1us);
  EXPECT_EQ(client.timers, (std::vector<std::uint64_t>{1, 2}));
  EXPECT_EQ(calls, 1);
}

TEST(World, SituationsAreCountedAndTrigger) {
  Toys toys(2);
  ToyClient client;
  const StreamId stream = toys.dial(client, "n1");
  toys.world.when_reached("toy.committing", "n2", 1, [] { FAIL(); });
  toys.world.when_reached("toy.committing", "", 2, [&] { toys.world.crash("n1"); });
  toys.send(stream, "commit");
  toys.world.run_for(100ms);
  EXPECT_EQ(toys.world.node("n1").state(), ProcessState::running);
  toys.send(stream, "commit");
  toys.world.run_for(100ms);
  EXPECT_EQ(toys.world.node("n1").state(), ProcessState::down);
  EXPECT_EQ(toys.world.node("n1").disk().rows().size(), 1U);
  EXPECT_EQ(toys.world.count("toy.committing"), 2U);
  EXPECT_EQ(toys.world.count("toy.committing", "n2"), 0U);
}

TEST(World, TheLogIsARing) {
  Trace trace(2);
  trace.add(1'500'000, 1, "n1", {env::Level::debug, "not kept"});
  trace.add(1'500'000, 2, "n1", {env::Level::info, "one"});
  trace.add(16'204'113'999, 3, "n3", {env::Level::warn, "two"});
  trace.add(2'000'000'000, 4, "n2", {env::Level::error, "three"});
  EXPECT_EQ(trace.print(), "16.204113s  n3  warn   two\n2.000000s  n2  error  three\n");
}

TEST(World, BouncesAHundredThousandPings) {
  Toys toys(1);
  ToyClient client;
  client.world = &toys.world;
  client.left = 100'000;
  client.stream = toys.dial(client, "n1");
  toys.send(client.stream, "ping");
  toys.world.run_for(1h);
  EXPECT_EQ(client.left, 0);
  RecordProperty("events", std::to_string(toys.world.events()));
}

}  // namespace
}  // namespace hf::sim
