// What a simulated client is told by the world.
#pragma once

#include <cstdint>

#include "broker/base/bytes.hpp"
#include "broker/env/environment.hpp"

namespace hf::sim {

/// One simulated client. It may call the world from any of these. After on_closed, or after it closed
/// the stream itself, it hears nothing more of that stream.
class ClientEnd {
 public:
  ClientEnd() = default;
  ClientEnd(const ClientEnd&) = delete;
  ClientEnd& operator=(const ClientEnd&) = delete;
  virtual ~ClientEnd() = default;
  virtual void on_connected(StreamId stream) = 0;
  virtual void on_bytes(StreamId stream, const Bytes& bytes) = 0;
  virtual void on_closed(StreamId stream, env::CloseReason reason) = 0;
  /// World::at(…, token).
  virtual void on_timer(std::uint64_t token) { (void)token; }
};

}  // namespace hf::sim
