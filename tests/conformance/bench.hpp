// Where a case is played: nodes that connections are opened to, in the simulator or as processes.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

namespace hf::conformance {

using Millis = std::chrono::milliseconds;

/// What a connection has heard.
struct Ear {
  std::string bytes;
  bool ended = false;
};

class Bench {
 public:
  Bench() = default;
  Bench(const Bench&) = delete;
  Bench& operator=(const Bench&) = delete;
  virtual ~Bench() = default;
  /// A connection to node `which` modulo the number of nodes; answers its number.
  virtual std::size_t open(std::size_t which) = 0;
  virtual void send(std::size_t connection, const std::string& bytes) = 0;
  virtual void close(std::size_t connection) = 0;  ///< FIN
  virtual void reset(std::size_t connection) = 0;  ///< RST
  virtual void pause(std::size_t connection, bool paused) = 0;  ///< reads no more
  virtual Ear& ear(std::size_t connection) = 0;
  /// Time goes on until this connection hears something, at most for `patience`.
  virtual void listen(std::size_t connection, Millis patience) = 0;
  virtual void wait(Millis time) = 0;
};

}  // namespace hf::conformance
