// Processes: clocks, deadlines, crashes, pauses, deaths.
#include "tests/sim_world/toy_node.hpp"

namespace hf::sim {
namespace {

using Kind = Event::Kind;

TEST(MachineClock, DriftsAndIsInvertible) {
  for (const std::int64_t ppm : {-900'000L, -100L, -1L, 0L, 1L, 77L, 100'000L}) {
    MachineClock clock;
    clock.set_drift(12'345, ppm);
    for (const std::int64_t local : {0L, 12'345L, 12'346L, 999'999'999L, 86'400'000'000'000L}) {
      const VirtualTime at = clock.virtual_of(local);
      EXPECT_GE(clock.local(at), local);
      if (at > 12'345) { EXPECT_LT(clock.local(at - 1), local); }
    }
  }
  MachineClock clock;
  clock.set_drift(0, 100);
  EXPECT_EQ(clock.local(10'000'000'000), 10'001'000'000);
  clock.set_skew(-5'000'000);
  EXPECT_EQ(clock.wall_ms(0), 1'699'999'999'995U);
}

TEST(Process, DeadlinesArriveOnTimeByItsOwnClock) {
  Toys toys(1);
  toys.world.set_drift("n1", 100'000);
  ToyNode& toy = toys.toy("n1");
  toy.wanted = toy.env.now() + 11s;
  ToyClient client;
  toys.dial(client, "n1");  // a turn: the deadline is asked for
  const VirtualTime start = toys.world.now();
  toys.world.run_for(9s);
  EXPECT_EQ(toy.alarms, 0);
  toys.world.run_for(1s);
  EXPECT_EQ(toy.alarms, 1);
  EXPECT_GE(toys.world.now(), start);
}

TEST(Process, AnIdleNodeCostsNothing) {
  Toys toys(3);
  const auto before = toys.world.events();
  toys.world.run_for(1h);
  EXPECT_EQ(toys.world.events(), before);
  toys.toy("n1").every = 1s;
  toys.toy("n1").wanted = toys.toy("n1").env.now();
  ToyClient client;
  toys.dial(client, "n1");
  const auto alarms = toys.toy("n1").alarms;
  const auto events = toys.world.events();
  toys.world.run_for(100s);
  EXPECT_EQ(toys.toy("n1").alarms - alarms, 100);
  EXPECT_EQ(toys.world.events() - events, 100U);
}

TEST(Process, ACrashLosesWhatWasNotSynced) {
  Toys toys(1);
  toys.world.node("n1").disk().options.fsync = 5ms;
  ToyClient client;
  const StreamId stream = toys.dial(client, "n1");
  toys.send(stream, "commit");
  toys.world.run_for(50ms);
  toys.send(stream, "commit");
  toys.world.run_for(2ms);
  ASSERT_EQ(toys.toy("n1").last_commit, 2U);
  toys.world.crash("n1");
  toys.world.run_for(1s);
  EXPECT_EQ(toys.world.node("n1").handler(), nullptr);
  EXPECT_TRUE(client.closed.empty());  // half-open
  toys.world.restart("n1");
  toys.world.run_for(1s);
  EXPECT_EQ(toys.toy("n1").rows, (std::vector<env::Row>{{"row1", "value"}}));
  EXPECT_EQ(toys.world.node("n1").boot(), 2U);
  EXPECT_LE(toys.toy("n1").env.now(), at(1s));
  toys.send(stream, "hello?");
  toys.world.run_for(1s);
  EXPECT_EQ(client.closed, std::vector{env::CloseReason::reset});
  EXPECT_EQ(toys.kinds(), (std::vector{Kind::node_crashed, Kind::node_restarted}));
}

TEST(Process, AKillResetsAndAWipeForgets) {
  Toys toys(1);
  ToyClient client;
  const StreamId stream = toys.dial(client, "n1");
  toys.send(stream, "commit");
  toys.world.run_for(50ms);
  toys.world.crash("n1", CrashMode::keep);
  toys.world.run_for(50ms);
  EXPECT_EQ(client.closed, std::vector{env::CloseReason::reset});
  ToyClient other;
  toys.world.dial_as_client("c2", "n1", &other);
  toys.world.run_for(50ms);
  EXPECT_EQ(other.closed, std::vector{env::CloseReason::refused});
  toys.world.wipe("n1");
  toys.world.restart("n1");
  toys.world.run_for(50ms);
  EXPECT_TRUE(toys.toy("n1").rows.empty());
  EXPECT_EQ(toys.kinds(), (std::vector{Kind::node_crashed, Kind::node_wiped, Kind::node_restarted}));
}

TEST(Process, APausedOneGetsEverythingLater) {
  Toys toys(1);
  ToyClient client;
  const StreamId stream = toys.dial(client, "n1");
  ToyNode& toy = toys.toy("n1");
  toys.send(stream, "commit");
  toys.world.run_for(1ms);
  toy.wanted = toy.env.now() + 1s;
  toys.world.pause("n1");
  const int turns = toy.turns;
  toys.send(stream, "while paused");
  ToyClient other;
  toys.dial(other, "n1", "c2");
  toys.world.reset(other.stream);
  toys.world.run_for(10s);
  EXPECT_EQ(toy.turns, turns);
  EXPECT_TRUE(client.closed.empty());
  const Instant paused_at = toy.env.now();
  toys.world.resume("n1");
  toys.world.run_for(10ms);
  EXPECT_EQ(toy.got[stream | 1U], "commitwhile paused");
  EXPECT_EQ(toy.commits, std::vector{env::CommitStatus::done});
  EXPECT_EQ(toy.closed.size(), 1U);
  EXPECT_EQ(toy.alarms, 1);
  EXPECT_GE(paused_at, at(11s));
  EXPECT_EQ(toys.kinds(), (std::vector{Kind::node_paused, Kind::node_resumed}));
}

TEST(Process, DyingTakesTheProcessDown) {
  Toys toys(1);
  ToyClient client;
  const StreamId stream = toys.dial(client, "n1");
  toys.send(stream, "die");
  toys.world.run_for(50ms);
  EXPECT_EQ(toys.world.node("n1").state(), ProcessState::down);
  EXPECT_EQ(client.got, "");
  EXPECT_EQ(client.closed, std::vector{env::CloseReason::reset});
  ASSERT_EQ(toys.history.events.size(), 1U);
  EXPECT_EQ(toys.history.events[0].text, "died: asked to");
}

TEST(Process, StoppingIsOrderly) {
  Toys toys(1);
  toys.world.stop("n1");
  EXPECT_EQ(toys.world.node("n1").state(), ProcessState::down);
  EXPECT_EQ(toys.history.events.at(0).text, "stopped");
}

TEST(Process, ChanceDiffersByNodeAndBoot) {
  Toys toys(2);
  const auto first = toys.toy("n1").env.random();
  EXPECT_NE(first, toys.toy("n2").env.random());
  toys.world.crash("n1");
  toys.world.restart("n1");
  EXPECT_NE(first, toys.toy("n1").env.random());
}

TEST(Process, WhatGoesDownIsShownFirst) {
  Toys toys(2);
  std::vector<const env::Handler*> shown;
  toys.world.set_on_down([&](const env::Handler& handler) { shown.push_back(&handler); });
  const env::Handler* first = &toys.toy("n1");
  toys.world.crash("n1");
  toys.world.crash("n1");
  EXPECT_EQ(shown, std::vector{first}) << "it was down already";
  toys.world.restart("n1");
  toys.world.run_for(10ms);
  toys.world.stop("n1");
  toys.world.run_for(10ms);
  EXPECT_EQ(shown.size(), 2U);
}

}  // namespace
}  // namespace hf::sim
