// Lines that repeat: a few of a kind in a while are written, the rest are counted.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "broker/base/time.hpp"

namespace hf::app {

/// Two lines are of one kind if they differ in words with digits in them only: addresses, ports, numbers. The table is of
/// a fixed size; kinds that fall on the same place share it.
class LogFlood {
 public:
  static constexpr std::uint32_t lines_max = 20;
  static constexpr Duration window = 10s;

  struct Verdict {
    bool write = false;
    std::uint64_t held_back = 0;  ///< lines of this place since the last one written
  };
  Verdict judge(std::string_view text, Instant now);

  /// The words without digits, in a hash.
  static std::uint64_t kind_of(std::string_view text);

 private:
  struct Place {
    std::optional<Instant> began;
    std::uint32_t written = 0;
    std::uint64_t held_back = 0;
  };
  std::array<Place, 256> places_{};
};

}  // namespace hf::app
