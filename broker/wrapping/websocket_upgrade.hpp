// The HTTP request that opens a WebSocket, and its answer (RFC 6455, section 4; MQTT 5, section 6).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hf::wrapping {

/// Gathers the request's header, 8 KiB at most, and answers it.
class WebSocketUpgrade {
 public:
  explicit WebSocketUpgrade(std::string path) : path_(std::move(path)) {}

  enum class State : std::uint8_t { reading, upgraded, refused };
  /// Takes any part of the stream. When it is no longer `reading`, the answer was appended to `down`; what
  /// came behind the header is left().
  State receive(std::string_view bytes, std::string& down);
  [[nodiscard]] std::string_view left() const { return std::string_view(held_).substr(header_size_); }
  /// Why it was refused.
  [[nodiscard]] const std::string& why() const { return why_; }

 private:
  State refuse(std::string_view status, std::string_view more, std::string why, std::string& down);
  State answer(std::string& down);

  std::string path_;
  std::string held_;
  std::size_t header_size_ = 0;
  std::string why_;
};

/// Sec-WebSocket-Accept for a key.
std::string websocket_accept(std::string_view key);

}  // namespace hf::wrapping
