// The seeded bugs that `holdfast-sim run --mutant NAME` knows, and who is to catch them.
#pragma once

#include <string_view>
#include <vector>

namespace hf::sim {

struct MutantRow {
  std::string_view name;       ///< as node code asks: config.mutant.is("…")
  std::string_view guarantee;  ///< the verdict expected to catch it
  std::string_view text;
};

const std::vector<MutantRow>& mutants();

}  // namespace hf::sim
