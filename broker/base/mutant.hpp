// Seeded bugs by name: what the simulator's checks must catch. holdfastd has no switch for them.
#pragma once

#include <string>
#include <string_view>

namespace hf {

/// The seeded bug in force, or none. The names are those of `holdfast-sim run --mutant NAME`.
struct Mutant {
  std::string name;
  [[nodiscard]] bool is(std::string_view other) const { return !name.empty() && name == other; }
};

}  // namespace hf
