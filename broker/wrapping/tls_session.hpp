// One connection's TLS, on bytes alone: OpenSSL reads and writes memory here, never a socket.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "broker/wrapping/tls_context.hpp"

struct ssl_st;

namespace hf::wrapping {

class TlsSession {
 public:
  enum class State : std::uint8_t { shaking, open, ended, failed };
  enum class End : std::uint8_t { server, client };

  TlsSession(std::shared_ptr<const TlsContext> context, End end);
  TlsSession(const TlsSession&) = delete;
  TlsSession& operator=(const TlsSession&) = delete;
  ~TlsSession();

  /// Takes any part of what the other end sent (for a client's end: none, at first). What it says is appended
  /// to `up`; what TLS itself answers to `down`.
  void receive(std::string_view bytes, std::string& up, std::string& down);
  /// Does nothing unless open, or ended by the other end alone: that one may still listen.
  void send(std::string_view bytes, std::string& down);
  /// close_notify.
  void close(std::string& down);
  [[nodiscard]] State state() const { return state_; }
  /// The handshake was done, and the other end is who it should be.
  [[nodiscard]] bool was_open() const { return was_open_; }
  /// Why it failed.
  [[nodiscard]] const std::string& why() const { return why_; }
  /// The user name by the other end's certificate; empty: none. Once open.
  [[nodiscard]] const std::string& identity() const { return identity_; }

 private:
  friend struct MemoryBio;
  void shake();
  void handshake_done();
  void failed();

  std::shared_ptr<const TlsContext> context_;
  ssl_st* ssl_ = nullptr;
  std::string_view in_;          ///< during a call: what OpenSSL has not read yet
  std::string* out_ = nullptr;   ///< during a call: where it writes to
  std::string identity_;
  std::string why_;
  State state_ = State::shaking;
  bool was_open_ = false;
};

}  // namespace hf::wrapping
