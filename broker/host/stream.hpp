// One byte stream of the table: small, because there may be a hundred thousand idle ones.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "broker/base/bytes.hpp"
#include "broker/base/time.hpp"
#include "broker/host/streams.hpp"

namespace hf::host {

/// What a stream has beside a socket when bytes do not pass through unchanged.
struct Streams::Wrapped {
  explicit Wrapped(const wrapping::Plan& plan) : codec(plan) {}
  [[nodiscard]] std::size_t backlog() const { return wire.size() - wire_sent; }

  wrapping::Wrapping codec;
  std::string wire;           ///< encoded and on its way; empty when idle
  std::size_t wire_sent = 0;  ///< bytes of it that are taken
  std::size_t message_left = 0;  ///< of the message that is being encoded
  std::string held;           ///< decoded, for a handler that has paused
  std::string remote;
  bool same_machine = false;
  bool announced = false;  ///< the handshakes are done, and the handler knows the stream
  bool finished = false;   ///< nothing will be encoded any more
};

struct Streams::Stream {
  DescriptorPtr descriptor;                          ///< none while an address is looked up
  std::unique_ptr<std::vector<Endpoint>> candidates;  ///< dialling: what is left to try, last first
  std::vector<Bytes> queue;                          ///< what `unsent` counts; empty when idle
  std::size_t head = 0;                              ///< first of `queue` that is not all sent
  std::size_t head_sent = 0;                         ///< bytes of it that are
  std::size_t unsent = 0;                            ///< in `queue` and in wrapped->wire
  std::unique_ptr<Wrapped> wrapped;                  ///< none: what is sent is what goes out
  Instant limit = Instant::max();                    ///< its entry in deadlines_
  env::StreamKind kind = env::StreamKind::peer;
  std::uint32_t listener = 0;  ///< which it came to, counted from 1; 0: dialled
  bool connected = false;
  bool paused = false;
  bool reading = false;     ///< readiness to read is asked for
  bool writing = false;     ///< readiness to write is asked for
  bool dirty = false;       ///< stands in dirty_
  bool above_mark = false;  ///< owes an on_writable
  bool broken = false;      ///< a write failed: what the other end sent before is still read
  bool leaving = false;     ///< closed by the handler: no events any more
  bool said_bye = false;    ///< our end of stream is sent; waiting for the other's

  [[nodiscard]] bool accepted() const { return listener != 0; }
  /// Between the socket's connection and the end of the wrapping's handshakes.
  [[nodiscard]] bool shaking() const { return wrapped && !wrapped->announced && !wrapped->finished; }
};

}  // namespace hf::host
