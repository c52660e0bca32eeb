// Streams on wires that fail: cuts, dead and frozen hosts, clogs, resets.
#include "tests/faultnet/bench_net.hpp"

namespace hf::faultnet {
namespace {

TEST(Faults, WhatWasCutIsDeliveredAfterTheHeal) {
  BenchNet bench;
  const auto [near, far] = bench.join(bench.a, bench.b);
  bench.send(near, "in flight");
  bench.net.block(bench.a, bench.b, true);
  bench.run(1s);
  bench.send(near, ", sent while cut");
  bench.run(1s);
  EXPECT_EQ(bench.seen[far].bytes, "");
  bench.net.block(bench.a, bench.b, false);
  bench.run(3s);
  EXPECT_EQ(bench.seen[far].bytes, "in flight, sent while cut");
  EXPECT_TRUE(bench.seen[near].endings.empty());
}

TEST(Faults, ALongCutResetsTheSenderAndThenTheOther) {
  BenchNet bench;
  const auto [near, far] = bench.join(bench.a, bench.b);
  bench.net.block(bench.a, bench.b, true);
  bench.net.block(bench.b, bench.a, true);
  bench.send(near, "never seen");
  bench.run(14s);
  EXPECT_TRUE(bench.seen[near].endings.empty());
  bench.run(2s);
  EXPECT_EQ(bench.seen[near].endings, std::vector{Ending::reset});
  EXPECT_TRUE(bench.seen[far].endings.empty());  // half-open
  bench.net.block(bench.a, bench.b, false);
  bench.net.block(bench.b, bench.a, false);
  bench.run(60s);
  EXPECT_TRUE(bench.seen[far].endings.empty());
  bench.send(far, "anyone?");
  bench.run(1s);
  EXPECT_EQ(bench.seen[far].endings, std::vector{Ending::reset});
  EXPECT_EQ(bench.seen[far].bytes, "");
  EXPECT_EQ(bench.net.open_connections(), 0U);
}

TEST(Faults, AOneWayCutStarvesAcknowledgements) {
  BenchNet bench;
  const auto [near, far] = bench.join(bench.a, bench.b);
  bench.net.block(bench.b, bench.a, true);
  bench.send(near, std::string(600'000, 'x'));
  bench.run(5s);
  EXPECT_EQ(bench.seen[far].bytes.size(), window);  // delivered, never acknowledged
  EXPECT_TRUE(bench.seen[near].endings.empty());
  bench.net.block(bench.b, bench.a, false);
  bench.run(10s);
  EXPECT_EQ(bench.seen[far].bytes.size(), 600'000U);
  bench.net.block(bench.b, bench.a, true);
  bench.send(near, "y");
  bench.run(16s);
  EXPECT_EQ(bench.seen[near].endings, std::vector{Ending::reset});
}

TEST(Faults, ADeadProcessResetsAndRefuses) {
  BenchNet bench;
  const auto [near, far] = bench.join(bench.a, bench.b);
  bench.net.set_state(bench.b, HostState::closed);
  bench.run(10ms);
  EXPECT_EQ(bench.seen[near].endings, std::vector{Ending::reset});
  EXPECT_TRUE(bench.seen[far].endings.empty());
  const End again = bench.net.dial(bench.a, bench.b);
  bench.run(2ms);
  EXPECT_EQ(bench.seen[again].endings, std::vector{Ending::refused});
  EXPECT_EQ(bench.net.open_connections(), 0U);
}

TEST(Faults, ASilentHostLeavesHalfOpenStreams) {
  BenchNet bench;
  const auto [near, far] = bench.join(bench.a, bench.b);
  bench.net.set_state(bench.b, HostState::silent);
  bench.run(100s);
  EXPECT_TRUE(bench.seen[near].endings.empty());
  const End again = bench.net.dial(bench.a, bench.b);
  bench.run(14s);
  EXPECT_TRUE(bench.seen[again].endings.empty());
  bench.run(2s);
  EXPECT_EQ(bench.seen[again].endings, std::vector{Ending::failed});
  bench.net.set_state(bench.b, HostState::up);
  bench.send(near, "still there?");
  bench.run(10ms);
  EXPECT_EQ(bench.seen[near].endings, std::vector{Ending::reset});
  EXPECT_EQ(bench.seen[far].bytes, "");
}

TEST(Faults, ADialOutlivesAShortCut) {
  BenchNet bench;
  bench.net.block(bench.a, bench.b, true);
  const End end = bench.net.dial(bench.a, bench.b);
  bench.run(2s);
  bench.net.block(bench.a, bench.b, false);
  bench.run(2s);
  EXPECT_TRUE(bench.seen[end].connected);
}

TEST(Faults, AFrozenHostFillsItsWindow) {
  BenchNet bench;
  const auto [near, far] = bench.join(bench.a, bench.b);
  bench.net.freeze(bench.b, true);
  bench.send(near, std::string(500'000, 'x'));
  const End other = bench.net.dial(bench.a, bench.b);
  bench.run(60s);
  EXPECT_TRUE(bench.seen[other].connected);  // the kernel answers
  EXPECT_EQ(bench.seen[far].bytes, "");
  EXPECT_EQ(bench.net.unsent(near), 500'000 - window);
  bench.net.freeze(bench.b, false);
  bench.run(1s);
  EXPECT_EQ(bench.seen[far].bytes.size(), 500'000U);
}

TEST(Faults, AClogHoldsWithoutTimeOut) {
  BenchNet bench;
  const auto [near, far] = bench.join(bench.a, bench.b);
  bench.net.clog(bench.a, bench.b, true);
  bench.send(near, "held");
  bench.run(100s);
  EXPECT_EQ(bench.seen[far].bytes, "");
  bench.net.clog(bench.a, bench.b, false);
  bench.run(1ms);
  EXPECT_EQ(bench.seen[far].bytes, "held");
}

TEST(Faults, ResetEndsBothEndsOfEveryStream) {
  BenchNet bench;
  const auto [one, one_far] = bench.join(bench.a, bench.b);
  const auto [two, two_far] = bench.join(bench.b, bench.a);
  const auto [other, other_far] = bench.join(bench.c, bench.b);
  bench.net.reset(bench.a, bench.b);
  for (const End end : {one, one_far, two, two_far}) {
    EXPECT_EQ(bench.seen[end].endings, std::vector{Ending::reset});
    EXPECT_FALSE(bench.net.open(end));
  }
  EXPECT_TRUE(bench.net.open(other));
  EXPECT_TRUE(bench.net.open(other_far));
}

TEST(Faults, ARuleCutsOldAndNewLinks) {
  BenchNet bench;
  const auto [near, far] = bench.join(bench.a, bench.b);
  bench.net.set_reach([&](HostId from, HostId) { return from == bench.b; });
  EXPECT_TRUE(bench.net.blocked(bench.a, bench.b));
  EXPECT_FALSE(bench.net.blocked(bench.b, bench.a));
  EXPECT_TRUE(bench.net.blocked(bench.c, bench.b));
  bench.send(near, "x");
  bench.run(1s);
  EXPECT_EQ(bench.seen[far].bytes, "");
  bench.net.set_reach({});
  bench.run(1s);
  EXPECT_EQ(bench.seen[far].bytes, "x");
}

TEST(Faults, TheSameSeedIsTheSameRun) {
  const auto arrivals = [](std::uint64_t seed) {
    BenchNet bench(seed);
    Wire wire;
    wire.jitter = 10ms;
    wire.loss = 50'000'000;
    bench.net.set_wire(bench.a, bench.b, wire);
    const End end = bench.net.dial(bench.a, bench.b);
    bench.run(5s);
    for (int i = 0; i < 100; ++i) {
      bench.send(end, "x");
      bench.run(3ms);
    }
    bench.run(60s);
    return bench.seen[bench.last_accepted].arrivals;
  };
  EXPECT_EQ(arrivals(1), arrivals(1));
  EXPECT_NE(arrivals(1), arrivals(2));
}

}  // namespace
}  // namespace hf::faultnet
