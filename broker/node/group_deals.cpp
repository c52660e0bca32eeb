// Shared subscriptions, at the coordinator of a member's session: deals come in, and how they ended goes back.
#include <algorithm>

#include "broker/node/group_members.hpp"
#include "broker/node/groups.hpp"
#include "broker/node/parts.hpp"

namespace hf::node {

namespace {
/// A word of an earlier epoch than the Send that gave the packet id was not decided when that was.
bool counts(const slot::Settled& settled, const slot::Entry* entry) {
  return entry == nullptr || entry->done || settled.outcome == slot::Outcome::delivered || settled.epoch >= entry->epoch;
}
const slot::Entry* entry_of(const slot::State& state, const std::string& client, const slot::Name& deal) {
  const auto it = state.sessions.find(client);
  if (it == state.sessions.end()) return nullptr;
  const auto found = it->second.entries.find(deal);
  return found == it->second.entries.end() ? nullptr : &found->second;
}
}  // namespace

bool GroupMembers::revoked(SlotId slot, const slot::Entry& entry) const {
  const auto& settled = parts_.slots.held(slot)->state().settled;
  const auto it = settled.find(entry.name);
  return it != settled.end() && it->second.outcome == slot::Outcome::revoked && counts(it->second, &entry);
}

void GroupMembers::reply(const std::string& group, const slot::Name& deal, pb::DealReply::How how, bool away) {
  pb::PeerMessage message;
  pb::DealReply& said = *message.mutable_deal_reply();
  said.set_slot(deal.slot);
  said.set_group(group);
  slot::to_pb(deal.dot, said.mutable_deal());
  said.set_how(how);
  said.set_away(away);
  parts_.send(parts_.slots.coordinator(deal.slot), std::move(message));
}

void GroupMembers::on_deal(NodeId, const pb::DealRequest& request) {
  const MemberAddress address = member_address(request.member());
  if (address.local && (address.node != parts_.self.node || address.boot != parts_.self.boot)) return;
  const SlotId slot = address.local ? parts_.local_slot() : parts_.slots.slot_of(address.session);
  if (!parts_.slots.serving(slot) || request.slot() >= parts_.config.slots || !is_group(request.group())) return;
  const std::string& client = address.session;
  const auto* held = parts_.slots.held(slot);
  const bool here = connected(slot, client) && subscribed(slot, client, request.group().substr(1));
  if (request.deal().seq() == 0) {
    if (here) parts_.coordinator.push_unkept(slot, client, request);
    return;
  }
  // What is older than the horizon may be about a deal that is forgotten.
  if (!parts_.slots.decides(slot) || (slot != parts_.local_slot() && request.time() < held->horizon())) return;
  const slot::Name name{.identity = true, .front = false, .slot = request.slot(), .dot = slot::from_pb(request.deal())};
  const slot::Session* at = session(slot, client);
  const slot::Entry* entry = entry_of(held->state(), client, name);
  Client& state = slots_[slot][client];
  const bool known = entry != nullptr || held->state().settled.contains(name);
  if (!known && !request.has_message()) {
    dirty_.insert({slot, client});
    return reply(request.group(), name, pb::DealReply::UNKNOWN, !here);
  }
  Open& open = state.open.try_emplace(name, Open{request.group(), request.qos(), false}).first->second;
  dirty_.insert({slot, client});
  if (known) {
    if (entry != nullptr && !entry->done) reply(request.group(), name, pb::DealReply::HELD, !here);
    return;  // if it has ended, that is said once it is looked at
  }
  const std::string filter = request.group().substr(1);
  const std::uint32_t qos =
      here ? std::min(request.qos(), session(slot, client)->subscriptions.at(filter).options.qos()) : request.qos();
  if (qos == 0) {  // as much as the member asked for
    if (here) parts_.coordinator.push_unkept(slot, client, request);
    open.settling = true;
    return settle(slot, client, {name}, here ? slot::Outcome::delivered : slot::Outcome::revoked);
  }
  if (!here || at == nullptr) {
    open.settling = true;
    return settle(slot, client, {name}, slot::Outcome::revoked);
  }
  slot::pb::Operation operation;
  auto& enqueue = *operation.mutable_enqueue();
  *enqueue.mutable_message() = request.message();
  slot::to_pb(name, enqueue.mutable_message()->mutable_identity());
  enqueue.mutable_message()->mutable_deal()->set_group(request.group());
  enqueue.mutable_message()->mutable_deal()->set_slot(request.slot());
  auto& target = *enqueue.add_targets();
  target.set_client(client);
  target.set_qos(qos);
  target.set_retain(request.retain());
  if (request.identifier() != 0 && !parts_.config.mutant.is("deal_without_identifier")) target.add_identifiers(request.identifier());
  parts_.coordinator.append(slot, std::move(operation));
  reply(request.group(), name, pb::DealReply::HELD, false);
}

void GroupMembers::look_at_deals(SlotId slot, const std::string& client, Client& state, bool ends) {
  if (!parts_.slots.decides(slot)) return;
  const slot::State& all = parts_.slots.held(slot)->state();
  const auto it = all.sessions.find(client);
  std::vector<slot::Name> delivered, revoked;
  for (auto& [name, open] : state.open) {
    if (open.settling) continue;
    const slot::Entry* entry = entry_of(all, client, name);
    const auto settled = all.settled.find(name);
    if (settled != all.settled.end() && counts(settled->second, entry)) {
      (settled->second.outcome == slot::Outcome::delivered ? delivered : revoked).push_back(name);
      open.settling = true;
      continue;
    }
    DealFacts facts;
    facts.entry = entry != nullptr && !entry->done;
    facts.qos = facts.entry ? entry->qos : open.qos;
    facts.given = entry != nullptr && (entry->done ? entry->given : entry->packet_id != 0);
    facts.session = !ends && it != all.sessions.end() && it->second.exists();
    facts.connected = connected(slot, client);
    facts.gone = !facts.connected && gone(slot, client, state);
    facts.subscribed = subscribed(slot, client, open.group.substr(1));
    const Fate what = fate(facts);
    if (what == Fate::keep) continue;
    (what == Fate::discard ? delivered : revoked).push_back(name);
    open.settling = true;
  }
  if (!delivered.empty()) settle(slot, client, delivered, slot::Outcome::delivered);
  if (!revoked.empty()) settle(slot, client, revoked, slot::Outcome::revoked);
}

void GroupMembers::delivered(SlotId slot, const std::string& client, const std::vector<slot::Name>& deals) {
  for (const slot::Name& name : deals)
    if (const auto at = slots_[slot][client].open.find(name); at != slots_[slot][client].open.end()) at->second.settling = true;
  settle(slot, client, deals, slot::Outcome::delivered);
}

/// Logged under this epoch (again, where it was under an earlier one), then said.
void GroupMembers::settle(SlotId slot, const std::string& client, const std::vector<slot::Name>& deals, slot::Outcome outcome) {
  auto* held = parts_.slots.held(slot);
  slot::pb::Operation operation;
  auto& op = *operation.mutable_settle();
  op.set_outcome(static_cast<std::uint32_t>(outcome));
  slot::to_pb(held->epoch(), op.mutable_epoch());
  for (const slot::Name& name : deals) {
    const auto it = held->state().settled.find(name);
    if (it == held->state().settled.end() || it->second.epoch != held->epoch() || it->second.outcome != outcome)
      slot::to_pb(name, op.add_names());
  }
  const auto gate = op.names_size() == 0 ? parts_.coordinator.tail(slot) : parts_.coordinator.append(slot, std::move(operation));
  held->when_stored(gate, true, [this, slot, client, deals, outcome] {
    for (const slot::Name& name : deals)
      if (!overruled(slot, client, name, outcome)) say(slot, client, name, outcome);
  });
}

/// What was logged without a majority is stored by one after a heal only, and another coordinator may have decided otherwise
/// meanwhile: then the deal is looked at anew.
bool GroupMembers::overruled(SlotId slot, const std::string& client, const slot::Name& deal, slot::Outcome outcome) {
  const slot::State& all = parts_.slots.held(slot)->state();
  const auto settled = all.settled.find(deal);
  if (settled == all.settled.end() || (settled->second.outcome == outcome && counts(settled->second, entry_of(all, client, deal)))) return false;
  Client& state = slots_[slot][client];
  if (const auto open = state.open.find(deal); open != state.open.end()) open->second.settling = false;
  dirty_.insert({slot, client});
  return true;
}

void GroupMembers::say(SlotId slot, const std::string& client, const slot::Name& deal, slot::Outcome outcome) {
  const slot::State& all = parts_.slots.held(slot)->state();
  parts_.coordinator.note_unretired(slot, deal);
  if (const slot::Entry* entry = entry_of(all, client, deal); entry != nullptr && !entry->done) {
    slot::pb::Operation operation;
    operation.mutable_done()->set_client(client);
    slot::to_pb(deal, operation.mutable_done()->add_names());
    parts_.coordinator.append(slot, std::move(operation));
  }
  if (outcome == slot::Outcome::revoked) parts_.env.reached("group.revoked");
  Client& state = slots_[slot][client];
  const auto open = state.open.find(deal);
  if (open == state.open.end()) return;
  const std::string group = open->second.group;
  state.open.erase(open);
  dirty_.insert({slot, client});
  reply(group, deal, outcome == slot::Outcome::delivered ? pb::DealReply::DELIVERED : pb::DealReply::REVOKED,
        !connected(slot, client));
}

}  // namespace hf::node
