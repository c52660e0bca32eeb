// The frames of WebSocket (RFC 6455, section 5) at the server's end, as MQTT uses them: binary messages only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace hf::wrapping {

/// Messages' payloads are passed on as they come, without waiting for the end of a frame: nothing is kept but
/// a frame's header and a control frame's payload (125 bytes at most).
class WebSocketFrames {
 public:
  /// `message_max`: bytes of one message, over all its frames.
  explicit WebSocketFrames(std::uint64_t message_max) : message_max_(message_max) {}

  /// Takes any part of the stream. Payload is appended to `up`; what must be answered (a pong, a close
  /// frame) to `down`. Answers false once the connection is over; then nothing may be fed any more.
  bool receive(std::string_view bytes, std::string& up, std::string& down);
  /// Part of a binary message in one frame; `rest` bytes of it follow in the next calls. Pongs wait for its end.
  void send(std::string_view part, std::uint64_t rest, std::string& down);
  /// A close frame, unless one was sent, or a frame is half sent and nothing can be said any more.
  void close(std::uint16_t code, std::string& down);
  /// Why it is over; empty: the client closed it in good order.
  [[nodiscard]] const char* breach() const { return breach_; }

 private:
  enum class Part : std::uint8_t { header, payload };

  bool header_read(std::string& down);
  bool begin_frame(std::string& down);
  void unmask(std::string_view bytes, std::string& target);
  bool frame_ended(std::string& down);
  bool control(std::string& down);
  bool break_off(std::uint16_t code, const char* why, std::string& down);

  std::uint64_t message_max_;
  std::uint64_t left_ = 0;          ///< of the frame's payload
  std::uint64_t message_size_ = 0;  ///< of this message so far
  std::uint32_t mask_ = 0;          ///< four bytes, the next to be used lowest
  std::string held_;                ///< a header, or a control frame's payload, so far
  Part part_ = Part::header;
  std::uint8_t opcode_ = 0;
  bool final_ = false;
  std::uint64_t sending_ = 0;  ///< bytes that our frame under way still lacks
  std::string pong_;           ///< the answer to the latest ping, while it has to wait; with its header
  bool in_message_ = false;
  bool close_sent_ = false;
  const char* breach_ = "";
};

}  // namespace hf::wrapping
