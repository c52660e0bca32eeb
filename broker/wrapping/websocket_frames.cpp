// The frames of WebSocket (RFC 6455, section 5) at the server's end. [MQTT-6.0.0-1]: data that is not binary ends it.
#include "broker/wrapping/websocket_frames.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace hf::wrapping {
namespace {

enum Opcode : std::uint8_t { continuation = 0, text = 1, binary = 2, connection_close = 8, ping = 9, pong = 10 };

constexpr std::uint16_t normal = 1000, protocol_error = 1002, unsupported_data = 1003, too_big = 1009;
constexpr std::size_t control_max = 125;

std::uint8_t byte(std::string_view bytes, std::size_t at) { return static_cast<std::uint8_t>(bytes[at]); }

bool is_control(std::uint8_t opcode) { return (opcode & 8U) != 0; }

void add_header(std::uint8_t opcode, std::uint64_t size, std::string& down) {
  down.push_back(static_cast<char>(0x80U | opcode));
  int length_bytes = 0;
  if (size < 126) {
    down.push_back(static_cast<char>(size));
  } else if (size <= 0xFFFF) {
    down.push_back(126);
    length_bytes = 2;
  } else {
    down.push_back(127);
    length_bytes = 8;
  }
  while (length_bytes > 0) down.push_back(static_cast<char>(size >> (8 * static_cast<unsigned>(--length_bytes))));
}

/// Codes that may stand in a frame (RFC 6455, 7.4).
bool valid_code(std::uint16_t code) {
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}

}  // namespace

bool WebSocketFrames::receive(std::string_view bytes, std::string& up, std::string& down) {
  while (!bytes.empty()) {
    if (part_ == Part::header) {
      held_.push_back(bytes.front());
      bytes.remove_prefix(1);
      if (!header_read(down)) return false;
    } else {
      const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size()));
      unmask(bytes.substr(0, size), is_control(opcode_) ? held_ : up);
      bytes.remove_prefix(size);
      left_ -= size;
    }
    if (part_ == Part::payload && left_ == 0 && !frame_ended(down)) return false;
  }
  return true;
}

/// Looks at the header after each of its bytes: what is wrong is said before more is waited for.
bool WebSocketFrames::header_read(std::string& down) {
  if (held_.size() == 1) {
    const std::uint8_t first = byte(held_, 0);
    opcode_ = first & 0x0FU;
    final_ = (first & 0x80U) != 0;
    if ((first & 0x70U) != 0) return break_off(protocol_error, "a reserved bit is set", down);
    switch (opcode_) {
      case continuation:
        if (!in_message_) return break_off(protocol_error, "a continuation of nothing", down);
        break;
      case text: return break_off(unsupported_data, "a text frame", down);
      case binary:
        if (in_message_) return break_off(protocol_error, "a new message within another", down);
        break;
      case connection_close:
      case ping:
      case pong:
        if (!final_) return break_off(protocol_error, "a control frame in fragments", down);
        break;
      default: return break_off(protocol_error, "an unknown opcode", down);
    }
    return true;
  }
  const std::uint8_t second = byte(held_, 1);
  if ((second & 0x80U) == 0) return break_off(protocol_error, "a frame without a mask", down);
  const std::uint8_t length = second & 0x7FU;
  if (is_control(opcode_) && length > control_max) return break_off(protocol_error, "a control frame too long", down);
  const std::size_t length_bytes = length == 127 ? 8 : length == 126 ? 2 : 0;
  if (held_.size() < 2 + length_bytes + 4) return true;
  left_ = length_bytes == 0 ? length : 0;
  for (std::size_t i = 0; i < length_bytes; ++i) left_ = left_ << 8U | byte(held_, 2 + i);
  if ((length == 126 && left_ < 126) || (length == 127 && left_ <= 0xFFFF) || left_ >> 63U != 0) {
    return break_off(protocol_error, "a length in a form too long", down);
  }
  mask_ = 0;
  for (std::size_t i = 4; i-- > 0;) mask_ = mask_ << 8U | byte(held_, 2 + length_bytes + i);
  return begin_frame(down);
}

bool WebSocketFrames::begin_frame(std::string& down) {
  held_.clear();
  part_ = Part::payload;
  if (is_control(opcode_)) return true;
  if (opcode_ == binary) message_size_ = 0;
  in_message_ = !final_;
  if (left_ > message_max_ - message_size_) return break_off(too_big, "a message too big", down);
  message_size_ += left_;
  return true;
}

void WebSocketFrames::unmask(std::string_view bytes, std::string& target) {
  const std::size_t start = target.size();
  target.append(bytes);
  for (std::size_t i = start; i < target.size(); ++i) {
    target[i] = static_cast<char>(static_cast<std::uint8_t>(target[i]) ^ (mask_ & 0xFFU));
    mask_ = mask_ >> 8U | mask_ << 24U;
  }
}

bool WebSocketFrames::frame_ended(std::string& down) {
  part_ = Part::header;
  const bool goes_on = !is_control(opcode_) || control(down);
  held_.clear();
  if (held_.capacity() > 32) held_.shrink_to_fit();  // idle: no buffer
  return goes_on;
}

bool WebSocketFrames::control(std::string& down) {
  if (opcode_ == ping && !close_sent_) {
    // Within a frame of ours it has to wait; the latest ping's is enough (RFC 6455, 5.5.3).
    std::string& target = sending_ > 0 ? pong_ : down;
    pong_.clear();
    add_header(pong, held_.size(), target);
    target += held_;
  }
  if (opcode_ != connection_close) return true;
  if (held_.empty()) {
    close(normal, down);
    return false;
  }
  if (held_.size() == 1) return break_off(protocol_error, "a close frame of one byte", down);
  const auto code = static_cast<std::uint16_t>(byte(held_, 0) << 8U | byte(held_, 1));
  if (!valid_code(code)) return break_off(protocol_error, "a close code that is none", down);
  close(code, down);
  return false;
}

void WebSocketFrames::send(std::string_view part, std::uint64_t rest, std::string& down) {
  if (sending_ == 0) {
    sending_ = part.size() + rest;
    add_header(binary, sending_, down);
  }
  down.append(part);
  sending_ -= part.size();
  if (sending_ == 0 && !pong_.empty()) down += std::exchange(pong_, {});
}

void WebSocketFrames::close(std::uint16_t code, std::string& down) {
  if (std::exchange(close_sent_, true) || sending_ > 0) return;
  add_header(connection_close, 2, down);
  down.push_back(static_cast<char>(code >> 8U));
  down.push_back(static_cast<char>(code));
}

bool WebSocketFrames::break_off(std::uint16_t code, const char* why, std::string& down) {
  breach_ = why;
  close(code, down);
  return false;
}

}  // namespace hf::wrapping
