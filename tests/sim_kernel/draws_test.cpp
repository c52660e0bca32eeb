// Keyed draws: independent of each other, the same everywhere, rightly distributed.
#include "sim/kernel/draws.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace hf::sim {
namespace {

TEST(Draws, OneEntityDoesNotDisturbAnother) {
  Draws alone(42);
  Draws together(42);
  for (int i = 0; i < 100; ++i) {
    const auto expected = alone.of("jitter", "n1").bits();
    (void)together.of("jitter", "n2").bits();
    (void)together.of("loss", "n1").bits();
    EXPECT_EQ(together.of("jitter", "n1").bits(), expected);
  }
}

TEST(Draws, DifferByEachPartOfTheKey) {
  Draws draws(1);
  Draws other(2);
  EXPECT_NE(draws.value(1, 1, 0), draws.value(1, 1, 1));
  EXPECT_NE(draws.value(1, 1, 0), draws.value(1, 2, 0));
  EXPECT_NE(draws.value(1, 1, 0), draws.value(2, 1, 0));
  EXPECT_NE(draws.value(1, 1, 0), other.value(1, 1, 0));
}

TEST(Draws, AreTheSameOnEveryMachine) {
  Draws draws(1);
  EXPECT_EQ(draws.value(2, 3, 4), DrawSequence::value(mix64(mix64(mix64(1) ^ 2) ^ 3), 4));
  EXPECT_EQ(exponential(0x8000000000000000ULL, 1s).count(), 693147122);  // ln 2, to 24 bits
}

TEST(Draws, LogarithmIsCloseEnough) {
  DrawSequence draws(9);
  for (int i = 0; i < 20000; ++i) {
    const auto zeros = draws.below(40);
    const std::uint64_t n = (draws.bits() >> zeros) | 1U;
    const double expected = -std::log(std::ldexp(static_cast<double>(n), -64));
    const double got = std::ldexp(static_cast<double>(minus_log_q24(n)), -24);
    ASSERT_NEAR(got, expected, 4e-6) << n;
  }
  EXPECT_EQ(minus_log_q24(0), minus_log_q24(1));
  EXPECT_LE(minus_log_q24(UINT64_MAX), 1U);
}

TEST(Draws, ExponentialHasItsMeanAndItsLimit) {
  DrawSequence draws(3);
  std::int64_t sum = 0;
  for (int i = 0; i < 100'000; ++i) {
    const auto drawn = draws.exponential(10ms, 1s);
    ASSERT_GE(drawn.count(), 0);
    ASSERT_LE(drawn, 1s);
    sum += drawn.count();
  }
  EXPECT_NEAR(static_cast<double>(sum) / 1e5, 1e7, 1e5);
  EXPECT_EQ(exponential(0, 1h, 2h), 2h);
  EXPECT_GT(exponential(0, 1000h), 40000h);
}

TEST(Draws, ChanceAndBetweenKeepTheirRange) {
  DrawSequence draws(4);
  int hits = 0;
  bool low = false;
  bool high = false;
  for (int i = 0; i < 100'000; ++i) {
    hits += draws.chance(billion / 10) ? 1 : 0;
    const auto drawn = draws.between(std::int64_t{-3}, std::int64_t{3});
    ASSERT_TRUE(drawn >= -3 && drawn <= 3);
    low = low || drawn == -3;
    high = high || drawn == 3;
  }
  EXPECT_NEAR(hits, 10'000, 400);
  EXPECT_TRUE(low && high);
  EXPECT_FALSE(draws.chance(0));
  EXPECT_TRUE(draws.chance(billion));
  (void)draws.between(INT64_MIN, INT64_MAX);
}

}  // namespace
}  // namespace hf::sim
