// Draws from the distributions a scenario can name; integers only.
#include "sim/scenario/draw.hpp"

#include <algorithm>

namespace hf::sim {

std::int64_t Drawn::draw(DrawSequence& draws) const {
  const std::uint64_t bits = draws.bits();
  switch (kind) {
    case Kind::fixed:
      return a;
    case Kind::uniform: {
      const auto span = static_cast<std::uint64_t>(b) - static_cast<std::uint64_t>(a) + 1;
      return a + static_cast<std::int64_t>(span == 0 ? bits : bits % span);
    }
    case Kind::exponential:
      return exponential(bits, Duration(a), b == 0 ? Duration::max() : Duration(b)).count();
    case Kind::one_of:
      return values[bits % values.size()];
    case Kind::chance:
      return bits % billion < chance_ppb ? a : b;
  }
  return a;
}

std::int64_t Drawn::most() const {
  switch (kind) {
    case Kind::fixed:
      return a;
    case Kind::uniform:
    case Kind::chance:
      return std::max(a, b);
    case Kind::exponential:
      return b == 0 ? a * 16 : b;
    case Kind::one_of:
      return *std::max_element(values.begin(), values.end());
  }
  return a;
}

}  // namespace hf::sim
