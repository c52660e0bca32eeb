// The scoreboard's arithmetic: intervals, the first catch, zero of K.
#include "sim/app/scoreboard.hpp"

#include <gtest/gtest.h>

namespace hf::app {
namespace {

TEST(Scoreboard, interval_is_that_of_wilson) {
  const Interval half = wilson(10, 20);  // 0.2993, 0.7007: Newcombe, Statistics in Medicine 17 (1998)
  EXPECT_NEAR(half.low, 0.2993, 0.0005);
  EXPECT_NEAR(half.high, 0.7007, 0.0005);
  EXPECT_EQ(wilson(0, 20).low, 0);
  EXPECT_NEAR(wilson(0, 20).high, 0.1611, 0.0005);
  EXPECT_EQ(wilson(20, 20).high, 1);
}

reports::SeedResult caught_from_seed(std::uint64_t first, const std::string& file, std::uint64_t seed) {
  reports::SeedResult result;
  result.seed = seed;
  result.wall_ns = 2'000'000'000;
  sim::Verdict verdict;
  verdict.id = "G2";
  verdict.violated = file == "b.json" && seed >= first ? 3 : 0;
  result.verdicts.push_back(verdict);
  return result;
}

TEST(Scoreboard, counts_runs_and_the_first_that_caught_it) {
  const Score one = score("m", {"a.json", "x/b.json"}, 4, [](const std::string& file, std::uint64_t seed, const std::string&) {
    return caught_from_seed(3, file.substr(file.find('/') + 1), seed);
  });
  EXPECT_EQ(one.runs, 8U);
  EXPECT_EQ(one.caught, 2U);
  EXPECT_EQ(line(one), "| m | 2 of 8 | 7..59 % | b.json 3 | 12.0 | G2 2 |\n");
}

TEST(Scoreboard, zero_is_below_three_in_k) {
  const Score none = score("m", {"a.json"}, 5, [](const std::string& file, std::uint64_t seed, const std::string&) {
    return caught_from_seed(1, file, seed);
  });
  EXPECT_EQ(line(none), "| m | 0 of 5 | below 3/5 | - | - | - |\n");
}

}  // namespace
}  // namespace hf::app
