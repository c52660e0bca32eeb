// Letting go and forgetting: what every replica has confirmed may be dropped, and nothing else.
#include <algorithm>

#include "broker/node/parts.hpp"
#include "broker/node/slots.hpp"

namespace hf::node {

void Slots::tick() {
  const std::set<SlotId> waiting(claims_);
  for (const SlotId id : waiting) {
    Slot& slot = slots_[id];
    if (slot.claiming && !slot.serving) ask_again(id);
    refresh(id);
  }
  for (SlotId id = 0; id < parts_.config.slots; ++id) {
    Slot& slot = slots_[id];
    if (slot.held) slot.held->note_time();
    if (slot.coordinator != parts_.self.node) continue;
    // Somebody claimed what this node still serves, and its view says so no longer: begin anew, so that QoS 2 goes on.
    if (slot.serving && slot.held->fenced() && parts_.env.now() - slot.asked >= parts_.config.detect_after) stop_serving(slot, id);
    if (!slot.claiming) refresh(id);
  }
  const std::set<SlotId> candidates(forgettable_);
  for (const SlotId id : candidates) forget(id);
}

/// Somebody did not yield, or a holder is silent. Asking anew starts anew: who has not answered yet, or is sending, is
/// given time.
void Slots::ask_again(SlotId id) {
  Slot& slot = slots_[id];
  if (slot.held->fenced()) return claim(id);  // a later claim was promised: only one later still will do
  replica::Outbox out;
  const bool due = parts_.env.now() - slot.asked >= parts_.config.detect_after;
  for (const NodeId node : holders(id)) {
    if (slot.held->synced(node, true)) continue;
    if (!slot.held->refused(node) && !(due && !slot.held->heard_from(node))) continue;
    parts_.env.log({env::Level::debug, "slot " + std::to_string(id) + " waits for node " + std::to_string(node) + ": " +
                                          slot.held->why_not_synced(node, true)});
    slot.held->follow(node, true, out);
  }
  if (due) slot.asked = parts_.env.now();
  touched_.insert(id);
  flush(out);
}

bool Slots::left_elsewhere(SlotId id) const {
  return std::any_of(parts_.config.members.begin(), parts_.config.members.end(), [&](const MemberConfig& member) {
    const auto it = peers_.find(member.id);
    if (member.id == parts_.self.node) return false;
    return it == peers_.end() || it->second.strays.contains(id) || it->second.hints.contains(id);
  });
}

void Slots::forget(SlotId id) {
  Slot& slot = slots_[id];
  if (!slot.held) {
    forgettable_.erase(id);
    return;
  }
  if (!slot.replica && slot.coordinator != parts_.self.node) {
    if (slot.held->covered_by_stable() || slot.held->state().seen.empty()) drop(id);
    return;
  }
  if (!slot.serving) {
    if (slot.coordinator != parts_.self.node && !slot.held->something_to_forget()) forgettable_.erase(id);
    return;
  }
  auto [stable, horizon] = slot.held->stable(parts_.self.node);
  // During a partition nothing is forgotten: somebody out of reach may hold an operation stamped earlier.
  if (parts_.cluster->view().size() != parts_.config.members.size()) horizon = 0;
  const bool left = left_elsewhere(id);
  if (left) horizon = 0;
  for (const auto& [node, peer] : peers_) horizon = std::min(horizon, peer.time);
  horizon = std::min(horizon, parts_.requests.oldest(parts_.clock->last()));
  if (parts_.config.mutant.is("tombstone_dropped_early")) {
    stable = slot.held->state().seen;
    horizon = parts_.clock->last();
  }
  slot::Changes changes;
  slot.held->forget(stable, horizon, changes);
  parts_.coordinator.look_for_unretired(id);
  replica::Outbox out;
  slot.held->announce_stable(stable, horizon, out);
  touched_.insert(id);
  flush(out);
  if (stable.covers(slot.held->state().seen) && !slot.held->something_to_forget() && !left && horizon != 0)
    forgettable_.erase(id);
}

void Slots::drop(SlotId id) {
  Slot& slot = slots_[id];
  if (slot.held->made_operations() && !parts_.config.mutant.is("operation_numbers_reused")) {
    if (slot.copies_let_go + 1 == copies_max) return;  // kept until the next start
    ++slot.copies_let_go;
  }
  slot.held.reset();
  parts_.retained.measure(id);
  slot.ready = slot.claiming = slot.serving = slot.decides = false;
  forgettable_.erase(id);
  touched_.erase(id);
  unsaved_.erase(id);
  claims_.erase(id);
  for (const std::string& prefix :
       {replica::row_prefix(id), replica::log_prefix(id), replica::floor_key(id), replica::promise_key(id)})
    parts_.batch.erase_range(prefix, replica::prefix_end(prefix));
  parts_.env.reached("stray.dropped");
  parts_.gossip_soon();
}

std::vector<SlotReport> Slots::report() const {
  std::vector<SlotReport> out;
  for (SlotId id = 0; id < parts_.config.slots; ++id) {
    const Slot& slot = slots_[id];
    const std::uint64_t hints = parts_.hints.count(id);
    if (!slot.held && hints == 0) continue;
    SlotReport report;
    report.slot = id;
    report.replica = slot.replica;
    report.hints = hints;
    if (slot.held) {
      report.digest = slot::digest(slot.held->state());
      report.log_tail = slot.held->log().size();
      report.tombstones = slot::tombstones(slot.held->state());
      report.text = slot::describe(slot.held->state());
    }
    out.push_back(std::move(report));
  }
  return out;
}

}  // namespace hf::node
