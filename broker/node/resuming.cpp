// What a session's next connection is sent again, under the packet ids of the one before.
#include <algorithm>

#include "broker/node/coordinator.hpp"
#include "broker/node/parts.hpp"

namespace hf::node {

void Coordinator::find_resumable(const slot::Session& session, Attached& attached) {
  if (session.queue.empty() && attached.flight->empty()) return;
  Flight& flight = attached.flight.edit();
  flight.resume.clear();
  for (const auto& [place, entry] : session.queue) {
    if (entry->packet_id == 0) continue;
    flight.bound.insert(entry->packet_id);
    if (!flight.in_flight.contains(entry->name)) flight.resume.push_back(entry->name);
  }
}

/// What was given out before is in the client's window already, wherever it stands in the queue: it goes first, and
/// waits for no window. Two entries under one id: the later one gets another, in its turn.
void Coordinator::resume(SlotId slot, const std::string& client, const slot::Session& session, Attached& attached) {
  const slot::Stamp epoch = parts_.slots.held(slot)->epoch();
  if (attached.flight->resume.empty()) return;
  Flight& flight = attached.flight.edit();
  std::vector<const slot::Entry*> again;
  slot::pb::Operation operation;
  for (const slot::Name& name : std::exchange(flight.resume, {})) {
    const auto found = session.entries.find(name);
    if (found == session.entries.end() || found->second.done || flight.in_flight.contains(name)) continue;
    const slot::Entry& entry = found->second;
    if (parts_.groups_of_members.revoked(slot, entry)) continue;
    if (decided_step(parts_.slots.held(slot)->state(), entry) && !decides_qos2(slot)) {
      flight.resume.push_back(name);
      continue;
    }
    if (!flight.ids.emplace(entry.packet_id, name).second) continue;
    flight.in_flight[name] = entry.packet_id;
    flight.resumed.insert(entry.packet_id);
    flight.recds = std::max(flight.recds, entry.recd);
    again.push_back(&entry);
    if (!decided_step(parts_.slots.held(slot)->state(), entry) || entry.epoch == epoch) continue;
    auto& one = *operation.mutable_send()->add_entries();  // of an earlier epoch: perhaps decided, and now for sure
    slot::to_pb(name, one.mutable_name());
    one.set_packet_id(entry.packet_id);
  }
  if (operation.has_send()) log_send(slot, client, attached, std::move(operation), true);
  // PUBRELs in the order of the PUBRECs [MQTT-4.6.0-4].
  std::stable_sort(again.begin(), again.end(), [](const slot::Entry* a, const slot::Entry* b) { return a->recd < b->recd; });
  resend(slot, client, attached, again);
}

/// One order over both QoS [MQTT-4.6.0-1]: what another coordinator gave out or saw at QoS 2 is sent only once a majority is known to
/// hold it. QoS 1 after it waits for that (as long as there is a majority), and what is new waits for such QoS 1.
void Coordinator::resend(SlotId slot, const std::string& client, Attached& attached, const std::vector<const slot::Entry*>& entries) {
  const slot::State& state = parts_.slots.held(slot)->state();
  std::vector<slot::Name> gated;
  for (const slot::Entry* entry : entries) {
    const bool decided = decided_step(state, *entry);
    if (!decided && gated.empty()) {
      push(slot, attached, *entry, true);
      continue;
    }
    gated.push_back(entry->name);
    if (!decided) attached.flight.edit().behind.insert(entry->name);
  }
  if (gated.empty()) return;
  parts_.slots.held(slot)->when_stored(tail(slot), true, [this, slot, client, attach = attached.attach, gated = std::move(gated)] {
    Attached* still = current(slot, client, attach);
    if (still == nullptr) return;
    const slot::Session& now = *session(slot, client);
    for (const slot::Name& name : gated) {
      const bool waited = still->flight.edit().behind.erase(name) != 0;
      const auto found = now.entries.find(name);
      if (found == now.entries.end() || found->second.done || parts_.groups_of_members.revoked(slot, found->second)) continue;
      if (waited || decided_step(parts_.slots.held(slot)->state(), found->second)) send_again(slot, *still, found->second);
    }
    serving_[slot].pump.insert(client);
    pump_slots_.insert(slot);
  });
}

void Coordinator::send_again(SlotId slot, const Attached& attached, const slot::Entry& entry) {
  if (entry.qos == 2) parts_.env.reached("resume.inflight_qos2");
  if (entry.qos == 2 && entry.recd != 0 && !parts_.config.mutant.is("publish_after_pubrel"))
    push_pubrel(attached, entry);
  else
    push(slot, attached, entry, true);
}

/// QoS 1 waits for QoS 2 no longer: there is no majority any more.
void Coordinator::send_behind(SlotId slot, Attached& attached, const slot::Session& session) {
  const std::set<slot::Name> behind = std::exchange(attached.flight.edit().behind, {});
  for (const auto& [place, entry] : session.queue)
    if (behind.contains(entry->name)) push(slot, attached, *entry, true);
}

/// A PUBREC of what this connection has not been sent: what is to be sent again, or was, is under way; nothing else is.
void Coordinator::doubts(SlotId slot, NodeId from, const pb::Request& request) {
  const std::string& client = request.client();
  const auto it = serving_[slot].attached.find(client);
  const slot::Session* now = session(slot, client);
  const bool current = it != serving_[slot].attached.end() && it->second.connection == request.connection() &&
                       it->second.node == from && now != nullptr && now->exists() && now->attach_stamp == it->second.attach;
  if (!current) return redirect(from, request);  // not attached yet, or not any more
  resume(slot, client, *now, it->second);
  const Flight& flight = *it->second.flight;
  std::set<std::uint16_t> under_way = flight.resumed;
  for (const slot::Name& name : flight.resume)  // waits for a majority
    if (const auto found = now->entries.find(name); found != now->entries.end()) under_way.insert(found->second.packet_id);
  pb::Reply yes = answer(request);
  for (const std::uint32_t id : request.doubts().packet_ids())
    if (!under_way.contains(static_cast<std::uint16_t>(id))) yes.add_unknown_ids(id);
  reply(from, yes);
}

}  // namespace hf::node
