// Hashing of contents for the digest.
#include "sim/kernel/digest.hpp"

#include <bit>
#include <cstring>

#include "broker/base/hash.hpp"

namespace hf::sim {

static_assert(std::endian::native == std::endian::little, "words are read as they lie");

std::uint64_t Digest::value() const { return mix64(state_ ^ events_); }

std::uint64_t Digest::of(std::string_view bytes) {
  std::uint64_t state = bytes.size() * 0x9e3779b97f4a7c15ULL;
  const char* at = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= 8; at += 8, left -= 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, at, 8);
    state = (state ^ word) * 0xbf58476d1ce4e5b9ULL;
    state ^= state >> 32U;
  }
  std::uint64_t tail = 0;
  if (left > 0) std::memcpy(&tail, at, left);
  return mix64(state ^ tail);
}

}  // namespace hf::sim
