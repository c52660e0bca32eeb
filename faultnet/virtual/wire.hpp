// What a wire is like, one way: the words of tc-netem, in integers.
#pragma once

#include <cstdint>

#include "broker/base/time.hpp"

namespace hf::faultnet {

/// One direction of a link. TCP hides loss: on a stream it costs time, not bytes.
struct Wire {
  Duration latency = 500us;
  Duration jitter{0};           ///< uniform 0 .. jitter on top; never reorders within a stream
  std::uint64_t bandwidth = 0;  ///< bits a second; 0: unlimited. Shared by the streams of the pair
  std::uint32_t loss = 0;       ///< parts per billion per packet of 1460 bytes
  std::uint32_t corrupt = 0;    ///< parts per billion per burst: one bit flips behind the checksum
  std::uint32_t slice = 0;      ///< 0: off; else bytes arrive cut into pieces of 1 .. slice
  friend bool operator==(const Wire&, const Wire&) = default;
};

inline constexpr Duration retransmit_first = 200ms;  ///< then doubled
inline constexpr Duration give_up_after = 15s;  ///< unacknowledged for so long: the sender is reset
inline constexpr Duration flush_for = 5s;       ///< an orderly close that takes longer is reset
inline constexpr std::size_t window = 256 * 1024;  ///< bytes under way or unread, per direction
inline constexpr std::size_t packet = 1460;

}  // namespace hf::faultnet
