// The environment of the real world: sockets, the machine's clocks and chance, a store behind a port.
#pragma once

#include <array>
#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "broker/env/environment.hpp"
#include "broker/host/storage_port.hpp"
#include "broker/host/streams.hpp"

namespace hf::host {

/// Where words for people go. `die` must end the process.
struct Voice {
  std::function<bool(env::Level)> logs;  ///< none: every level, if there is a log
  std::function<void(const env::LogLine&)> log;
  std::function<void(std::string_view)> die;
};

class HostEnvironment final : public env::Environment {
 public:
  using Clock = std::chrono::steady_clock;

  HostEnvironment(Streams& streams, Voice voice);

  [[nodiscard]] Instant now() const override;
  [[nodiscard]] std::uint64_t wall_ms() const override;
  std::uint64_t random() override;
  StreamId dial(std::string_view address) override { return streams_.dial(address); }
  void send(StreamId stream, Bytes bytes) override { streams_.send(stream, std::move(bytes)); }
  [[nodiscard]] std::size_t unsent(StreamId stream) const override { return streams_.unsent(stream); }
  void pause_reading(StreamId stream, bool paused) override {
    streams_.pause_reading(stream, paused);
  }
  void close(StreamId stream, bool flush) override { streams_.close(stream, flush); }
  void commit(env::Batch batch, env::CommitId id) override;
  void read(std::string begin, std::string end, std::size_t limit, env::ReadId id) override;
  [[nodiscard]] bool logs(env::Level level) const override;
  void log(const env::LogLine& line) override;
  void die(std::string_view why) override;

  void attach(StoragePort storage) { storage_ = std::move(storage); }
  /// Hands the turn's commits to the store.
  void hand_over_commits();
  [[nodiscard]] Clock::time_point on_clock(Instant when) const { return boot_ + when.time_since_epoch(); }

 private:
  Streams& streams_;
  Voice voice_;
  StoragePort storage_;
  std::vector<std::pair<env::CommitId, env::Batch>> commits_;
  std::array<std::uint64_t, 32> pool_{};  ///< drawn, and not given out yet: 256 bytes come whole
  std::size_t drawn_ = pool_.size();
  Clock::time_point boot_ = Clock::now();
};

}  // namespace hf::host
