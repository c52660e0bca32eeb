// Cases against holdfastd over TCP on loopback.
#pragma once

#include <cstdint>
#include <vector>

#include "tests/conformance/bench.hpp"

namespace hf::conformance {

class SocketBench final : public Bench {
 public:
  explicit SocketBench(std::vector<std::uint16_t> ports) : ports_(std::move(ports)) {}
  ~SocketBench() override;

  std::size_t open(std::size_t which) override;
  void send(std::size_t connection, const std::string& bytes) override;
  void close(std::size_t connection) override;
  void reset(std::size_t connection) override;
  void pause(std::size_t connection, bool paused) override;
  Ear& ear(std::size_t connection) override;
  void listen(std::size_t connection, Millis patience) override;
  void wait(Millis time) override;
  void forget_all();  ///< closes what is still open

 private:
  struct Socket {
    int handle = -1;
    bool paused = false;
    Ear ear;
    std::string unsent;
  };
  void turn(Millis patience);
  static void hear(Socket& socket);
  static void push(Socket& socket);

  std::vector<std::uint16_t> ports_;
  std::vector<Socket> sockets_;
};

}  // namespace hf::conformance
