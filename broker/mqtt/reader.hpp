// A cursor over the bytes of one packet: every read says whether the bytes were there.
#pragma once

#include <cstdint>
#include <string_view>

namespace hf::mqtt {

enum class Varint : std::uint8_t { ok, too_short, too_long, not_minimal };

class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  [[nodiscard]] bool empty() const { return rest_.empty(); }
  [[nodiscard]] std::size_t left() const { return rest_.size(); }
  [[nodiscard]] std::string_view rest() const { return rest_; }

  bool u8(std::uint8_t& out) {
    if (rest_.empty()) return false;
    out = byte(0);
    rest_.remove_prefix(1);
    return true;
  }
  bool u16(std::uint16_t& out) {
    if (rest_.size() < 2) return false;
    out = static_cast<std::uint16_t>(byte(0) << 8U | byte(1));
    rest_.remove_prefix(2);
    return true;
  }
  bool u32(std::uint32_t& out) {
    if (rest_.size() < 4) return false;
    out = static_cast<std::uint32_t>(byte(0)) << 24U | static_cast<std::uint32_t>(byte(1)) << 16U |
          static_cast<std::uint32_t>(byte(2)) << 8U | static_cast<std::uint32_t>(byte(3));
    rest_.remove_prefix(4);
    return true;
  }
  bool take(std::size_t size, std::string_view& out) {
    if (rest_.size() < size) return false;
    out = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return true;
  }
  /// Two bytes of length, then as many bytes.
  bool binary(std::string_view& out) {
    std::uint16_t size = 0;
    return u16(size) && take(size, out);
  }
  /// A variable byte integer (5.0: section 1.5.5).
  Varint varint(std::uint32_t& out) {
    out = 0;
    for (std::size_t i = 0; i < 4; ++i) {
      if (i >= rest_.size()) return Varint::too_short;
      const std::uint8_t b = byte(i);
      out |= static_cast<std::uint32_t>(b & 0x7FU) << (7 * i);
      if ((b & 0x80U) == 0) {
        rest_.remove_prefix(i + 1);
        return i > 0 && b == 0 ? Varint::not_minimal : Varint::ok;
      }
    }
    return Varint::too_long;
  }

 private:
  [[nodiscard]] std::uint8_t byte(std::size_t i) const {
    return static_cast<std::uint8_t>(rest_[i]);
  }
  std::string_view rest_;
};

}  // namespace hf::mqtt
