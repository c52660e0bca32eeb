// A slot begins and ends to be served here, and changes under what is attached.
#include <utility>

#include "broker/node/coordinator.hpp"
#include "broker/node/parts.hpp"

namespace hf::node {

void Coordinator::kick(std::string_view client, NodeId node, std::uint64_t connection) {
  if (parts_.config.mutant.is("two_live_connections")) return;
  ++parts_.counters.takeovers;
  parts_.env.reached("session.taken_over");
  pb::PeerMessage message;
  message.mutable_kick()->set_connection(connection);
  message.mutable_kick()->set_client(std::string(client));
  parts_.send(node, std::move(message));
}

void Coordinator::changed(SlotId slot, const slot::Changes& changes, bool foreign) {
  if (!parts_.slots.serving(slot)) return;
  Serving& serving = serving_[slot];
  for (const std::string& client : changes.sessions) {
    note_session(slot, client);
    note_groups(slot, client, foreign);
    const auto it = serving.attached.find(client);
    if (it == serving.attached.end()) continue;
    const slot::Session* now = foreign ? session(slot, client) : nullptr;
    if (now != nullptr) {
      find_resumable(*now, it->second);
      forget_cursor(it->second);  // entries of others may lie before it
    }
    serving.pump.insert(client);
    pump_slots_.insert(slot);
  }
  for (const std::string& client : changes.connections) {
    parts_.retained.session_changed(slot, client);
    const auto it = serving.attached.find(client);
    if (it == serving.attached.end()) continue;
    const slot::Session* now = session(slot, client);
    if (now != nullptr && now->exists() && now->connect_stamp == it->second.connect) continue;
    // The same connection, opened anew from its own front, is not a takeover.
    const bool same = now != nullptr && now->exists() && now->connect->front().node() == it->second.node &&
                      now->connect->front().connection() == it->second.connection;
    if (!same) kick(client, it->second.node, it->second.connection);
    serving.attached.erase(it);
  }
  for (const std::string& client : changes.connections) part_from_ended(slot, client);
  settle_left(slot);
  for (const slot::Dot& dot : changes.wills) publish_will(slot, dot);
  parts_.routes.advertise(slot, changes.filters_added, changes.filters_removed);
}

void Coordinator::begin_serving(SlotId slot) {
  ++parts_.counters.failovers;
  Serving& serving = serving_[slot];
  serving.since = parts_.env.now();
  parts_.routes.advertise_all(slot);
  std::vector<std::string> begun_anew;
  for (const auto& [client, session] : parts_.slots.held(slot)->state().sessions) {
    note_session(slot, client);
    if (session.follows_ended()) begun_anew.push_back(client);
  }
  for (const std::string& client : begun_anew) part_from_ended(slot, client);
  settle_left(slot);
  find_unretired(slot);
  publish_wills(slot);
  parts_.groups.begin_serving(slot);
  parts_.groups_of_members.begin_serving(slot);
  slot::Changes meanwhile;  // a holder that came back may have changed whatever is attached
  for (const auto& [client, attached] : serving.attached) {
    meanwhile.sessions.insert(client);
    meanwhile.connections.insert(client);
  }
  changed(slot, meanwhile, true);
  std::deque<std::pair<NodeId, pb::Request>> parked;
  parked.swap(serving.parked);
  for (const auto& [from, request] : parked) on_request(from, request);
  parts_.retained.begin_serving(slot);
}

void Coordinator::begin_deciding(SlotId slot) {
  pump_all(slot);
  parts_.groups.begin_deciding(slot);
  parts_.groups_of_members.begin_deciding(slot);
  decltype(Serving::without_majority) waiting;
  waiting.swap(serving_[slot].without_majority);
  for (const auto& [place, request] : waiting) {
    const NodeId front = std::get<0>(place);
    if (outlived(slot, request)) redirect(front, request);
    else dispatch(slot, front, request, false);
  }
}

/// What waited behind QoS 2 goes.
void Coordinator::stop_deciding(SlotId slot) {
  for (const auto& [client, attached] : serving_[slot].attached)
    if (!attached.flight->behind.empty()) serving_[slot].pump.insert(client);
  if (!serving_[slot].pump.empty()) pump_slots_.insert(slot);
}

/// Everybody's queue is looked at from its beginning: what waited for something lies before the cursor.
void Coordinator::pump_all(SlotId slot) {
  Serving& serving = serving_[slot];
  for (auto& [client, attached] : serving.attached) {
    forget_cursor(attached);
    serving.pump.insert(client);
  }
  pump_slots_.insert(slot);
}

void Coordinator::stop_serving(SlotId slot) {
  Serving& serving = serving_[slot];
  std::deque<std::pair<NodeId, pb::Request>> parked;
  parked.swap(serving.parked);
  for (const auto& [from, request] : parked) redirect(from, request);
  drop_watches(slot);
  serving = Serving{};
  parts_.retained.stop_serving(slot);
  parts_.groups.stop_serving(slot);
  parts_.groups_of_members.stop_serving(slot);
}

}  // namespace hf::node
