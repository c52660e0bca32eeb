// All that stands between a socket and its handler: PROXY header, TLS, WebSocket, in this order, each if wanted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "broker/wrapping/tls_context.hpp"
#include "broker/wrapping/tls_session.hpp"
#include "broker/wrapping/websocket_frames.hpp"
#include "broker/wrapping/websocket_upgrade.hpp"

namespace hf::wrapping {

struct Plan {
  bool proxy_header = false;
  std::shared_ptr<const TlsContext> tls;
  TlsSession::End tls_end = TlsSession::End::server;
  std::optional<std::string> websocket_path;  ///< none: no WebSocket
  [[nodiscard]] bool plain() const { return !proxy_header && !tls && !websocket_path; }
};

/// Bytes in, bytes out; no socket, no clock. Invariants:
///  (1) what is kept between calls is bounded: a header of 4 or 8 KiB, what OpenSSL holds of one record or
///      one flight of the handshake, a control frame;
///  (2) after `over` nothing goes up any more.
class Wrapping {
 public:
  enum class State : std::uint8_t { shaking, open, over };

  explicit Wrapping(const Plan& plan);

  /// What the socket gave (nothing at first, at a client's end of TLS). What is for the handler is appended to
  /// `up`, what is for the other end to `down`, also when it is over then.
  void receive(std::string_view bytes, std::string& up, std::string& down);
  /// Part of what the handler says, while open only. `rest` bytes belong to the same message and follow in the next
  /// calls: WebSocket keeps a message in one frame, for clients that do not expect a packet to be in two.
  void send(std::string_view part, std::size_t rest, std::string& down);
  /// Our good-bye.
  void finish(std::string& down);

  [[nodiscard]] State state() const { return state_; }
  /// It is open, or was before it was over.
  [[nodiscard]] bool was_open() const { return was_open_; }
  /// It is over because the other end said good-bye, and not for a breach.
  [[nodiscard]] bool orderly() const { return why_.empty(); }
  [[nodiscard]] const std::string& why() const { return why_; }
  /// True when bytes pass through unchanged from here on: the wrapping can be dropped.
  [[nodiscard]] bool spent() const { return state_ == State::open && !tls_ && !upgrade_ && !frames_; }
  /// Messages have bounds: send() makes one of each.
  [[nodiscard]] bool framed() const { return frames_.has_value(); }
  [[nodiscard]] const std::optional<std::string>& proxied_for() const { return proxied_for_; }
  [[nodiscard]] std::string_view identity() const { return tls_ ? tls_->identity() : std::string_view(); }

 private:
  void behind_header(std::string_view bytes, std::string& up, std::string& down);
  void behind_tls(std::string_view bytes, std::string& up, std::string& down);
  void open();
  void over(std::string why);

  std::unique_ptr<std::string> header_;  ///< of the proxy, so far; none once it is read
  std::unique_ptr<TlsSession> tls_;
  std::unique_ptr<WebSocketUpgrade> upgrade_;  ///< until it is done
  std::optional<WebSocketFrames> frames_;
  std::optional<std::string> proxied_for_;
  std::string why_;
  State state_ = State::shaking;
  bool was_open_ = false;
};

}  // namespace hf::wrapping
