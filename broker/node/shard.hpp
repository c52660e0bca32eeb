// The shard: one single-threaded actor that is fed events and acts through the environment.
#pragma once

#include <memory>

#include "broker/env/environment.hpp"
#include "broker/node/config.hpp"

namespace hf::node {

struct ShardParts;

/// Counters for facts, metrics and tests. Monotonic since boot unless said otherwise.
struct Counters {
  std::uint64_t connections = 0;       ///< now
  std::uint64_t connects = 0;
  std::uint64_t publishes_in = 0;
  std::uint64_t publishes_out = 0;
  std::uint64_t acknowledgements = 0;  ///< PUBACK and PUBREC sent
  std::uint64_t operations = 0;        ///< operations applied
  std::uint64_t merges = 0;            ///< whole states merged
  std::uint64_t failovers = 0;         ///< slots this node began to serve after another
  std::uint64_t takeovers = 0;
  std::uint64_t dropped = 0;           ///< messages dropped at a declared limit: the sum of the next five
  std::uint64_t dropped_queue_full = 0;
  std::uint64_t dropped_slow_reader = 0;  ///< QoS 0, beyond the unsent bytes allowed
  std::uint64_t dropped_expired = 0;
  std::uint64_t dropped_too_large = 0;    ///< for the receiver
  std::uint64_t dropped_denied = 0;       ///< the receiver may not have it
  std::uint64_t refused = 0;           ///< PUBLISH that was not carried out, with a reason code where there is one
  std::uint64_t hints = 0;             ///< hints stored
  std::uint64_t relayed = 0;           ///< peer frames relayed for others
};

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
  Shard(env::Environment& environment, Config config);
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

  [[nodiscard]] const Counters& counters() const;
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
