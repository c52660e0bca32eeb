// Many seeds, in processes of their own.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "reports/table.hpp"

namespace hf::app {

struct Batch {
  std::uint64_t first = 1, last = 1;
  unsigned jobs = 1;
  bool keep_going = false;  ///< go on after a violation
};

/// Calls `one` for each seed in child processes, and `progress` in this one after each result.
/// Results come back by seed. A child that dies is a result with status 1 and a story that says so.
std::vector<reports::SeedResult> run_batch(
    const Batch& batch, const std::function<reports::SeedResult(std::uint64_t seed)>& one,
    const std::function<void(std::size_t done, std::size_t violated)>& progress);

}  // namespace hf::app
