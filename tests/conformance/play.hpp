// Plays one case on a bench.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "tests/conformance/bench.hpp"

namespace hf::conformance {

struct Case {
  std::string name;
  std::string file;
  std::vector<int> levels;
  std::map<std::string, std::string> config;  ///< settings of holdfastd
  std::vector<std::string> steps;
  std::vector<std::string> shows4, shows5;    ///< statements of 3.1.1 and of 5.0
};

/// All cases of a folder, by file and in order. Throws std::invalid_argument on what is no case.
std::vector<Case> read_cases(const std::string& folder);

/// What went wrong, or nothing. `key` is different for each play on the same bench: client ids and topics hang on it.
std::string play(const Case& one, int level, const std::string& key, Bench& bench);

}  // namespace hf::conformance
