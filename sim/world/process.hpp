// One node of the world: a machine with a disk and a clock, and the process that runs on it.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "broker/env/environment.hpp"
#include "broker/node/config.hpp"
#include "faultnet/virtual/network.hpp"
#include "sim/kernel/draws.hpp"
#include "sim/kernel/scheduler.hpp"
#include "sim/world/clock.hpp"
#include "sim/world/disk.hpp"

namespace hf::sim {

class World;

/// Makes what runs on a node: node::Shard (shard_factory.hpp), or a test's own handler.
using Factory = std::function<std::unique_ptr<env::Handler>(env::Environment&, const node::Config&)>;

enum class ProcessState : std::uint8_t { down, running, paused };

/// Invariants:
///  P1 every event given to the handler is followed by end_turn() before virtual time moves on;
///  P2 an event for a paused process is kept and given, in order, when it is resumed;
///  P3 a process that crashed gets nothing more; its next boot sees only its disk.
class Process final : public env::Environment, public DiskUser, public Actor {
 public:
  Process(World& world, std::string name, node::Config config, faultnet::HostId host);

  // --- env::Environment
  [[nodiscard]] Instant now() const override;
  [[nodiscard]] std::uint64_t wall_ms() const override;
  std::uint64_t random() override;
  StreamId dial(std::string_view address) override;
  void send(StreamId stream, Bytes bytes) override;
  [[nodiscard]] std::size_t unsent(StreamId stream) const override;
  void pause_reading(StreamId stream, bool paused) override;
  void close(StreamId stream, bool flush) override;
  void commit(env::Batch batch, env::CommitId id) override;
  void read(std::string begin, std::string end, std::size_t limit, env::ReadId id) override;
  [[nodiscard]] bool logs(env::Level level) const override;
  void log(const env::LogLine& line) override;
  void die(std::string_view why) override;
  void reached(std::string_view situation) override;

  // --- DiskUser, Actor
  void committed(env::CommitId id, env::CommitStatus status) override;
  void rows_read(env::ReadId id, std::vector<env::Row> rows, env::ReadStatus status) override;
  void disk_done() override;
  void act(std::uint32_t kind, std::uint64_t a, std::uint64_t b) override;

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] faultnet::HostId host() const { return host_; }
  [[nodiscard]] ProcessState state() const { return state_; }
  [[nodiscard]] std::uint32_t boot() const { return boot_; }
  /// Null while the process is down.
  [[nodiscard]] env::Handler* handler() const { return handler_.get(); }
  node::Config& config() { return config_; }
  Disk& disk() { return disk_; }
  MachineClock& clock() { return clock_; }
  [[nodiscard]] const MachineClock& clock() const { return clock_; }

 private:
  friend class World;
  struct Held {
    enum class Kind : std::uint8_t { accepted, connected, closed, writable, committed, rows, stop } kind;
    std::uint64_t id = 0;
    std::uint32_t detail = 0;  ///< remote host, Ending, CommitStatus, ReadStatus
    std::vector<env::Row> rows;
  };

  void start(const Factory& factory);
  void take_down(CrashMode mode);
  void pause();
  void resume();
  void deliver(Held held);
  void give(Held& held);
  void arrived(StreamId stream, const Bytes& bytes);
  void touched();
  void end_turn();
  void arm();

  World& world_;
  std::string name_;
  node::Config config_;
  faultnet::HostId host_;
  DrawSequence& random_;
  Disk disk_;
  MachineClock clock_;
  std::unique_ptr<env::Handler> handler_;
  std::int64_t booted_local_ = 0;
  ProcessState state_ = ProcessState::down;
  std::uint32_t boot_ = 0;
  std::deque<Held> held_;
  bool touched_ = false;
  bool deadline_held_ = false;
  std::optional<std::string> dying_;
  Ticket alarm_ = 0;
  VirtualTime alarm_at_ = 0;
};

}  // namespace hf::sim
