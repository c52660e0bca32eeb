// Each seeded bug under the standard campaign: how often it is caught, how soon, and by which check.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "reports/table.hpp"

namespace hf::app {

/// The bounds of a 95 % interval of a rate (Wilson): `caught` of `runs`.
struct Interval {
  double low = 0, high = 1;
};
[[nodiscard]] Interval wilson(std::uint64_t caught, std::uint64_t runs);

/// What became of one mutant.
struct Score {
  std::string mutant;
  std::uint64_t runs = 0, caught = 0;
  std::string first_scenario;        ///< empty: never caught
  std::uint64_t first_seed = 0;
  std::int64_t ns_to_first = 0;      ///< CPU of all runs up to and with the first that caught it
  std::string checks;                ///< ids of the guarantees that caught it, and how many runs each
};

/// Runs one seed of a scenario file under a mutant.
using RunOne = std::function<reports::SeedResult(const std::string& file, std::uint64_t seed, const std::string& mutant)>;

/// `file` 1 seed 1, `file` 2 seed 1, …, `file` 1 seed 2, …
[[nodiscard]] Score score(std::string mutant, const std::vector<std::string>& files, std::uint64_t seeds, const RunOne& run);

/// A line of a Markdown table, and its head. Zero of K is "below 3/K".
[[nodiscard]] std::string head();
[[nodiscard]] std::string line(const Score& score);

}  // namespace hf::app
