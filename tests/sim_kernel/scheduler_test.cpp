// The scheduler: order, cancellation, ties, speed of nothing.
#include "sim/kernel/scheduler.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "sim/kernel/draws.hpp"

namespace hf::sim {
namespace {

struct Recorder final : Actor {
  void act(std::uint32_t kind, std::uint64_t a, std::uint64_t b) override {
    seen.push_back(a);
    if (kind == 1 && scheduler != nullptr) scheduler->schedule(scheduler->now() - 5, *this, 0, b);
  }
  std::vector<std::uint64_t> seen;
  Scheduler* scheduler = nullptr;
};

TEST(Scheduler, RunsByTimeThenByInsertion) {
  Scheduler scheduler;
  Recorder recorder;
  scheduler.schedule(20, recorder, 0, 3);
  scheduler.schedule(10, recorder, 0, 1);
  scheduler.schedule(20, recorder, 0, 4);
  scheduler.schedule(10, recorder, 0, 2);
  scheduler.run_until(15);
  EXPECT_EQ(recorder.seen, (std::vector<std::uint64_t>{1, 2}));
  EXPECT_EQ(scheduler.now(), 15);
  scheduler.run_until(100);
  EXPECT_EQ(recorder.seen, (std::vector<std::uint64_t>{1, 2, 3, 4}));
  EXPECT_EQ(scheduler.events(), 4U);
  EXPECT_EQ(scheduler.pending(), 0U);
}

TEST(Scheduler, ThePastIsNow) {
  Scheduler scheduler;
  Recorder recorder;
  recorder.scheduler = &scheduler;
  scheduler.schedule(10, recorder, 1, 1, 7);
  scheduler.schedule(11, recorder, 0, 2);
  scheduler.run_until(10);
  EXPECT_EQ(recorder.seen, (std::vector<std::uint64_t>{1, 7}));
  EXPECT_EQ(scheduler.now(), 10);
}

TEST(Scheduler, StaleTicketsCancelNothing) {
  Scheduler scheduler;
  Recorder recorder;
  const Ticket first = scheduler.schedule(10, recorder, 0, 1);
  EXPECT_TRUE(scheduler.cancel(first));
  EXPECT_FALSE(scheduler.cancel(first));
  EXPECT_FALSE(scheduler.cancel(0));
  EXPECT_EQ(scheduler.pending(), 0U);
  EXPECT_FALSE(scheduler.next_at().has_value());
  const Ticket second = scheduler.schedule(20, recorder, 0, 2);
  EXPECT_FALSE(scheduler.cancel(first));
  EXPECT_EQ(scheduler.next_at(), 20);
  scheduler.run_until(30);
  EXPECT_FALSE(scheduler.cancel(second));
  EXPECT_EQ(recorder.seen, (std::vector<std::uint64_t>{2}));
}

TEST(Scheduler, AgreesWithANaiveTwin) {
  Scheduler scheduler;
  Recorder recorder;
  DrawSequence draws(7);
  std::multimap<VirtualTime, std::uint64_t> twin;  // keeps insertion order among equals
  std::vector<std::pair<Ticket, std::multimap<VirtualTime, std::uint64_t>::iterator>> live;
  for (std::uint64_t i = 0; i < 5000; ++i) {
    const auto at = draws.between(std::int64_t{0}, std::int64_t{300});
    live.emplace_back(scheduler.schedule(at, recorder, 0, i), twin.emplace(at, i));
    if (draws.chance(billion / 4)) {
      const std::size_t victim = draws.below(live.size());
      ASSERT_TRUE(scheduler.cancel(live[victim].first));
      twin.erase(live[victim].second);
      live.erase(live.begin() + static_cast<std::ptrdiff_t>(victim));
    }
  }
  EXPECT_EQ(scheduler.pending(), twin.size());
  scheduler.run_until(1000);
  std::vector<std::uint64_t> expected;
  for (const auto& [at, id] : twin) expected.push_back(id);
  EXPECT_EQ(recorder.seen, expected);
}

TEST(Scheduler, TiesCanBeShuffledBySeed) {
  const auto order = [](std::uint64_t seed) {
    Scheduler scheduler;
    scheduler.shuffle_ties(seed);
    Recorder recorder;
    for (std::uint64_t i = 0; i < 50; ++i) scheduler.schedule(5, recorder, 0, i);
    scheduler.run_until(5);
    return recorder.seen;
  };
  EXPECT_EQ(order(1), order(1));
  EXPECT_NE(order(1), order(2));
  EXPECT_NE(order(1), order(0));
  auto sorted = order(1);
  std::sort(sorted.begin(), sorted.end());
  EXPECT_EQ(sorted, order(0));
}

TEST(Scheduler, StopLeavesTheRest) {
  Scheduler scheduler;
  struct Stopper final : Actor {
    explicit Stopper(Scheduler& s) : scheduler(s) {}
    void act(std::uint32_t, std::uint64_t, std::uint64_t) override { scheduler.stop(); }
    Scheduler& scheduler;
  } stopper(scheduler);
  scheduler.schedule(5, stopper, 0);
  scheduler.schedule(6, stopper, 0);
  scheduler.run_until(10);
  EXPECT_EQ(scheduler.now(), 5);
  EXPECT_EQ(scheduler.pending(), 1U);
}

}  // namespace
}  // namespace hf::sim
