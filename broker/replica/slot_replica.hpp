// One slot at one holder: its state, its log, who reads it, who has stored what, and what waits for that.
#pragma once

#include <array>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "broker/base/mutant.hpp"
#include "broker/env/storage.hpp"
#include "broker/replica/replica.pb.h"
#include "broker/slot/apply.hpp"
#include "broker/slot/log.hpp"
#include "broker/slot/rows.hpp"

namespace hf::replica {

/// The write rule in force: which nodes are the slot's replicas, and how many of them can be reached.
struct Quorum {
  std::vector<NodeId> replicas;  ///< the first R of the preference list
  std::size_t reachable = 0;     ///< of them, this node included
  std::size_t write = 2;         ///< W
};

/// Messages for other holders, in order.
using Outbox = std::vector<std::pair<NodeId, pb::ReplicaMessage>>;

/// What a batch makes durable of a slot.
struct Stored {
  slot::VersionVector seen;
  slot::Stamp promised;
  friend bool operator==(const Stored&, const Stored&) = default;
};

/// Invariants:
///  1. The state is what the log's operations and the merged states made; `state().seen` says which.
///  2. A gate fires only when the rule it was made under is met by *stable* storage, in order of making.
///  3. A reader is sent each operation it lacks once, in log order (which is causal).
///  4. What a majority confirmed under one claim is known to every later claim that a majority promised itself to,
///     and no earlier claim's step is confirmed by a majority any more (Lamport, "Paxos made simple", 2001).
class SlotReplica {
 public:
  /// A local slot is neither stored nor streamed: the home of connection-bound queues. Its gates are open.
  SlotReplica(SlotId slot, Origin self, bool local, Mutant mutant, std::uint64_t seed = 0);

  [[nodiscard]] slot::State& state() { return state_; }
  [[nodiscard]] const slot::State& state() const { return state_; }
  [[nodiscard]] const slot::OperationLog& log() const { return log_; }
  [[nodiscard]] bool local() const { return local_; }

  // --- writing
  /// Stamps, applies and logs an operation made here. Returns its dot.
  slot::Dot append(slot::pb::Operation operation, slot::Stamp stamp, slot::Changes& changes);

  /// Fires once `dot` is stored by W reachable replicas, or (majority) by a majority of all replicas under this
  /// node's claim: nobody else can have decided otherwise, or will.
  void when_stored(const slot::Dot& dot, bool majority, std::function<void()> then);
  void set_quorum(Quorum quorum) { quorum_ = std::move(quorum); }
  [[nodiscard]] const Quorum& quorum() const { return quorum_; }
  /// How many replicas had it on stable storage when a gate opened -> how many gates; the last: that many or more.
  using CopiesOfGates = std::array<std::uint64_t, 9>;
  /// Takes the callbacks whose time has come. Call them after all else of the turn is in order.
  [[nodiscard]] std::vector<std::function<void()>> take_fired(CopiesOfGates& copies_of_gates);
  void drop_gates();
  [[nodiscard]] bool waiting() const { return !stored_gates_.empty() || !majority_gates_.empty(); }

  [[nodiscard]] const Origin& self() const { return self_; }
  [[nodiscard]] bool made_operations() const { return state_.seen.seen(self_) != 0; }

  // --- claims
  /// This node claims the slot: what it writes is of this epoch. `claim` is later than all promised here.
  void claim(const slot::Stamp& claim);
  [[nodiscard]] const slot::Stamp& epoch() const { return epoch_; }
  [[nodiscard]] const slot::Stamp& promised() const { return promised_; }
  /// A majority of the replicas, whose word is in, promised this node's claim; and nothing later is known.
  [[nodiscard]] bool decides() const;
  /// A later claim than this node's is known: here, promised by a replica, or in operations.
  [[nodiscard]] bool fenced() const { return latest_ > epoch_; }

  // --- storage
  /// Adds the rows and log items that changed. Returns what the batch makes durable, or nothing.
  std::optional<Stored> take_batch(env::Batch& batch);
  void durable(const Stored& stored, std::uint64_t time, Outbox& out);
  [[nodiscard]] const slot::VersionVector& durable_seen() const { return durable_; }
  /// Has `node`, a replica, on stable storage all that was here at the second last call of note_time(), as far as is
  /// known here: what is newer may still be on its way.
  [[nodiscard]] bool whole_at(NodeId node) const;
  /// To be called regularly.
  void note_time();
  /// While loading from disk.
  bool load_row(std::string_view key, std::string_view value);
  bool load_promise(std::string_view value);
  bool load_log(std::uint64_t position, std::string_view bytes);
  void load_floor(std::uint64_t begin, const slot::VersionVector& floor);
  bool finish_loading();

  // --- following
  /// Asks `source` for its log. With `coordinating` also to yield.
  void follow(NodeId source, bool coordinating, Outbox& out);
  void unfollow(NodeId source, Outbox& out);
  [[nodiscard]] bool follows(NodeId source) const { return sources_.contains(source); }
  /// Has everything that `source` had when it answered, and (claiming) its word that it yielded.
  [[nodiscard]] bool synced(NodeId source, bool claiming) const;
  /// It answered this claim, and goes on serving.
  [[nodiscard]] bool refused(NodeId source) const;
  /// Has anything come from it since it was asked, or since this was asked before.
  [[nodiscard]] bool heard_from(NodeId source);
  /// For a person.
  [[nodiscard]] std::string why_not_synced(NodeId source, bool claiming) const;
  void peer_down(NodeId peer);

  /// The result of a message: what changed, whether the follower asked for a yield.
  struct Received {
    slot::Changes changes;
    bool merged = false;
    std::uint64_t operations = 0;
    std::uint64_t latest_time = 0;  ///< greatest stamp seen in it, for the clock
    bool bad = false;               ///< not what a holder may send
    bool stable = false;
  };
  /// `yield`: what to answer where the message is a Follow of a coordinator.
  Received receive(NodeId from, const pb::ReplicaMessage& message, bool yield, std::uint64_t time, Outbox& out);
  /// Bytes that may be queued for a node now.
  using Room = std::function<std::size_t(NodeId)>;
  /// Sends each reader what it lacks, as far as there is room. At the end of a turn. True: there was not enough.
  [[nodiscard]] bool stream(const Room& room, Outbox& out);

  // --- forgetting
  /// What all replicas have confirmed, and the least time of those confirmations that show nothing this
  /// node lacks (0 if any is missing).
  [[nodiscard]] std::pair<slot::VersionVector, std::uint64_t> stable(NodeId self) const;
  void forget(const slot::VersionVector& stable, std::uint64_t horizon, slot::Changes& changes);
  /// Memory of what is stamped up to here may be gone.
  [[nodiscard]] std::uint64_t horizon() const { return horizon_; }
  [[nodiscard]] bool something_to_forget() const;
  /// May this stray copy go: all replicas have confirmed all of it.
  [[nodiscard]] bool covered_by_stable() const { return last_stable_.covers(state_.seen); }
  void announce_stable(const slot::VersionVector& stable, std::uint64_t horizon, Outbox& out);

 private:
  struct Reader {
    slot::VersionVector known;
    std::uint64_t position = 0;
    std::vector<std::pair<std::string, std::string>> rows;  ///< of a transfer under way
    std::size_t next_row = 0;
    bool transferring = false;
    bool wants_more = false;
  };
  struct Source {
    bool answered = false;
    bool yielded = false;
    bool heard = false;
    slot::Stamp claim;
    slot::VersionVector target;
    std::unique_ptr<slot::State> incoming;
    bool damaged = false;
  };
  struct Confirmed {
    slot::VersionVector durable;
    std::uint64_t time = 0;
    slot::Stamp promised;
  };
  struct Gate {
    slot::Dot dot;
    std::function<void()> then;
  };

  void on_follow(NodeId from, const pb::Follow& follow, bool yield, Outbox& out);
  void on_ops(NodeId from, const pb::Ops& ops, Received& result);
  void on_chunk(NodeId from, const pb::StateChunk& chunk, Received& result, Outbox& out);
  void begin_transfer(Reader& reader);
  void send_chunk(NodeId to, Reader& reader, Outbox& out);
  [[nodiscard]] bool stored(const slot::Dot& dot) const;
  [[nodiscard]] bool stored_by_majority(const slot::Dot& dot) const;
  [[nodiscard]] bool confirmed_by(NodeId node, const slot::Dot& dot, bool under_claim) const;
  [[nodiscard]] std::size_t copies(const slot::Dot& dot, bool under_claim) const;
  void fire(std::deque<Gate>& gates, bool under_claim, std::vector<std::function<void()>>& fired, CopiesOfGates& counts);
  void confirm(NodeId to, std::uint64_t time, Outbox& out) const;

  slot::State state_;
  slot::OperationLog log_;
  Origin self_;
  bool local_;
  Mutant mutant_;
  Quorum quorum_;
  std::map<NodeId, Reader> readers_;
  std::map<NodeId, Source> sources_;
  std::map<NodeId, Confirmed> confirmed_;
  std::deque<Gate> stored_gates_, majority_gates_;
  slot::VersionVector durable_;
  slot::Stamp epoch_;                      ///< this node's latest claim
  slot::Stamp promised_, stored_promise_, durable_promise_;
  slot::Stamp latest_;                     ///< claim known of anybody
  slot::VersionVector last_stable_;
  slot::VersionVector recent_, before_;    ///< what was here at the last calls of note_time()
  std::uint64_t horizon_ = 0;
  std::uint64_t log_stored_end_ = 1;    ///< log items below are on disk (or on their way)
  std::uint64_t log_stored_begin_ = 1;
  slot::VersionVector loaded_log_;
};

/// Storage keys: "S" slot rows, "L" slot log items, "F" slot log floor, "P" slot promise; slot as 4 bytes big-endian.
[[nodiscard]] std::string row_prefix(SlotId slot);
[[nodiscard]] std::string log_prefix(SlotId slot);
[[nodiscard]] std::string floor_key(SlotId slot);
[[nodiscard]] std::string promise_key(SlotId slot);
[[nodiscard]] std::string big_endian(std::uint64_t value, std::size_t bytes);
[[nodiscard]] std::uint64_t from_big_endian(std::string_view bytes);
/// Where the keys that begin with `prefix` end.
[[nodiscard]] std::string prefix_end(std::string prefix);

}  // namespace hf::replica
