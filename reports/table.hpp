// A run's result as text for a terminal.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/scenario/run.hpp"

namespace hf::reports {

/// The verdict table, the facts, the digest. `wall_ns`: real time the run took.
std::string verdict_table(const sim::RunResult& result);
std::string fact_table(const sim::RunResult& result, std::int64_t wall_ns);
std::string digest_line(std::uint64_t digest);
/// The first violation of each violated guarantee, told as a story.
std::string stories(const sim::RunResult& result);

/// What is left of a run when many are summed up.
struct SeedResult {
  std::uint64_t seed = 0;
  int status = 0;
  std::uint64_t digest = 0, events = 0;
  std::int64_t virtual_ns = 0, wall_ns = 0;
  std::vector<sim::Verdict> verdicts;  ///< without violations
  std::string story;                   ///< empty when held
};

std::string seeds_table(const std::vector<SeedResult>& results);

}  // namespace hf::reports
