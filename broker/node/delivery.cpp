// What each client is owed now: the send window, packet ids, acknowledgements.
#include <algorithm>

#include "broker/node/coordinator.hpp"
#include "broker/node/parts.hpp"

namespace hf::node {

namespace {
constexpr std::uint32_t places = 16;           ///< residues of packet ids, one a place in the preference list
constexpr std::uint32_t stripes = 2 * places;  ///< and one a QoS in it
}  // namespace

bool Coordinator::decided_step(const slot::State& state, const slot::Entry& entry) {
  if (entry.qos == 2 || !entry.name.identity) return entry.qos == 2;
  const auto message = state.messages.find(entry.message);
  return message != state.messages.end() && message->second.message.has_deal();
}

void Coordinator::attach(SlotId slot, const std::string& client, const pb::Request& request) {
  Serving& serving = serving_[slot];
  const slot::Session* now = session(slot, client);
  if (const auto it = serving.attached.find(client); it != serving.attached.end()) {
    if (it->second.connection != request.connection() || it->second.node != now->connect->front().node())
      kick(client, it->second.node, it->second.connection);
    serving.attached.erase(it);
  }
  Attached attached;
  attached.node = now->connect->front().node();
  attached.connection = request.connection();
  attached.connect = now->connect_stamp;
  attached.attach = now->attach_stamp;
  const std::uint32_t wanted = now->connect->receive_maximum() == 0 ? 65535 : now->connect->receive_maximum();
  attached.window = std::min<std::uint32_t>(wanted, parts_.config.max_inflight);
  if (!parts_.config.mutant.is("new_id_on_resume")) find_resumable(*now, attached);
  serving.attached.emplace(client, std::move(attached));
  serving.pump.insert(client);
  pump_slots_.insert(slot);
  parts_.retained.attached(slot, client);
  parts_.groups_of_members.changed(slot, client);
}

slot::Dot Coordinator::log_send(SlotId slot, const std::string& client, const Attached& attached, slot::pb::Operation operation,
                                bool qos2) {
  operation.mutable_send()->set_client(client);
  slot::to_pb(attached.attach, operation.mutable_send()->mutable_attach());
  if (qos2) slot::to_pb(parts_.slots.held(slot)->epoch(), operation.mutable_send()->mutable_epoch());
  return append(slot, std::move(operation));
}

/// The queue is looked at from its beginning.
void Coordinator::forget_cursor(Attached& attached) {
  if (attached.flight->cursor) attached.flight.edit().cursor.reset();
}

bool Coordinator::pump() {
  bool any = false;
  const std::set<SlotId> slots = std::exchange(pump_slots_, {});
  for (const SlotId slot : slots) {
    if (!parts_.slots.serving(slot)) continue;
    Serving& serving = serving_[slot];
    const std::set<std::string> clients = std::exchange(serving.pump, {});
    for (const std::string& client : clients) {
      const auto it = serving.attached.find(client);
      if (it == serving.attached.end()) continue;
      any = true;
      pump_session(slot, client, it->second);
    }
  }
  return any;
}

/// A side may resend a QoS 1 message that the other side has seen acknowledged, under its old id, while the client holds a
/// QoS 2 message that the other side gave out since: so the two never share ids. (Two QoS 1 messages may: a client keeps
/// nothing of such an id. QoS 2 takes a majority, which knows.)
std::uint16_t Coordinator::next_packet_id(SlotId slot, Attached& attached, std::uint32_t qos) const {
  const bool striped = slot != parts_.local_slot() && !parts_.config.mutant.is("no_striping");
  const std::uint32_t step = striped ? stripes : 1;
  const bool upper = qos == 2 && !parts_.config.mutant.is("one_stripe_for_both_qos");
  const std::uint32_t residue = striped ? parts_.slots.place(slot) % places + (upper ? places : 0) : 0;
  std::uint32_t id = attached.last_id;
  for (std::uint32_t tried = 0; tried <= 65536 / step; ++tried) {
    id = id - id % step + residue + (id % step < residue ? 0 : step);
    if (id > parts_.config.packet_id_max || id == 0) id = residue == 0 ? step : residue;
    if (parts_.config.mutant.is("packet_id_in_use_given")) return static_cast<std::uint16_t>(id);
    if (!attached.flight->bound.contains(static_cast<std::uint16_t>(id))) return static_cast<std::uint16_t>(id);
  }
  return 0;
}

void Coordinator::pump_session(SlotId slot, const std::string& client, Attached& attached) {
  const slot::Session* now = session(slot, client);
  if (now == nullptr || !now->exists() || now->attach_stamp != attached.attach) return;
  if (attached.full) return;  // on_credit pumps again
  const bool resume_last = parts_.config.mutant.is("resume_behind_newer");
  if (!resume_last) resume(slot, client, *now, attached);
  if (!attached.flight->behind.empty()) {
    if (decides_qos2(slot)) return;  // resend() pumps again
    send_behind(slot, attached, *now);
  }
  slot::pb::Operation send1;
  slot::pb::Operation send2;
  std::vector<slot::Name> plain;
  std::vector<slot::Name> gated;
  if (now->queue.empty()) {
    if (attached.flight->in_flight.empty()) attached.flight = {};
    return;
  }
  Flight& flight = attached.flight.edit();
  auto it = flight.cursor ? now->queue.upper_bound(*flight.cursor) : now->queue.begin();
  const bool qos2 = decides_qos2(slot);
  const slot::State& state = parts_.slots.held(slot)->state();
  for (; it != now->queue.end() && flight.in_flight.size() < attached.window; ++it) {
    const slot::Entry& entry = *it->second;
    if (flight.in_flight.contains(entry.name)) continue;
    const bool decided = decided_step(state, entry);
    if (decided && !qos2) {
      flight.cursor = it->first;  // begin_deciding() looks from the beginning
      continue;
    }
    if (decided && parts_.groups_of_members.revoked(slot, entry)) continue;
    if (resume_last && entry.packet_id != 0) continue;
    const std::uint16_t id = next_packet_id(slot, attached, entry.qos);
    if (id == 0) break;
    flight.cursor = flight.cursor ? std::max(*flight.cursor, it->first) : it->first;
    attached.last_id = id;
    flight.bound.insert(id);
    flight.ids[id] = entry.name;
    flight.in_flight[entry.name] = id;
    auto& one = *(decided ? send2 : send1).mutable_send()->add_entries();
    slot::to_pb(entry.name, one.mutable_name());
    one.set_packet_id(id);
    (decided ? gated : plain).push_back(entry.name);
  }
  const slot::Stamp attach = attached.attach;
  if (!plain.empty()) log_send(slot, client, attached, std::move(send1), false);
  for (const slot::Name& name : plain) push(slot, attached, now->entries.at(name), false);
  if (resume_last) resume(slot, client, *now, attached);
  if (gated.empty()) return;
  const auto dot = log_send(slot, client, attached, std::move(send2), true);
  parts_.slots.held(slot)->when_stored(dot, true, [this, slot, client, attach, gated = std::move(gated)] {
    const Attached* still = current(slot, client, attach);
    if (still == nullptr) return;
    for (const slot::Name& name : gated) {
      const auto& entries = session(slot, client)->entries;
      const auto found = entries.find(name);
      if (found != entries.end() && !found->second.done && !parts_.groups_of_members.revoked(slot, found->second))
        push(slot, *still, found->second, false);
    }
  });
}

/// A connection that may still be sent QoS 2 packets: the session's latest, here and by every stored word.
Coordinator::Attached* Coordinator::current(SlotId slot, std::string_view client, slot::Stamp attach) {
  const auto it = serving_[slot].attached.find(client);
  if (it == serving_[slot].attached.end() || it->second.attach != attach) return nullptr;
  const slot::Session* now = session(slot, client);
  return now != nullptr && now->exists() && now->attach_stamp == attach ? &it->second : nullptr;
}

void Coordinator::push(SlotId slot, const Attached& attached, const slot::Entry& entry, bool dup) {
  const auto& messages = parts_.slots.held(slot)->state().messages;
  const auto message = messages.find(entry.message);
  if (message == messages.end()) return;
  pb::Deliver deliver;
  deliver.set_connection(attached.connection);
  slot::to_pb(entry.name, deliver.mutable_name());
  deliver.set_packet_id(attached.flight->in_flight.at(entry.name));
  deliver.set_qos(entry.qos);
  deliver.set_dup(dup && !parts_.config.mutant.is("redelivery_without_dup"));
  deliver.set_retain(entry.retain);
  for (const auto identifier : entry.identifiers) deliver.add_identifiers(identifier);
  if (attached.node == parts_.self.node) return parts_.front.deliver(parts_.self.node, deliver, message->second.message);
  *deliver.mutable_message() = message->second.message;
  pb::PeerMessage envelope;
  *envelope.mutable_deliver() = std::move(deliver);
  parts_.send(attached.node, std::move(envelope));
}

void Coordinator::push_pubrel(const Attached& attached, const slot::Entry& entry) {
  pb::PeerMessage envelope;
  pb::Deliver& deliver = *envelope.mutable_deliver();
  deliver.set_connection(attached.connection);
  slot::to_pb(entry.name, deliver.mutable_name());
  deliver.set_packet_id(attached.flight->in_flight.at(entry.name));
  deliver.set_qos(2);
  deliver.set_pubrel(true);
  parts_.send(attached.node, std::move(envelope));
}

/// Answered once it is stored what is done with: the front forgets it then. `had` false: some of it was not in flight here (yet),
/// and will be asked about again.
void Coordinator::acks(SlotId slot, NodeId from, const pb::Request& request) {
  pb::Reply taken = answer(request);
  const auto it = serving_[slot].attached.find(request.client());
  if (it == serving_[slot].attached.end() || it->second.connection != request.connection() || it->second.node != from)
    return reply(from, std::move(taken));
  bool all = true;
  Attached& attached = it->second;
  slot::pb::Operation done;
  std::vector<slot::Name> recd;
  for (const pb::Ack& ack : request.acks().acks()) {
    const auto id = static_cast<std::uint16_t>(ack.packet_id());
    const auto found = attached.flight->ids.find(id);
    const slot::Name name = slot::from_pb(ack.name());
    if (found == attached.flight->ids.end() || found->second != name) {
      all = false;
      continue;
    }
    if (ack.kind() == pb::Ack::PUBREC && !ack.failed()) {
      recd.push_back(name);
      continue;
    }
    slot::to_pb(name, done.mutable_done()->add_names());
    note_unretired(slot, name);
    Flight& flight = attached.flight.edit();
    flight.ids.erase(found);
    flight.in_flight.erase(name);
    flight.bound.erase(id);
    flight.resumed.erase(id);
  }
  if (!recd.empty()) received(slot, request.client(), attached, std::move(recd));
  taken.add_had(all);
  if (!done.has_done()) return reply(from, std::move(taken));
  done.mutable_done()->set_client(request.client());
  const std::vector<slot::Name> deals = deals_among(slot, request.client(), done.done());
  const auto dot = append(slot, std::move(done));
  parts_.slots.held(slot)->when_stored(dot, false, [this, from, taken = std::move(taken)] { reply(from, taken); });
  parts_.retained.drained(slot, request.client());
  if (!deals.empty()) parts_.groups_of_members.delivered(slot, request.client(), deals);
}

/// Their PUBRECs came, in that order: PUBREL once a majority knows.
void Coordinator::received(SlotId slot, const std::string& client, Attached& attached, std::vector<slot::Name> names) {
  const slot::Session* now = session(slot, client);
  if (now == nullptr) return;
  slot::pb::Operation operation;
  slot::pb::Recd& recd = *operation.mutable_recd();
  recd.set_client(client);
  recd.set_first(attached.flight->recds + 1);
  for (const slot::Name& name : names)
    if (const auto entry = now->entries.find(name); entry == now->entries.end() || entry->second.recd == 0) slot::to_pb(name, recd.add_names());
  attached.flight.edit().recds += static_cast<std::uint32_t>(recd.names_size());
  const bool known = recd.names_size() == 0 || parts_.config.mutant.is("pubrec_not_logged");
  const auto gate = known ? tail(slot) : append(slot, std::move(operation));
  parts_.slots.held(slot)->when_stored(gate, true, [this, slot, client, attach = attached.attach, names = std::move(names)] {
    const Attached* still = current(slot, client, attach);
    if (still == nullptr) return;
    for (const slot::Name& name : names) {
      const auto& entries = session(slot, client)->entries;
      const auto found = entries.find(name);
      if (found != entries.end() && still->flight->in_flight.contains(name)) push_pubrel(*still, found->second);
    }
  });
}

}  // namespace hf::node
