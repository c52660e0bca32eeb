// A small handler for tests of the host: it sends back what comes.
#pragma once

#include <algorithm>
#include <atomic>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "broker/env/environment.hpp"

namespace hf::host {

/// Sends back what comes. "bye" is answered and the stream closed with flush; "burst" is answered with 1 MB, "flood" with 20.
class Echo : public env::Handler {
 public:
  explicit Echo(env::Environment& world) : env_(world) {}
  void on_start() override {}
  void on_accepted(StreamId, const env::Arrival& arrival) override {
    {
      const std::lock_guard lock(mutex_);
      remote_ = arrival.remote;
      listener_ = arrival.listener;
      identity_ = arrival.identity;
      same_machine_ = arrival.same_machine;
    }
    ++(arrival.kind == env::StreamKind::client ? clients : peers);
  }
  void on_connected(StreamId) override {}
  void on_bytes(StreamId stream, const Bytes& bytes) override {
    received += bytes.size();
    if (bytes.view() == "burst") {
      for (int i = 0; i < 1000; ++i) env_.send(stream, Bytes(std::string(1000, 'b')));
    } else if (bytes.view() == "flood") {
      for (int i = 0; i < 20'000; ++i) env_.send(stream, Bytes(std::string(1000, 'f')));
    } else {
      env_.send(stream, bytes);
    }
    if (bytes.view() == "bye") {
      env_.close(stream, true);
      --clients;
    }
  }
  void on_closed(StreamId, env::CloseReason) override { --clients; }
  void on_writable(StreamId) override { ++writable; }
  void on_committed(env::CommitId, env::CommitStatus) override {}
  void on_rows(env::ReadId, std::vector<env::Row>, env::ReadStatus) override {}
  void on_deadline() override {}
  void on_stop() override {
    ++stops;
    leave_ = !stubborn;
  }
  void end_turn() override {
    ++turns;
    most_in_a_turn = std::max<std::size_t>(most_in_a_turn, received - before_);
    before_ = received;
  }
  [[nodiscard]] std::optional<Instant> deadline() const override { return std::nullopt; }
  [[nodiscard]] bool stopped() const override { return leave_; }

  std::atomic<int> clients{0}, peers{0}, stops{0}, writable{0};
  std::atomic<std::size_t> received{0}, turns{0}, most_in_a_turn{0};
  bool stubborn = false;

  /// Of the stream that came in last: remote, listener, identity, and whether from this machine.
  std::vector<std::string> last() {
    const std::lock_guard lock(mutex_);
    return {remote_, listener_, identity_, same_machine_ ? "here" : "elsewhere"};
  }

 private:
  env::Environment& env_;
  std::size_t before_ = 0;  ///< received in turns before
  bool leave_ = false;
  std::mutex mutex_;
  std::string remote_, listener_, identity_;
  bool same_machine_ = false;
};

}  // namespace hf::host
