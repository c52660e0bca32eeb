// The wire frame between members: u32 length, u32 CRC-32C of the body (both little-endian), body.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "broker/base/result.hpp"

namespace hf::cluster::wire {
class Body;
}

namespace hf::cluster {

inline constexpr std::uint32_t frame_header_size = 8;
inline constexpr std::uint32_t frame_max_member = 32 * 1024 * 1024;
inline constexpr std::uint32_t frame_max_stranger = 4 * 1024;  ///< before a hello was accepted
inline constexpr std::uint32_t frame_max_channels = 4096;      ///< channel parts in one frame

/// CRC-32C (Castagnoli), as in iSCSI; crc32c("123456789") = 0xe3069283.
[[nodiscard]] std::uint32_t crc32c(std::string_view bytes);

/// A whole frame around a body.
[[nodiscard]] std::string encode_frame(const wire::Body& body);
[[nodiscard]] std::string encode_frame(std::string_view body);
/// False when the body is no Body, or one that would cost far more memory than its bytes.
[[nodiscard]] bool parse_body(std::string_view bytes, wire::Body& body);

/// Cuts a byte stream into frame bodies. Holds what was received and not yet taken, nothing more
/// (times the growth factor of a string).
class FrameDecoder {
 public:
  explicit FrameDecoder(std::uint32_t max_body = frame_max_stranger) : max_(max_body) {}
  void set_max(std::uint32_t max_body) { max_ = max_body; }

  void feed(std::string_view bytes);
  /// The next body, valid until the next call; nothing when more bytes are needed; an error when the
  /// stream is broken, which it then stays.
  [[nodiscard]] Result<std::optional<std::string_view>> next();
  [[nodiscard]] std::size_t buffered() const { return buffer_.size() - taken_; }

 private:
  std::uint32_t max_;
  std::string buffer_;
  std::size_t taken_ = 0;  ///< bytes at the front that were handed out
  bool broken_ = false;
};

}  // namespace hf::cluster
