// Housekeeping of a coordinator: session timers, and identities that their publishers released are retired.
#include <utility>

#include "broker/node/coordinator.hpp"
#include "broker/node/parts.hpp"

namespace hf::node {

namespace {
constexpr std::size_t names_max = 1000;  ///< identities asked about in one message
}

void Coordinator::note_unretired(SlotId slot, const slot::Name& name) {
  if (name.identity && name.slot != slot::reading_slot) serving_[slot].unretired.insert(name);
}

void Coordinator::find_unretired(SlotId slot) {
  const slot::State& state = parts_.slots.held(slot)->state();
  for (const auto& client : state.remembering) {
    const slot::Session& session = state.sessions.find(client)->second;
    for (auto it = session.entries.lower_bound(slot::Name{.identity = true, .front = false, .slot = 0, .dot = {}});
         it != session.entries.end(); ++it)
      if (it->second.done && !state.retired.contains(it->first)) note_unretired(slot, it->first);
  }
  for (const auto& [name, settled] : state.settled)
    if (!state.retired.contains(name)) note_unretired(slot, name);
}

/// The more there are, the more seldom: while a member is out of reach nothing is retired, and there may be very many.
void Coordinator::look_for_unretired(SlotId slot) {
  Serving& serving = serving_[slot];
  if (serving.looks_after != 0) {
    --serving.looks_after;
    return;
  }
  find_unretired(slot);
  serving.looks_after = (serving.unretired.size() + parts_.slots.held(slot)->state().retired.size()) / names_max;
}

/// What was asked of local sessions since the last time: nobody else can have a word on them.
void Coordinator::forget_local() {
  const std::set<std::string> clients = std::exchange(local_touched_, {});
  if (clients.empty()) return;
  slot::Changes changes;
  auto* held = parts_.slots.held(parts_.local_slot());
  slot::forget(held->state(), held->state().seen, UINT64_MAX, clients, changes);
}

void Coordinator::tick() {
  forget_local();
  tick_sessions();
  for (SlotId slot = 0; slot <= parts_.local_slot(); ++slot) {
    if (!parts_.slots.serving(slot)) continue;
    clear_up(slot);
    ask_to_retire(slot);
  }
}

/// Asks whoever gave the names whether they are released; on from where the question before ended, for many may not be for long.
void Coordinator::ask_to_retire(SlotId slot) {
  Serving& serving = serving_[slot];
  const std::set<slot::Name>& all = serving.unretired;
  decltype(serving.retire_asked) asked;
  for (auto first = all.begin(); first != all.end();) {
    slot::Name beyond = *first;  // all of one giver
    beyond.dot = {{UINT32_MAX, UINT32_MAX}, UINT64_MAX};
    const auto end = all.upper_bound(beyond);
    pb::PeerMessage message;
    pb::RetireQuery& query = *message.mutable_retire_query();
    query.set_slot(first->slot);
    query.set_front(first->front);
    query.set_asking(slot);
    query.set_asking_local(slot == parts_.local_slot());
    const auto before = serving.retire_asked.find({first->front, first->written, first->slot});
    auto it = before == serving.retire_asked.end() ? first : all.upper_bound(before->second);
    if (it == end) it = first;
    const auto begin = it;
    slot::Name last;
    do {
      last = *it;
      slot::to_pb(last, query.add_names());
      if (++it == end) it = first;
    } while (it != begin && static_cast<std::size_t>(query.names_size()) < names_max);
    asked[{first->front, first->written, first->slot}] = last;
    parts_.send(first->front ? first->slot : parts_.slots.coordinator(first->slot), std::move(message));
    first = end;
  }
  serving.retire_asked = std::move(asked);
}

/// Has every replica stored what was known here when this was first asked about `name`.
bool Coordinator::known_everywhere(SlotId slot, const slot::Dot& name) {
  auto& asked = serving_[slot].wills_asked;
  const auto* held = parts_.slots.held(slot);
  const auto [since, fresh] = asked.try_emplace(name, held->state().seen);
  if (!held->stable(parts_.self.node).first.covers(since->second)) return false;
  asked.erase(since);
  return true;
}

void Coordinator::on_retire_query(NodeId from, const pb::RetireQuery& query) {
  const SlotId slot = query.front() ? parts_.local_slot() : query.slot();
  if (slot > parts_.local_slot() || !parts_.slots.serving(slot)) return;
  const slot::State& state = parts_.slots.held(slot)->state();
  std::set<slot::Dot> fired;  // by the name of the connection
  for (const auto& [at, will] : state.wills) fired.insert(slot::from_pb(will.message.identity()).dot);
  const bool whole = parts_.cluster->view().size() == parts_.config.members.size();
  const bool left = parts_.slots.left_elsewhere(slot) && !parts_.config.mutant.is("will_name_retired_early");
  pb::PeerMessage message;
  pb::RetireAnswer& answer = *message.mutable_retire_answer();
  answer.set_slot(query.asking());
  answer.set_local(query.asking_local());
  for (const auto& name : query.names()) {
    const slot::Dot dot = slot::from_pb(name).dot;
    // Released: what gave the name is known here, and nobody holds it now. (Whoever does not know it cannot tell.) A
    // front that restarted has forgotten its publishers, and they their flows.
    // A will is published by whoever has fired it: all of them are heard of only while all members are in view, and
    // nobody fires it again once every replica knows that it is over, and no stand-in holds a copy of before.
    if (names_a_will(dot)) {
      if (whole) void_if_published(slot, dot);
      if (whole && !fired.contains(dot) && !left && known_everywhere(slot, dot)) *answer.add_released() = name;
      continue;
    }
    const bool known = state.seen.covers(dot) || (query.front() && dot.origin.boot < parts_.self.boot);
    const bool held = state.inbound_names.contains(dot) || parts_.groups.deals(slot, dot);
    if (known && (!held || parts_.config.mutant.is("identity_forgotten_early"))) *answer.add_released() = name;
  }
  if (answer.released_size() == 0 || !parts_.slots.decides(slot)) return;
  // That a deal is over is said once it cannot be forgotten any more: nobody asks for it again.
  parts_.slots.held(slot)->when_stored(tail(slot), true, [this, from, message] { parts_.send(from, message); });
}

void Coordinator::on_retire_answer(const pb::RetireAnswer& answer) {
  const SlotId slot = answer.local() ? parts_.local_slot() : answer.slot();
  if (slot > parts_.local_slot() || !parts_.slots.serving(slot)) return;
  slot::pb::Operation operation;
  for (const auto& name : answer.released())
    if (serving_[slot].unretired.erase(slot::from_pb(name)) != 0) *operation.mutable_retire()->add_names() = name;
  if (!operation.has_retire()) return;
  append(slot, std::move(operation));
  if (slot != parts_.local_slot()) return;
  slot::Changes changes;
  auto* held = parts_.slots.held(slot);
  slot::forget(held->state(), held->state().seen, UINT64_MAX, changes);
}

}  // namespace hf::node
