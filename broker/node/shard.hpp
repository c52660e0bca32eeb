// The shard: one single-threaded actor that is fed events and acts through the environment.
#pragma once

#include <memory>

#include "broker/access/guard.hpp"
#include "broker/env/environment.hpp"
#include "broker/node/config.hpp"
#include "broker/node/inspection.hpp"
#include "broker/node/metrics.hpp"
#include "broker/node/pressure.hpp"

namespace hf::node {

struct ShardParts;

/// What a slot looks like from inside, for the simulator's second kind of checks (G11).
struct SlotReport {
  SlotId slot = 0;
  bool replica = false;      ///< this node should hold it
  std::uint64_t digest = 0;  ///< of all rows; equal on equal states
  std::uint64_t log_tail = 0;
  std::uint64_t hints = 0;
  std::uint64_t tombstones = 0;
  std::string text;          ///< the rows, for a person
};

class Shard final : public env::Handler {
 public:
  /// Without a guard, `config.access` is it.
  Shard(env::Environment& environment, Config config, std::shared_ptr<const access::Guard> guard = nullptr);
  ~Shard() override;

  void on_start() override;
  void on_accepted(StreamId stream, const env::Arrival& arrival) override;
  void on_connected(StreamId stream) override;
  void on_bytes(StreamId stream, const Bytes& bytes) override;
  void on_closed(StreamId stream, env::CloseReason reason) override;
  void on_writable(StreamId stream) override;
  void on_committed(env::CommitId id, env::CommitStatus status) override;
  void on_rows(env::ReadId id, std::vector<env::Row> rows, env::ReadStatus status) override;
  void on_deadline() override;
  void on_stop() override;
  void end_turn() override;
  [[nodiscard]] std::optional<Instant> deadline() const override;
  [[nodiscard]] bool stopped() const override;

  /// From now on this guard is asked. Who is connected stays so, unless a list of users has lost the name.
  void set_guard(std::shared_ptr<const access::Guard> guard);

  /// In a turn. Until it is called again.
  void set_pressure(Pressure pressure);
  [[nodiscard]] const Counters& counters() const;
  /// Lives as long as the shard.
  [[nodiscard]] Inspection& inspection();
  /// One report per slot held. For checks; costs the size of the state.
  [[nodiscard]] std::vector<SlotReport> report() const;
  /// The node a client's slot is coordinated by, as this node sees it (targets "coordinator:CLIENT").
  [[nodiscard]] NodeId coordinator_of(std::string_view client) const;
  /// The replicas of a client's slot in preference order (target "replicas:CLIENT").
  [[nodiscard]] std::vector<NodeId> replicas_of(std::string_view client) const;

 private:
  std::unique_ptr<ShardParts> parts_;
};

}  // namespace hf::node
