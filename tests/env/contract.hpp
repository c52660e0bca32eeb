// What every implementation of env::Environment must keep: the harness it brings, and the probe that watches.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "broker/env/environment.hpp"

/// To hold a new environment to the contract: implement World, compile contract.cpp into a test binary, and
///     INSTANTIATE_TEST_SUITE_P(Mine, EnvironmentContract,
///                              testing::Values(hf::contract::WorldMaker{"mine", [] { … }}));
namespace hf::contract {

/// Two processes that can dial each other, each with a disk that outlives it. Everything runs on the
/// caller's thread, inside start(), stop() and run_until() only.
class World {
 public:
  using MakeHandler = std::function<std::unique_ptr<env::Handler>(env::Environment&)>;

  World() = default;
  World(const World&) = delete;
  World& operator=(const World&) = delete;
  virtual ~World() = default;

  /// Boots process 0 or 1: on_start is called before or during the next run_until. What `make` returns
  /// lives until stop() or the end of the world.
  virtual void start(int process, const MakeHandler& make) = 0;
  /// The process is gone at once, without any call to its handler (which is destroyed). Its address
  /// refuses; its disk keeps what was committed.
  virtual void stop(int process) = 0;
  /// What the other process gives to dial(). Valid once started.
  [[nodiscard]] virtual std::string address(int process) const = 0;
  /// An address where nothing listens.
  [[nodiscard]] virtual std::string nowhere() const = 0;
  /// Lets the world go on until `done()` or until `limit` of its own time has passed; answers done().
  /// `done` is asked between turns.
  virtual bool run_until(const std::function<bool()>& done, Duration limit) = 0;
};

struct WorldMaker {
  std::string name;
  std::function<std::unique_ptr<World>()> make;
};

/// What a probe has seen of one stream.
struct StreamRecord {
  bool accepted = false;
  env::StreamKind kind = env::StreamKind::client;
  int connected = 0;
  int writable = 0;
  bool closed_by_us = false;
  std::string bytes;
  std::vector<env::CloseReason> closed;
};

/// A handler that notes everything, and runs what a test gives it inside a turn. Invariants checked on
/// every event: (1) no event from inside an event; (2) each turn ends with end_turn(); (3) nothing about
/// a stream after it ended; (4) now() never goes back.
class Probe final : public env::Handler {
 public:
  explicit Probe(env::Environment& world) : env_(world) {}

  /// Runs `step` within one of the next turns.
  void later(std::function<void(env::Environment&)> step) { steps_.push_back(std::move(step)); }

  env::Environment& environment() { return env_; }

  std::map<StreamId, StreamRecord> streams;
  std::vector<std::pair<env::CommitId, env::CommitStatus>> commits;
  std::map<env::ReadId, std::pair<std::vector<env::Row>, env::ReadStatus>> reads;
  std::vector<StreamId> accepted;
  std::function<void(StreamId)> when_accepted;  ///< called within the turn
  int starts = 0;
  int turns = 0;
  std::optional<Instant> wanted;     ///< a deadline of the test's own
  std::optional<Instant> woken_at;   ///< the first on_deadline at or after `wanted`

  void close(StreamId stream, bool flush) {
    streams[stream].closed_by_us = true;
    env_.close(stream, flush);
  }

  void on_start() override {
    const Inside inside(*this);
    ++starts;
    EXPECT_EQ(starts, 1);
  }
  void on_accepted(StreamId stream, const env::Arrival& arrival) override {
    const Inside inside(*this);
    EXPECT_NE(stream, 0U);
    EXPECT_EQ(streams.count(stream), 0U) << "a stream id was used twice";
    streams[stream].accepted = true;
    streams[stream].kind = arrival.kind;
    accepted.push_back(stream);
    if (when_accepted) when_accepted(stream);
  }
  void on_connected(StreamId stream) override {
    const Inside inside(*this);
    ++live(stream).connected;
  }
  void on_bytes(StreamId stream, const Bytes& bytes) override {
    const Inside inside(*this);
    EXPECT_FALSE(bytes.empty());
    EXPECT_TRUE(live(stream).accepted || live(stream).connected == 1) << "bytes before on_connected";
    live(stream).bytes += bytes.view();
  }
  void on_closed(StreamId stream, env::CloseReason reason) override {
    const Inside inside(*this);
    live(stream).closed.push_back(reason);
  }
  void on_writable(StreamId stream) override {
    const Inside inside(*this);
    ++live(stream).writable;
    EXPECT_LE(env_.unsent(stream), env::writable_mark);
  }
  void on_committed(env::CommitId id, env::CommitStatus status) override {
    const Inside inside(*this);
    commits.emplace_back(id, status);
  }
  void on_rows(env::ReadId id, std::vector<env::Row> rows, env::ReadStatus status) override {
    const Inside inside(*this);
    EXPECT_EQ(reads.count(id), 0U) << "a read was answered twice";
    reads[id] = {std::move(rows), status};
  }
  void on_deadline() override {
    const Inside inside(*this);
    if (wanted && !woken_at && env_.now() >= *wanted) woken_at = env_.now();
    run_steps();
  }
  void on_stop() override { const Inside inside(*this); }
  void end_turn() override {
    EXPECT_FALSE(inside_) << "end_turn from inside an event";
    EXPECT_TRUE(open_turn_) << "end_turn without an event";
    open_turn_ = false;
    ++turns;
    tick_ = env_.now() + 1ms;
  }
  [[nodiscard]] std::optional<Instant> deadline() const override {
    EXPECT_FALSE(open_turn_) << "deadline() asked before end_turn()";
    return tick_;
  }
  [[nodiscard]] bool stopped() const override { return false; }

 private:
  /// Marks the time within one event; an event that begins while another has not ended breaks (1).
  struct Inside {
    explicit Inside(Probe& owner) : probe(owner) {
      EXPECT_FALSE(probe.inside_) << "the environment called back from inside a call";
      probe.inside_ = probe.open_turn_ = true;
      EXPECT_GE(probe.env_.now(), probe.last_);
      probe.last_ = probe.env_.now();
    }
    ~Inside() { probe.inside_ = false; }
    Inside(const Inside&) = delete;
    Inside& operator=(const Inside&) = delete;
    Probe& probe;
  };

  StreamRecord& live(StreamId stream) {
    StreamRecord& record = streams[stream];
    EXPECT_TRUE(record.closed.empty()) << "an event after on_closed";
    EXPECT_FALSE(record.closed_by_us) << "an event after close()";
    return record;
  }
  void run_steps() {
    auto steps = std::exchange(steps_, {});
    for (auto& step : steps) step(env_);
  }

  env::Environment& env_;
  std::vector<std::function<void(env::Environment&)>> steps_;
  std::optional<Instant> tick_;
  Instant last_{};
  bool inside_ = false;
  bool open_turn_ = false;
};

/// Two probes in a world of the implementation under test.
class EnvironmentContract : public testing::TestWithParam<WorldMaker> {
 protected:
  void SetUp() override { world_ = GetParam().make(); }

  Probe& boot(int process) {
    Probe* probe = nullptr;
    world_->start(process, [&](env::Environment& environment) {
      auto made = std::make_unique<Probe>(environment);
      probe = made.get();
      return made;
    });
    EXPECT_NE(probe, nullptr);
    EXPECT_TRUE(run([&] { return probe->starts == 1 && probe->turns > 0; }));
    return *probe;
  }
  bool run(const std::function<bool()>& done, Duration limit = 20s) {
    return world_->run_until(done, limit);
  }
  /// Lets some time pass, for what must not happen.
  void settle(Duration span = 200ms) {
    world_->run_until([] { return false; }, span);
  }
  /// Runs `step` inside a turn of `probe`, and waits for that turn.
  void act(Probe& probe, const std::function<void(env::Environment&)>& step) {
    bool ran = false;
    probe.later([&](env::Environment& environment) {
      step(environment);
      ran = true;
    });
    ASSERT_TRUE(run([&] { return ran; }));
  }
  /// Dials process `to` from `from`, and waits until both ends stand: (dialled, accepted).
  std::pair<StreamId, StreamId> join(Probe& from, Probe& other, int to) {
    StreamId stream = 0;
    const std::size_t before = other.accepted.size();
    act(from, [&](env::Environment& e) { stream = e.dial(world_->address(to)); });
    EXPECT_TRUE(run([&] {
      return from.streams[stream].connected == 1 && other.accepted.size() > before;
    }));
    return {stream, other.accepted.empty() ? 0 : other.accepted.back()};
  }
  /// Commits one batch and waits for its status.
  env::CommitStatus commit(Probe& probe, env::Batch batch, env::CommitId id) {
    const std::size_t before = probe.commits.size();
    act(probe, [&](env::Environment& e) { e.commit(std::move(batch), id); });
    EXPECT_TRUE(run([&] { return probe.commits.size() > before; }));
    if (probe.commits.size() <= before) return env::CommitStatus::failed;
    EXPECT_EQ(probe.commits.back().first, id);
    return probe.commits.back().second;
  }
  std::vector<env::Row> read(Probe& probe, std::string begin, std::string end, std::size_t limit) {
    const env::ReadId id = ++last_read_;
    act(probe, [&](env::Environment& e) { e.read(begin, end, limit, id); });
    EXPECT_TRUE(run([&] { return probe.reads.count(id) == 1; }));
    EXPECT_EQ(probe.reads[id].second, env::ReadStatus::done);
    return probe.reads[id].first;
  }

  std::unique_ptr<World> world_;

 private:
  env::ReadId last_read_ = 1000;
};

}  // namespace hf::contract
