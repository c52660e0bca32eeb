// Every case of cases/ and hostile/, against nodes in the simulator: one alone, and three with the case's connections spread.
#include <cstdlib>
#include <iostream>
#include <set>

#include <gtest/gtest.h>

#include "tests/conformance/play.hpp"
#include "tests/conformance/sim_bench.hpp"

namespace hf::conformance {
namespace {

constexpr const char* cases = HF_SOURCE_DIR "/tests/conformance/cases";
constexpr const char* hostile = HF_BINARY_DIR "/tests/conformance/hostile";  // hostile.py writes them

/// HF_CASE=TEXT plays only the cases whose names contain it.
bool wanted(const Case& one) {
  const char* only = std::getenv("HF_CASE");
  return only == nullptr || one.name.find(only) != std::string::npos;
}

void play_all(const std::string& folder, std::size_t nodes) {
  std::size_t plays = 0;
  std::size_t failed = 0;
  for (const Case& one : read_cases(folder)) {
    if (!wanted(one)) continue;
    for (const int level : one.levels) {
      SimBench bench(static_cast<int>(nodes), one.config);
      const std::string failure = play(one, level, "k" + std::to_string(++plays), bench);
      EXPECT_EQ(failure, "") << nodes << " node(s)";
      for (std::size_t node = 0; node < nodes; ++node) EXPECT_TRUE(bench.alive(node)) << one.name;
      if (!failure.empty()) ++failed;
    }
  }
  EXPECT_GT(plays, 0U);
  std::cout << plays << " plays on " << nodes << " node(s), " << failed << " failed\n";
}

TEST(Conformance, cases_have_names_of_their_own) {
  std::set<std::string> names;
  for (const char* folder : {cases, hostile})
    for (const Case& one : read_cases(folder)) {
      EXPECT_TRUE(names.insert(one.name).second) << one.name << " is there twice";
      EXPECT_FALSE(one.steps.empty()) << one.name;
    }
}

TEST(Conformance, on_one_node) { play_all(cases, 1); }
TEST(Conformance, across_three_nodes) { play_all(cases, 3); }

TEST(HostileInput, is_answered_or_closed) {
  EXPECT_EQ(read_cases(hostile).size(), 1429U);  // as README.md says
  play_all(hostile, 1);
}

}  // namespace
}  // namespace hf::conformance
