// Which slots this node holds, what it is for each of them, and who serves it: claims, yields, readiness.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "broker/base/time.hpp"
#include "broker/node/message.pb.h"
#include "broker/node/shard.hpp"
#include "broker/replica/slot_replica.hpp"

namespace hf::node {

/// The boot of an operation's origin: a node's start number in these bits; above them, which copy of the slot it is that
/// this start of the node has made.
constexpr std::uint32_t boot_bits = 26;

struct ShardParts;

/// Invariants:
///  1. A slot is served only by the coordinator of this node's view, after every reachable holder has sent what
///     it had and has yielded.
///  2. A copy is dropped only when every current replica has confirmed all of it.
class Slots {
 public:
  explicit Slots(ShardParts& parts) : parts_(parts) {}

  void configure();  ///< preference lists, held replicas; before loading
  void start();      ///< after loading

  [[nodiscard]] SlotId slot_of(std::string_view key) const;
  // What other nodes say may name slots that do not exist: such a slot is nobody's.
  [[nodiscard]] NodeId coordinator(SlotId slot) const { return at(slot).coordinator; }
  [[nodiscard]] bool serving(SlotId slot) const { return at(slot).serving; }
  [[nodiscard]] bool is_replica(SlotId slot) const { return at(slot).replica; }
  /// Among the first R of the preference list of `slot`.
  [[nodiscard]] bool is_replica(SlotId slot, NodeId node) const;
  /// A majority of the replicas has promised this node's claim: what QoS 2 needs.
  [[nodiscard]] bool decides(SlotId slot) const { return at(slot).decides; }
  [[nodiscard]] bool all_replicas_reachable(SlotId slot) const;
  /// Caught up: this node may coordinate it.
  [[nodiscard]] bool ready(SlotId slot) const { return at(slot).ready; }
  [[nodiscard]] const std::vector<NodeId>& preference(SlotId slot) const { return at(slot).preference; }
  /// This node's place in the preference list: the residue of the packet ids it may give out.
  [[nodiscard]] std::uint32_t place(SlotId slot) const;
  [[nodiscard]] replica::SlotReplica* held(SlotId slot) { return at(slot).held.get(); }
  [[nodiscard]] const replica::SlotReplica* held(SlotId slot) const { return at(slot).held.get(); }
  replica::SlotReplica& ensure_held(SlotId slot);
  /// Has all that `node` had of a slot served here, when it yielded (or it has nothing of it).
  [[nodiscard]] bool knows(SlotId slot, NodeId node) const;
  /// May another member have something of the slot that it need not keep: a stand-in's copy, which is told nothing new, or hints.
  [[nodiscard]] bool left_elsewhere(SlotId slot) const;
  [[nodiscard]] bool hints_elsewhere(SlotId slot) const;

  void peer_up(NodeId node);
  void peer_down(NodeId node);
  void on_gossip(NodeId from, const pb::Gossip& gossip);
  void on_replica_message(NodeId from, const replica::pb::ReplicaMessage& message);
  void fill_gossip(pb::Gossip& gossip) const;

  /// Operations were appended to the slot here.
  void touched(SlotId slot);
  /// Gates whose time has come. True if any fired.
  bool fire_gates();
  /// Streams to readers what this turn made. Ends the turn's record of touched slots.
  void stream();
  /// Adds to the batch what changed since it was last called, returning what it makes durable.
  using Collected = std::vector<std::pair<SlotId, replica::Stored>>;
  Collected collect(env::Batch& batch);
  void durable(const Collected& slots);
  /// Retries, forgetting, letting go. About twice a second.
  void tick();
  void refresh(SlotId slot);
  void refresh_all();

  [[nodiscard]] std::vector<SlotReport> report() const;

 private:
  struct Slot {
    std::vector<NodeId> preference;
    std::unique_ptr<replica::SlotReplica> held;
    NodeId coordinator = 0;
    std::uint32_t copies_let_go = 0;  ///< that had made operations, in this boot
    bool replica = false;
    bool ready = false;
    bool claiming = false;
    bool serving = false;
    bool decides = false;
    Instant hold_off{};
    Instant asked{};  ///< when all were last asked for what they hold
  };
  [[nodiscard]] const Slot& at(SlotId slot) const;
  static constexpr std::uint32_t copies_max = 1U << (32 - boot_bits);
  struct Peer {
    std::string ready;
    std::set<SlotId> strays, hints;
    std::uint64_t time = 0;
  };

  void choose_coordinator(SlotId slot);
  [[nodiscard]] std::vector<NodeId> holders(SlotId slot) const;
  void check_progress(SlotId slot);
  void check_decides(SlotId slot);
  void claim(SlotId slot);
  void ask_again(SlotId slot);
  void stop_serving(Slot& slot, SlotId id);
  void drop(SlotId slot);
  void forget(SlotId slot);
  void flush(replica::Outbox& out);
  [[nodiscard]] bool ready(SlotId slot, NodeId node) const;
  [[nodiscard]] bool complete_enough() const;
  bool decide_yield(SlotId slot, NodeId claimer);

  ShardParts& parts_;
  std::vector<Slot> slots_;
  std::map<NodeId, Peer> peers_;
  std::set<SlotId> touched_;  ///< in this turn
  std::set<SlotId> without_room_;  ///< with something to send, once their readers have taken what is under way
  std::set<SlotId> unsaved_;  ///< since the last commit
  std::set<SlotId> forgettable_, claims_;
  Instant alone_until_{};  ///< a minority claims nothing before
};

}  // namespace hf::node
