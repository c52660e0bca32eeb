// A value that is drawn: when the scenario is resolved, or each time it is needed.
#pragma once

#include <cstdint>
#include <vector>

#include "sim/kernel/draws.hpp"

namespace hf::sim {

/// A distribution over integers (times in nanoseconds, drift in ppm). Fixed when kind is `fixed`.
struct Drawn {
  enum class Kind : std::uint8_t { fixed, uniform, exponential, one_of, chance } kind = Kind::fixed;
  std::int64_t a = 0;            ///< fixed: the value; uniform: the low end; exponential: the mean
  std::int64_t b = 0;            ///< uniform: the high end; exponential: the most, 0 is no limit
  std::uint32_t chance_ppb = 0;  ///< chance: parts per billion of a; else b
  std::vector<std::int64_t> values;  ///< one_of

  static Drawn fixed(std::int64_t value) {
    Drawn drawn;
    drawn.a = value;
    return drawn;
  }
  /// Takes one number from `draws` even when fixed, so that editing a value shifts no other draw.
  [[nodiscard]] std::int64_t draw(DrawSequence& draws) const;
  /// The largest value there can be, as far as it is bounded (exponential: sixteen means).
  [[nodiscard]] std::int64_t most() const;
};

}  // namespace hf::sim
