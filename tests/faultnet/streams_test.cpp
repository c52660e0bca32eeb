// Streams on wires that work: order, time, windows, endings.
#include "tests/faultnet/bench_net.hpp"

namespace hf::faultnet {
namespace {

TEST(Streams, ConnectTakesOneRoundTrip) {
  BenchNet bench;
  const End end = bench.net.dial(bench.a, bench.b);
  bench.run(Duration(1'999'999));
  EXPECT_FALSE(bench.seen[end].connected);
  EXPECT_TRUE(bench.seen[bench.last_accepted].accepted);
  bench.run(Duration(1));
  EXPECT_TRUE(bench.seen[end].connected);
  EXPECT_EQ(bench.net.remote(end), bench.b);
}

TEST(Streams, EarlyBytesWaitForTheConnection) {
  BenchNet bench;
  const End end = bench.net.dial(bench.a, bench.b);
  bench.send(end, "early");
  bench.net.close(end, true);
  bench.run(10ms);
  EXPECT_EQ(bench.seen[bench.last_accepted].bytes, "early");
  EXPECT_EQ(bench.seen[bench.last_accepted].endings, std::vector{Ending::ended});
  EXPECT_FALSE(bench.seen[end].connected);
  bench.run(6s);
  EXPECT_EQ(bench.net.open_connections(), 0U);
}

TEST(Streams, JitterAndLossNeverReorder) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    BenchNet bench(seed);
    bench.scheduler.shuffle_ties(seed);
    Wire wire;
    wire.latency = 1ms;
    wire.jitter = 50ms;
    wire.loss = 100'000'000;
    wire.slice = 7;
    bench.net.set_wire(bench.a, bench.b, wire);
    const End end = bench.net.dial(bench.a, bench.b);
    bench.run(1s);
    std::string expected;
    for (int i = 0; i < 200; ++i) {
      const std::string text = "message " + std::to_string(i) + ";";
      expected += text;
      bench.send(end, text);
      bench.run(1ms);
    }
    bench.run(300s);
    EXPECT_EQ(bench.seen[bench.last_accepted].bytes, expected);
    EXPECT_GT(bench.net.counters().stalls, 0U);
  }
}

TEST(Streams, LossCostsARetransmissionTimeOut) {
  BenchNet bench;
  const auto [near, far] = bench.join(bench.a, bench.b);
  Wire wire;
  wire.latency = 1ms;
  wire.loss = 500'000'000;
  bench.net.set_wire(bench.a, bench.b, wire);
  for (int i = 0; i < 50; ++i) {
    const Time sent = bench.now();
    bench.send(near, "x");
    bench.run(100s);
    const Time took = bench.seen[far].arrivals.back() - sent - 1'000'000;
    const Time unit = retransmit_first.count();
    EXPECT_TRUE(took == 0 || (took % unit == 0 && ((took / unit) & (took / unit + 1)) == 0)) << took;
  }
  EXPECT_GT(bench.net.counters().stalls, 5U);
}

TEST(Streams, BandwidthSerializesAndIsShared) {
  BenchNet bench;
  Wire wire;
  wire.latency = 1ms;
  wire.bandwidth = 8'000'000;  // a byte a microsecond
  const auto [one, one_far] = bench.join(bench.a, bench.b);
  const auto [two, two_far] = bench.join(bench.a, bench.b);
  bench.net.set_wire(bench.a, bench.b, wire);
  const Time start = bench.now();
  bench.send(one, std::string(10'000, 'x'));
  bench.send(two, std::string(10'000, 'y'));
  bench.run(1s);
  EXPECT_EQ(bench.seen[one_far].arrivals.back() - start, 11'000'000);
  EXPECT_EQ(bench.seen[two_far].arrivals.back() - start, 21'000'000);
}

TEST(Streams, APausedReaderHoldsTheSenderBack) {
  BenchNet bench;
  const auto [near, far] = bench.join(bench.a, bench.b);
  bench.net.pause_reading(far, true);
  bench.send(near, std::string(1'000'000, 'x'));
  bench.run(100s);
  EXPECT_EQ(bench.seen[far].bytes.size(), 0U);
  EXPECT_EQ(bench.net.unsent(near), 1'000'000 - window);
  EXPECT_EQ(bench.seen[near].writable, 0);
  bench.net.pause_reading(far, false);
  bench.run(1s);
  EXPECT_EQ(bench.seen[far].bytes.size(), 1'000'000U);
  EXPECT_EQ(bench.net.unsent(near), 0U);
  EXPECT_EQ(bench.seen[near].writable, 1);
}

TEST(Streams, PausingInsideADeliveryHolds) {
  BenchNet bench;
  const auto [near, far] = bench.join(bench.a, bench.b);
  bench.on_arrived = [&](End end) { bench.net.pause_reading(end, true); };
  bench.net.send(near, Bytes("one"));
  bench.net.send(near, Bytes("two"));
  bench.run(1s);
  EXPECT_EQ(bench.seen[far].bytes, "one");
  bench.net.pause_reading(far, false);
  bench.run(1s);
  EXPECT_EQ(bench.seen[far].bytes, "onetwo");
}

TEST(Streams, FinComesBehindTheBytesAndResetDropsThem) {
  BenchNet bench;
  const auto [one, one_far] = bench.join(bench.a, bench.b);
  bench.send(one, std::string(600'000, 'x'));
  bench.net.close(one, true);
  bench.run(1s);
  EXPECT_EQ(bench.seen[one_far].bytes.size(), 600'000U);
  EXPECT_EQ(bench.seen[one_far].endings, std::vector{Ending::ended});
  const auto [two, two_far] = bench.join(bench.a, bench.b);
  bench.send(two, std::string(600'000, 'x'));
  bench.net.close(two, false);
  bench.run(1s);
  EXPECT_EQ(bench.seen[two_far].bytes.size(), window);
  EXPECT_EQ(bench.seen[two_far].endings, std::vector{Ending::reset});
  bench.run(10s);
  EXPECT_EQ(bench.net.open_connections(), 0U);
}

TEST(Streams, AnOrderlyCloseThatTakesTooLongIsReset) {
  BenchNet bench;
  const auto [near, far] = bench.join(bench.a, bench.b);
  bench.net.pause_reading(far, true);
  bench.send(near, std::string(600'000, 'x'));
  bench.net.close(near, true);
  bench.run(4s);
  EXPECT_TRUE(bench.seen[far].endings.empty());
  bench.run(2s);
  EXPECT_EQ(bench.seen[far].endings, std::vector{Ending::reset});
}

TEST(Streams, CorruptionFlipsOneBit) {
  BenchNet bench;
  const auto [near, far] = bench.join(bench.a, bench.b);
  Wire wire;
  wire.corrupt = 1'000'000'000;
  bench.net.set_wire(bench.a, bench.b, wire);
  const std::string text(500, 'x');
  bench.net.send(near, Bytes(text));
  bench.net.send(near, Bytes(text));
  bench.run(1s);
  const std::string& got = bench.seen[far].bytes;
  ASSERT_EQ(got.size(), 1000U);
  int changed = 0;
  for (const char letter : got) changed += letter != 'x' ? 1 : 0;
  EXPECT_EQ(changed, 1);
}

TEST(Streams, DefaultsDifferByKindAndPairsOverride) {
  BenchNet bench;
  EXPECT_EQ(bench.net.wire(bench.a, bench.b).latency, Duration(1ms));
  EXPECT_EQ(bench.net.wire(bench.c, bench.b).latency, Duration(10ms));
  Wire wire;
  wire.latency = 77ms;
  bench.net.set_wire(bench.c, bench.b, wire);
  EXPECT_EQ(bench.net.wire(bench.c, bench.b).latency, Duration(77ms));
  EXPECT_EQ(bench.net.wire(bench.b, bench.c).latency, Duration(10ms));
  bench.net.clear_wire(bench.c, bench.b);
  EXPECT_EQ(bench.net.wire(bench.c, bench.b).latency, Duration(10ms));
}

}  // namespace
}  // namespace hf::faultnet
