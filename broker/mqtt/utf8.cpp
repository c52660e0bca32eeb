// A UTF-8 checker that takes ASCII eight bytes at a time.
#include "broker/mqtt/utf8.hpp"

#include <cstdint>
#include <cstring>

namespace hf::mqtt {
namespace {

/// Length of the well-formed multi-byte sequence at `p`, 0 if there is none (RFC 3629, section 4).
std::size_t sequence(const unsigned char* p, std::size_t left) {
  const auto tail = [&](std::size_t i, unsigned low = 0x80, unsigned high = 0xBF) {
    return i < left && p[i] >= low && p[i] <= high;
  };
  const unsigned first = p[0];
  if (first >= 0xC2 && first <= 0xDF) return tail(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    const unsigned low = first == 0xE0 ? 0xA0 : 0x80;   // no overlong forms
    const unsigned high = first == 0xED ? 0x9F : 0xBF;  // no surrogates
    return tail(1, low, high) && tail(2) ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const unsigned low = first == 0xF0 ? 0x90 : 0x80;   // no overlong forms
    const unsigned high = first == 0xF4 ? 0x8F : 0xBF;  // nothing above U+10FFFF
    return tail(1, low, high) && tail(2) && tail(3) ? 4 : 0;
  }
  return 0;
}

template <bool allow_nul>
bool check(std::string_view text) {
  const auto* p = reinterpret_cast<const unsigned char*>(text.data());
  std::size_t left = text.size();
  while (left > 0) {
    if (left >= 8) {
      std::uint64_t word = 0;
      std::memcpy(&word, p, 8);
      constexpr std::uint64_t ones = 0x0101010101010101, tops = 0x8080808080808080;
      const bool ascii = (word & tops) == 0;
      // With all tops clear, word - ones borrows exactly where a byte is zero.
      if (ascii && (allow_nul || ((word - ones) & tops) == 0)) {
        p += 8;
        left -= 8;
        continue;
      }
    }
    std::size_t size = 1;
    if (*p >= 0x80) {
      size = sequence(p, left);
      if (size == 0) return false;
    } else if (!allow_nul && *p == 0) {
      return false;
    }
    p += size;
    left -= size;
  }
  return true;
}

}  // namespace

bool is_utf8(std::string_view text) { return check<true>(text); }
bool is_mqtt_string(std::string_view text) { return check<false>(text); }

}  // namespace hf::mqtt
