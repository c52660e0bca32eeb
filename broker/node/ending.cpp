// How connections and sessions end at their coordinator: deaths of fronts, expiry, what is left of a session. What becomes of
// their wills: wills.cpp.
#include <algorithm>

#include "broker/node/client_log.hpp"
#include "broker/node/coordinator.hpp"
#include "broker/node/parts.hpp"

namespace hf::node {

namespace {
constexpr std::uint32_t never = 0xFFFFFFFF;  ///< session expiry: does not
constexpr int done_max = 1000;               ///< names in one operation
}  // namespace

// What is looked at, and when.

/// When the session must be looked at again: wall ms, 0: not for the sake of time. 1: at once.
std::uint64_t Coordinator::due(SlotId slot, const std::string& client, const slot::Session& session) const {
  const std::uint64_t wall = parts_.env.wall_ms();
  const Instant now = parts_.env.now();
  const auto not_before = [&](std::uint64_t at, Instant when) {
    return when <= now ? at : std::max(at, wall + static_cast<std::uint64_t>(to_ms(when - now)) + 1);
  };
  // At a heal this may be known before the nodes that it came from can be reached, and they were not silent to those who bring it.
  const auto grace = [&](Instant of_silence) {
    const Instant of_serving = serving_[slot].since + parts_.config.will_partition_grace;
    return parts_.config.mutant.is("will_grace_before_known") ? of_silence : std::max(of_silence, of_serving);
  };
  const bool has_will = session.will() != nullptr;
  if (session.open()) {
    const slot::pb::Front& front = session.connect->front();
    if (parts_.presence.over(front.node(), front.boot())) return 1;
    const auto silent = parts_.presence.grace_ends(front.node());
    if (!has_will || !silent) return 0;
    if (parts_.config.mutant.is("will_across_partition")) return 1;
    return not_before(1, grace(*silent) + std::chrono::milliseconds(will_delay_ms(session, session.connect->bound() ? 0 : session.expiry_s)));
  }
  std::uint64_t at = UINT64_MAX;
  if (has_will) at = session.closed_ms + will_delay_ms(session, session.expiry_s);
  if (session.expiry_s != never && !serving_[slot].held_back.contains(client))
    at = std::min(at, session.closed_ms + std::uint64_t{session.expiry_s} * 1000);
  if (at == UINT64_MAX) return 0;
  if (parts_.config.mutant.is("session_expired_by_minority")) return at;
  // The client may have come back where somebody is that cannot be seen.
  const auto silent = parts_.presence.all_grace_ends();
  return silent ? not_before(at, grace(*silent)) : at;
}

void Coordinator::note_session(SlotId slot, const std::string& client) {
  Serving& serving = serving_[slot];
  const slot::Session* now = session(slot, client);
  if (now == nullptr || now->open()) serving.held_back.erase(client);
  const bool over = now != nullptr && now->over() && slot != parts_.local_slot();
  if (over) serving.over.insert(client);
  else serving.over.erase(client);
  if (over && !now->queue.empty()) serving.over_with_queue.insert(client);
  else serving.over_with_queue.erase(client);
  if (now != nullptr && leaves_wills(*now)) serving.left.insert(client);
  Watch watch;
  if (now != nullptr && now->exists()) {
    watch.due = due(slot, client, *now);
    if (now->open() && slot != parts_.local_slot()) watch.front = now->connect->front().node();
  }
  const auto found = serving.watches.find(client);
  const Watch before = found == serving.watches.end() ? Watch{} : found->second;
  if (before == watch) return;
  if (before.due != watch.due) {
    if (before.due != 0) timers_.erase({before.due, slot, client});
    if (watch.due != 0) timers_.insert({watch.due, slot, client});
  }
  if (before.front != watch.front) {
    if (before.front != 0) serving.fronts[before.front].erase(client);
    if (watch.front != 0) serving.fronts[watch.front].insert(client);
  }
  if (watch == Watch{}) {
    serving.watches.erase(found);
  } else {
    serving.watches[client] = watch;
  }
}

void Coordinator::drop_watches(SlotId slot) {
  for (const auto& [client, watch] : serving_[slot].watches)
    if (watch.due != 0) timers_.erase({watch.due, slot, client});
}

void Coordinator::tick_sessions() {
  const std::uint64_t wall = parts_.env.wall_ms();
  std::vector<std::pair<SlotId, std::string>> now;
  for (const auto& [at, slot, client] : timers_) {
    if (at > wall) break;
    now.emplace_back(slot, client);
  }
  for (const auto& [slot, client] : now)
    if (parts_.slots.serving(slot)) look_at(slot, client);
}

/// The front's node came, went, or refuses: the sessions connected there are looked at.
/// What was pushed there may be lost, and what it asked is asked again, perhaps of others: its front begins anew with both once
/// it can be reached. Until then nothing more is sent, which would overtake, or done, which would come late.
void Coordinator::peer_down(NodeId node) {
  for (SlotId slot = 0; slot < parts_.local_slot(); ++slot) {
    Serving& serving = serving_[slot];
    std::erase_if(serving.parked, [&](const auto& one) { return one.first == node; });
    std::erase_if(serving.without_majority, [&](const auto& one) { return std::get<0>(one.first) == node; });
    const auto there = serving.fronts.find(node);
    if (there == serving.fronts.end()) continue;
    for (const std::string& client : there->second)
      if (const auto it = serving.attached.find(client); it != serving.attached.end() && it->second.node == node) serving.attached.erase(it);
  }
}

void Coordinator::front_changed(NodeId node) {
  for (SlotId slot = 0; slot < parts_.config.slots; ++slot) {
    if (!parts_.slots.serving(slot)) continue;
    Serving& serving = serving_[slot];
    for (const std::string& client : std::exchange(serving.held_back, {})) note_session(slot, client);
    const auto at = serving.fronts.find(node);
    if (at == serving.fronts.end()) continue;
    const std::set<std::string> clients = at->second;
    for (const std::string& client : clients) {
      note_session(slot, client);
      look_at(slot, client);
    }
  }
}

std::uint32_t Coordinator::latest_boot(NodeId node) {
  std::uint32_t latest = 0;
  for (SlotId slot = 0; slot < parts_.config.slots; ++slot) {
    const auto at = serving_[slot].fronts.find(node);
    if (at == serving_[slot].fronts.end() || !parts_.slots.serving(slot)) continue;
    for (const std::string& client : at->second)
      if (const slot::Session* now = session(slot, client); now != nullptr && now->connect)
        latest = std::max(latest, now->connect->front().boot());
  }
  return latest;
}

void Coordinator::look_at(SlotId slot, const std::string& client) {
  const slot::Session* now = session(slot, client);
  if (now == nullptr || !now->exists()) return;
  const std::uint64_t wall = parts_.env.wall_ms();
  const std::uint64_t at = due(slot, client, *now);
  if (at == 0 || at > wall) return note_session(slot, client);
  if (now->open()) {
    const slot::pb::Front& front = now->connect->front();
    if (parts_.presence.over(front.node(), front.boot())) {
      serving_[slot].attached.erase(client);
      return connection_over(slot, client, now->connect->expiry_s(), parts_.config.mutant.is("will_dies_with_node"));
    }
    // Its node is silent for the grace: the connection may live on there, and has no will any more.
    if (!parts_.config.mutant.is("will_dies_with_node")) fire(slot, client);
    return;
  }
  const std::uint64_t closed = now->closed_ms;
  const std::uint32_t expiry = now->expiry_s;
  if (now->will() != nullptr && closed + will_delay_ms(*now, expiry) <= wall) fire(slot, client);
  if (expiry == never || closed + std::uint64_t{expiry} * 1000 > wall) return;
  // A side that cannot see all replicas does not know whether the client is connected on the other.
  if (parts_.slots.all_replicas_reachable(slot) || parts_.config.mutant.is("session_expired_by_minority")) {
    ++parts_.counters.sessions_expired;
    if (!now->connect->bound()) log_session(parts_.env, env::Level::info, client_event::session_expired, client, "session expired");
    return end_session(slot, client, false);
  }
  serving_[slot].held_back.insert(client);
  note_session(slot, client);
}

// What happens to them.

/// The session's connection has ended. `goodbye`: by DISCONNECT 0x00, which voids the will [MQTT-3.1.2-10].
void Coordinator::connection_over(SlotId slot, const std::string& client, std::uint32_t expiry_s, bool goodbye) {
  const slot::Session* now = session(slot, client);
  const bool ends = now->connect->bound() || expiry_s == 0;
  const bool at_once = ends || will_delay_ms(*now, expiry_s) == 0 || parts_.config.mutant.is("will_delay_ignored");
  if (!goodbye && now->will() != nullptr && at_once) fire(slot, client);
  if (ends) {
    if (!now->connect->bound()) log_session(parts_.env, env::Level::debug, client_event::session_ended, client, "session ended with its connection");
    return end_session(slot, client, goodbye);
  }
  close_connection(slot, client, expiry_s, goodbye);
}

void Coordinator::close_connection(SlotId slot, const std::string& client, std::uint32_t expiry_s, bool goodbye) {
  slot::pb::Operation operation;
  auto& closed = *operation.mutable_disconnect();
  closed.set_client(client);
  slot::to_pb(session(slot, client)->connect_stamp, closed.mutable_connect());
  closed.set_expiry_s(expiry_s);
  closed.set_closed_ms(parts_.env.wall_ms());
  closed.set_goodbye(goodbye);
  if (goodbye) name_wills(*session(slot, client), closed.mutable_wills());
  append(slot, std::move(operation));
}

/// It ends with the connection that is known here. The client may have made a later one where this node cannot see: that stays.
void Coordinator::end_session(SlotId slot, const std::string& client, bool goodbye) {
  // A local session is forgotten at once, below: how its deals end is written down first.
  if (slot == parts_.local_slot()) parts_.groups_of_members.ending(slot, client);
  if (slot != parts_.local_slot()) ++parts_.counters.sessions_ended;
  const slot::Session* now = session(slot, client);
  if (slot != parts_.local_slot() && slot::is_bound(*now)) {
    // All there is of it here is the connection: it can go at once.
    slot::pb::Operation operation;
    operation.mutable_end()->set_client(client);
    slot::to_pb(slot::Stamp{now->connect_stamp.time + 1, {}}, operation.mutable_end()->mutable_before());
    if (goodbye) name_wills(*now, operation.mutable_end()->mutable_wills());
    append(slot, std::move(operation));
  } else {
    const bool never_resumed = now->connect->expiry_s() == 0;
    close_connection(slot, client, 0, goodbye);
    if (never_resumed && slot != parts_.local_slot()) give_up_queue(slot, client);
  }
  if (parts_.config.mutant.is("end_takes_later_connection")) {
    slot::pb::Operation operation;
    operation.mutable_end()->set_client(client);
    append(slot, std::move(operation));
  }
  serving_[slot].attached.erase(client);
  if (slot != parts_.local_slot()) return;
  slot::Changes changes;  // nobody else can have a word on a local session: forgotten at once
  slot::forget_session(parts_.slots.held(slot)->state(), client, changes);
}

/// Nobody is owed it any more. Unlike the rest it does not wait for nodes that are no replicas.
void Coordinator::give_up_queue(SlotId slot, const std::string& client) {
  if (parts_.config.mutant.is("ended_session_returns")) return;
  while (!session(slot, client)->queue.empty()) {
    slot::pb::Operation operation;
    operation.mutable_done()->set_client(client);
    for (const auto& [place, entry] : session(slot, client)->queue) {
      slot::to_pb(entry->name, operation.mutable_done()->add_names());
      if (operation.done().names_size() == done_max) break;
    }
    append(slot, std::move(operation));
  }
}

/// A session began where nobody knew of the one before, which had ended by then: what that one held is not its own.
void Coordinator::part_from_ended(SlotId slot, const std::string& client) {
  const slot::Session* now = session(slot, client);
  if (now == nullptr || !now->follows_ended() || parts_.config.mutant.is("ended_session_returns")) return;
  slot::pb::Operation operation;
  operation.mutable_end()->set_client(client);
  slot::to_pb(now->ended, operation.mutable_end()->mutable_before());
  append(slot, std::move(operation));
}

/// What is left of sessions that are over goes once every node knows that they are: nobody can resume one, or add to it,
/// any more. Whoever connects anew does so later than the horizon.
void Coordinator::clear_up(SlotId slot) {
  Serving& serving = serving_[slot];
  if (serving.over.empty()) return;
  const auto known_to_replicas = parts_.slots.held(slot)->stable(parts_.self.node).first;
  for (const std::string& client : std::set<std::string>(serving.over_with_queue))
    if (const slot::Session* now = session(slot, client); now != nullptr && now->over() && known_to_replicas.covers(now->closed_dot))
      give_up_queue(slot, client);
  const std::uint64_t horizon = parts_.slots.held(slot)->horizon();
  if (horizon == serving.cleared_up_to) return;
  serving.cleared_up_to = horizon;
  for (const std::string& client : std::set<std::string>(serving.over)) {
    const slot::Session* now = session(slot, client);
    if (now == nullptr || !now->over()) {
      serving.over.erase(client);
      continue;
    }
    if (now->closed.time >= horizon) continue;
    if (!now->queue.empty() && std::prev(now->queue.end())->first.first.time >= horizon) continue;
    const auto& all = now->subscriptions;
    if (std::any_of(all.begin(), all.end(), [&](const auto& one) { return one.second.stamp.time >= horizon; })) continue;
    slot::pb::Operation operation;
    operation.mutable_end()->set_client(client);
    slot::to_pb(slot::Stamp{horizon, {}}, operation.mutable_end()->mutable_before());
    append(slot, std::move(operation));
  }
}

bool Coordinator::remove(SlotId slot, const std::string& client, std::function<void()> done) {
  const slot::Session* now = session(slot, client);
  if (now == nullptr || !now->exists()) return false;
  if (const auto it = serving_[slot].attached.find(client); it != serving_[slot].attached.end())
    kick(client, it->second.node, it->second.connection);
  if (now->will() != nullptr) fire(slot, client);
  end_session(slot, client, false);
  parts_.slots.held(slot)->when_stored(tail(slot), false, std::move(done));
  return true;
}

}  // namespace hf::node
