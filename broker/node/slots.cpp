// Which slots this node holds, what it is for each of them, and who serves it: claims, yields, readiness.
#include "broker/node/slots.hpp"

#include <algorithm>

#include "broker/base/assert.hpp"
#include "broker/cluster/placement.hpp"
#include "broker/node/parts.hpp"

namespace hf::node {

void Slots::configure() {
  std::vector<cluster::Member> members;
  for (const MemberConfig& m : parts_.config.members) members.push_back({m.id, m.name, m.address, m.zone});
  slots_.resize(parts_.config.slots + 1);
  for (SlotId id = 0; id < parts_.config.slots; ++id) {
    Slot& slot = slots_[id];
    slot.preference = cluster::preference_list(id, members, parts_.config.replicas);
    slot.replica = is_replica(id, parts_.config.id);
  }
}

void Slots::start() {
  Slot& local = slots_[parts_.local_slot()];
  local.held = std::make_unique<replica::SlotReplica>(parts_.local_slot(), parts_.self, true, parts_.config.mutant, parts_.env.random());
  local.serving = local.claiming = local.replica = local.decides = true;
  local.coordinator = parts_.self.node;
  local.preference = {parts_.self.node};
  for (SlotId id = 0; id < parts_.config.slots; ++id) {
    if (slots_[id].replica) ensure_held(id);
    if (slots_[id].held) forgettable_.insert(id);
  }
  refresh_all();
}

SlotId Slots::slot_of(std::string_view key) const { return cluster::slot_of(key, parts_.config.slots); }

const Slots::Slot& Slots::at(SlotId slot) const {
  static const Slot none;
  return slot < slots_.size() ? slots_[slot] : none;
}

bool Slots::is_replica(SlotId slot, NodeId node) const {
  const auto& list = at(slot).preference;
  const auto end = list.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(list.size(), parts_.config.replicas));
  return std::find(list.begin(), end, node) != end;
}

std::uint32_t Slots::place(SlotId slot) const {
  const auto& list = at(slot).preference;
  return static_cast<std::uint32_t>(std::find(list.begin(), list.end(), parts_.self.node) - list.begin());
}

bool Slots::all_replicas_reachable(SlotId slot) const {
  if (slot == parts_.local_slot()) return true;
  const auto& q = slots_[slot].held->quorum();
  return q.reachable == q.replicas.size();
}

replica::SlotReplica& Slots::ensure_held(SlotId slot) {
  Slot& s = slots_[slot];
  if (!s.held) {
    // A copy that was let go has numbered operations already: the next one of this boot needs a name of its own.
    const Origin origin{parts_.self.node, parts_.self.boot + (s.copies_let_go << boot_bits)};
    s.held = std::make_unique<replica::SlotReplica>(slot, origin, false, parts_.config.mutant, parts_.env.random());
    parts_.gossip_soon();
  }
  return *s.held;
}

bool Slots::ready(SlotId slot, NodeId node) const {
  if (node == parts_.self.node) return slots_[slot].ready;
  const auto it = peers_.find(node);
  if (it == peers_.end() || it->second.ready.size() <= slot / 8) return false;
  return (static_cast<unsigned char>(it->second.ready[slot / 8]) >> (slot % 8) & 1U) != 0;
}

void Slots::choose_coordinator(SlotId id) {
  Slot& slot = slots_[id];
  NodeId first_up = 0;
  NodeId first_ready = 0;
  for (const NodeId node : slot.preference) {
    if (!parts_.cluster->is_up(node) && node != parts_.self.node) continue;
    if (first_up == 0) first_up = node;
    if (ready(id, node)) {
      first_ready = node;
      break;
    }
  }
  slot.coordinator = first_ready != 0 ? first_ready : first_up;
}

std::vector<NodeId> Slots::holders(SlotId id) const {
  std::vector<NodeId> out;
  for (const NodeId node : parts_.cluster->view()) {
    if (node == parts_.self.node) continue;
    const auto it = peers_.find(node);
    if (is_replica(id, node) || (it != peers_.end() && it->second.strays.contains(id))) out.push_back(node);
  }
  return out;
}

bool Slots::complete_enough() const {
  if (parts_.cluster->view().size() == parts_.config.members.size()) return true;
  return parts_.env.now() - parts_.started >= 2 * parts_.config.detect_after;
}

void Slots::stop_serving(Slot& slot, SlotId id) {
  if (slot.ready || !slot.replica) claims_.erase(id);
  if (!slot.claiming && !slot.serving && !parts_.coordinator.parks(id)) return;
  if (slot.held) slot.held->drop_gates();
  slot.claiming = slot.serving = slot.decides = false;
  parts_.coordinator.stop_serving(id);
}

void Slots::refresh_all() {
  for (SlotId id = 0; id < parts_.config.slots; ++id) refresh(id);
}

void Slots::refresh(SlotId id) {
  Slot& slot = slots_[id];
  const NodeId self = parts_.self.node;
  const NodeId before = slot.coordinator;
  choose_coordinator(id);
  const bool mine = slot.coordinator == self;
  if (before != slot.coordinator) parts_.requests.coordinator_changed(id);
  if (!mine) stop_serving(slot, id);
  if (mine && !slot.claiming && parts_.env.now() < std::max(slot.hold_off, alone_until_)) return;
  if (mine || slot.replica) ensure_held(id);
  if (!slot.held) return;
  if (!mine && !slot.replica && parts_.config.mutant.is("copy_dropped_early")) return drop(id);
  if (!mine && !slot.replica) forgettable_.insert(id);  // to be let go

  replica::Quorum quorum;
  for (const NodeId node : slot.preference) {
    if (quorum.replicas.size() == parts_.config.replicas) break;
    quorum.replicas.push_back(node);
    quorum.reachable += parts_.cluster->is_up(node) || node == self ? 1U : 0U;
  }
  quorum.write = parts_.config.write_quorum;
  slot.held->set_quorum(quorum);

  replica::Outbox out;
  std::vector<NodeId> wanted;
  if (mine || (slot.replica && !slot.ready))
    wanted = holders(id);
  else if (slot.replica)
    wanted.push_back(slot.coordinator);
  if (mine && !slot.claiming) {
    claim(id);
  } else {
    for (const NodeId node : wanted) {
      if (slot.held->follows(node)) continue;
      slot.held->follow(node, mine, out);
      if (mine && slot.serving && !parts_.config.mutant.is("serve_before_caught_up")) {
        slot.serving = false;  // a holder came back: nothing is served before its word is in
        claims_.insert(id);
      }
    }
  }
  for (const auto& member : parts_.config.members)
    if (slot.held->follows(member.id) && std::find(wanted.begin(), wanted.end(), member.id) == wanted.end())
      slot.held->unfollow(member.id, out);
  if (!slot.ready && slot.replica) claims_.insert(id);
  touched_.insert(id);
  flush(out);
  check_progress(id);
  check_decides(id);
}

/// Asks every reachable holder to yield, and for what it has.
void Slots::claim(SlotId id) {
  Slot& slot = slots_[id];
  slot.claiming = true;
  slot.held->claim(parts_.stamp());
  slot.asked = parts_.env.now();
  claims_.insert(id);
  replica::Outbox out;
  for (const NodeId node : holders(id)) slot.held->follow(node, true, out);
  touched_.insert(id);
  flush(out);
}

/// Promises and words of replicas came or went.
void Slots::check_decides(SlotId id) {
  Slot& slot = slots_[id];
  if (id == parts_.local_slot() || !slot.held) return;
  const bool before = slot.decides;
  slot.decides = slot.serving && slot.held->decides();
  if (slot.decides && !before) parts_.coordinator.begin_deciding(id);
  if (!slot.decides && before) parts_.coordinator.stop_deciding(id);
}

void Slots::check_progress(SlotId id) {
  Slot& slot = slots_[id];
  if (!slot.held || (slot.serving && slot.ready)) {
    claims_.erase(id);
    return;
  }
  if (!complete_enough()) return;
  const bool skip = parts_.config.mutant.is("serve_before_caught_up");
  for (const NodeId node : holders(id))
    if (slot.held->follows(node) && !skip && !slot.held->synced(node, slot.claiming)) return;
  if (slot.replica && !slot.ready) {
    slot.ready = true;
    parts_.gossip_soon();
    if (!slot.claiming) return refresh(id);  // being ready may make this node the coordinator
  }
  if (slot.claiming && !slot.serving) {
    slot.serving = true;
    claims_.erase(id);
    forgettable_.insert(id);
    parts_.env.reached("slot.serving");
    parts_.coordinator.begin_serving(id);
    check_decides(id);
  }
  if (!slot.claiming && (slot.ready || !slot.replica)) claims_.erase(id);
}

bool Slots::decide_yield(SlotId id, NodeId claimer) {
  Slot& slot = slots_[id];
  const auto& list = slot.preference;
  const bool precedes = std::find(list.begin(), list.end(), parts_.self.node) < std::find(list.begin(), list.end(), claimer);
  if (slot.claiming && slot.coordinator == parts_.self.node && slot.ready && precedes) return false;
  if (slot.claiming || slot.serving) {
    stop_serving(slot, id);
    slot.hold_off = parts_.env.now() + 100ms;
  }
  return true;
}

void Slots::peer_up(NodeId node) {
  peers_.erase(node);
  for (Slot& slot : slots_)
    if (slot.held) slot.held->peer_down(node);
  refresh_all();
}

void Slots::peer_down(NodeId node) {
  // Who finds itself in a minority may be the one that was away, paused say: it gives its links time to come back
  // before it speaks for slots that others served.
  if (2 * parts_.cluster->view().size() <= parts_.config.members.size())
    alone_until_ = parts_.env.now() + parts_.config.detect_after;
  for (Slot& slot : slots_)
    if (slot.held) slot.held->peer_down(node);
  refresh_all();
}

void Slots::on_gossip(NodeId from, const pb::Gossip& gossip) {
  Peer& peer = peers_[from];
  parts_.clock->observe(gossip.time());
  peer.time = gossip.time();
  const std::set<SlotId> strays(gossip.strays().begin(), gossip.strays().end());
  const std::set<SlotId> hints(gossip.hints().begin(), gossip.hints().end());
  if (peer.ready == gossip.ready() && peer.strays == strays && peer.hints == hints) return;
  for (const SlotId slot : strays)
    if (slot < parts_.config.slots) forgettable_.insert(slot);
  peer.ready = gossip.ready();
  peer.strays = strays;
  peer.hints = hints;
  refresh_all();
  parts_.requests.unblock();
}

bool Slots::knows(SlotId id, NodeId node) const {
  if (node == parts_.self.node || id == parts_.local_slot()) return true;
  if (!parts_.cluster->is_up(node)) return false;
  const auto all = holders(id);
  if (std::find(all.begin(), all.end(), node) == all.end()) return true;
  return slots_[id].held->synced(node, true);
}

bool Slots::hints_elsewhere(SlotId slot) const {
  for (const auto& [node, peer] : peers_)
    if (node != slots_[slot].coordinator && parts_.cluster->is_up(node) && peer.hints.contains(slot)) return true;
  return false;
}

void Slots::fill_gossip(pb::Gossip& gossip) const {
  std::string bits((parts_.config.slots + 7) / 8, '\0');
  for (SlotId id = 0; id < parts_.config.slots; ++id) {
    if (slots_[id].ready) bits[id / 8] = static_cast<char>(bits[id / 8] | (1 << (id % 8)));
    if (slots_[id].held && !slots_[id].replica) gossip.add_strays(id);
  }
  gossip.set_ready(std::move(bits));
}

void Slots::on_replica_message(NodeId from, const replica::pb::ReplicaMessage& message) {
  const SlotId id = message.slot();
  if (id >= parts_.config.slots) return;
  Slot& slot = slots_[id];
  bool yield = true;
  if (message.has_follow()) {
    ensure_held(id);
    const bool late = slot.held && slot::from_pb(message.follow().claim()) < slot.held->promised();
    if (message.follow().coordinating()) yield = !late && decide_yield(id, from);
    forgettable_.insert(id);
  }
  if (!slot.held) return;
  replica::Outbox out;
  const auto time = parts_.clock->last();
  auto result = slot.held->receive(from, message, yield, time, out);
  parts_.clock->observe(result.latest_time);
  parts_.counters.operations += result.operations;
  if (result.merged) {
    ++parts_.counters.merges;
    parts_.env.reached("slot.merged");
  }
  if (result.bad) {
    parts_.env.log({env::Level::warn, "slot " + std::to_string(id) + ": damaged or missing operations from node " +
                                         std::to_string(from) + ": asking again"});
    slot.held->follow(from, slot.claiming, out);
  }
  touched_.insert(id);
  if (result.operations != 0 || result.merged) {
    forgettable_.insert(id);
    parts_.coordinator.changed(id, result.changes, true);
  }
  flush(out);
  if (claims_.contains(id)) check_progress(id);
  check_decides(id);
}

void Slots::touched(SlotId slot) {
  touched_.insert(slot);
  if (slot < parts_.config.slots) forgettable_.insert(slot);
}

bool Slots::fire_gates() {
  bool any = false;
  const std::set<SlotId> now(touched_);
  for (const SlotId id : now) {
    if (!slots_[id].held) continue;
    for (auto& then : slots_[id].held->take_fired(parts_.counters.stable_copies)) {
      any = true;
      then();
    }
  }
  return any;
}

void Slots::stream() {
  // Beyond half of it, what can wait for the peer to take something does.
  const auto room = [this](NodeId node) {
    const std::size_t queued = parts_.cluster->outbox_bytes(node), most = parts_.config.max_outbox_bytes / 2;
    return queued < most ? most - queued : 0;
  };
  std::set<SlotId> due = std::exchange(without_room_, {});
  due.insert(touched_.begin(), touched_.end());
  replica::Outbox out;
  for (const SlotId id : due) {
    if (!slots_[id].held || id == parts_.local_slot()) continue;
    if (slots_[id].held->stream(room, out)) without_room_.insert(id);
    flush(out);
  }
  unsaved_.merge(touched_);
  touched_.clear();
}

Slots::Collected Slots::collect(env::Batch& batch) {
  Collected out;
  for (const SlotId id : unsaved_) parts_.retained.measure(id);
  for (const SlotId id : unsaved_)
    if (slots_[id].held)
      if (auto stored = slots_[id].held->take_batch(batch)) out.emplace_back(id, std::move(*stored));
  unsaved_.clear();
  return out;
}

void Slots::durable(const Collected& slots) {
  replica::Outbox out;
  for (const auto& [id, stored] : slots) {
    if (!slots_[id].held) continue;
    slots_[id].held->durable(stored, parts_.clock->last(), out);
    touched_.insert(id);
    check_decides(id);
  }
  flush(out);
}

void Slots::flush(replica::Outbox& out) {
  for (auto& [node, message] : out) {
    pb::PeerMessage envelope;
    *envelope.mutable_replica() = std::move(message);
    parts_.send(node, std::move(envelope));
  }
  out.clear();
}

}  // namespace hf::node
