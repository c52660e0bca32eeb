// Shared subscriptions, at the coordinator of a member's session: what the group is told of its member.
#include "broker/node/group_members.hpp"

#include "broker/node/groups.hpp"
#include "broker/node/parts.hpp"
#include "broker/topic/name.hpp"

namespace hf::node {

namespace {
constexpr std::string_view share = "$share/";
constexpr Duration tell_again_after = 500ms;
}  // namespace

const slot::Session* GroupMembers::session(SlotId slot, const std::string& client) const {
  const auto& sessions = parts_.slots.held(slot)->state().sessions;
  const auto it = sessions.find(client);
  return it == sessions.end() || !it->second.exists() ? nullptr : &it->second;
}

bool GroupMembers::subscribed(SlotId slot, const std::string& client, std::string_view filter) const {
  const slot::Session* at = session(slot, client);
  if (at == nullptr) return false;
  const auto it = at->subscriptions.find(filter);
  return it != at->subscriptions.end() && it->second.present;
}

bool GroupMembers::connected(SlotId slot, const std::string& client) const {
  const auto link = parts_.coordinator.link(slot, client);
  return link && (link->node == parts_.self.node || parts_.cluster->is_up(link->node));
}

/// Its connection ended, or (it may have, or may turn up elsewhere) it has been out of reach for long enough.
bool GroupMembers::gone(SlotId slot, const std::string& client, const Client& state) const {
  const slot::Session* at = session(slot, client);
  if (at == nullptr || !at->open()) return true;
  return state.away_since && parts_.env.now() - *state.away_since >= 2 * parts_.config.detect_after;
}

std::string GroupMembers::member_name(SlotId slot, const std::string& client) const {
  return slot == parts_.local_slot() ? local_member(client, parts_.self) : client;
}

GroupMembers::Told GroupMembers::now(SlotId slot, const std::string& client, const std::string& filter) const {
  Told told;
  told.present = subscribed(slot, client, filter);
  if (!told.present) return told;
  told.options = session(slot, client)->subscriptions.at(filter).options.SerializeAsString();
  told.connected = connected(slot, client);
  if (const auto link = parts_.coordinator.link(slot, client)) told.window = link->window;
  return told;
}

void GroupMembers::begin_serving(SlotId slot) {
  const slot::State& state = parts_.slots.held(slot)->state();
  for (const auto& [client, one] : state.sessions) {
    if (is_group(client)) continue;
    for (auto it = one.entries.lower_bound(slot::Name{.identity = true, .front = false, .slot = 0, .dot = {}});
         it != one.entries.end(); ++it) {
      if (it->second.done) continue;
      const slot::pb::Message& message = state.messages.at(it->second.message).message;
      if (message.has_deal()) slots_[slot][client].open[it->first] = {message.deal().group(), it->second.qos, false};
    }
    const auto shared = one.subscriptions.lower_bound(share);
    if (shared != one.subscriptions.end() && shared->first.starts_with(share)) slots_[slot][client];
    if (const auto at = slots_.find(slot); at != slots_.end() && at->second.contains(client)) dirty_.insert({slot, client});
  }
}

void GroupMembers::begin_deciding(SlotId slot) {
  const auto at = slots_.find(slot);
  if (at == slots_.end()) return;
  for (auto& [client, state] : at->second) {
    for (auto& [name, open] : state.open) open.settling = false;
    dirty_.insert({slot, client});
  }
}

void GroupMembers::stop_serving(SlotId slot) {
  slots_.erase(slot);
  const auto begin = announcements_.lower_bound({slot, "", ""});
  announcements_.erase(begin, announcements_.lower_bound({slot + 1, "", ""}));
}

void GroupMembers::changed(SlotId slot, const std::string& client) {
  const slot::Session* at = session(slot, client);
  const auto slots = slots_.find(slot);
  if (slots == slots_.end() || !slots->second.contains(client)) {
    if (at == nullptr) return;
    const auto shared = at->subscriptions.lower_bound(share);
    if (shared == at->subscriptions.end() || !shared->first.starts_with(share)) return;
  }
  dirty_.insert({slot, client});
}

void GroupMembers::ending(SlotId slot, const std::string& client) {
  const auto at = slots_.find(slot);
  if (at == slots_.end()) return;
  if (const auto it = at->second.find(client); it != at->second.end()) look_at_deals(slot, client, it->second, true);
}

void GroupMembers::peer_changed(NodeId node) {
  const auto it = by_front_.find(node);
  if (it != by_front_.end()) dirty_.insert(it->second.begin(), it->second.end());
}

bool GroupMembers::pump() {
  const std::set<Who> dirty = std::exchange(dirty_, {});
  for (const auto& [slot, client] : dirty)
    if (parts_.slots.serving(slot)) look(slot, client);
  return !dirty.empty();
}

void GroupMembers::look(SlotId slot, const std::string& client) {
  Client& state = slots_[slot][client];
  if (const slot::Session* at = session(slot, client))
    for (auto it = at->subscriptions.lower_bound(share); it != at->subscriptions.end() && it->first.starts_with(share); ++it)
      if (it->second.present) state.told.try_emplace(it->first);
  std::vector<std::string> filters;
  for (const auto& [filter, told] : state.told)
    if (now(slot, client, filter) != told) filters.push_back(filter);
  for (const std::string& filter : filters) announce(slot, client, filter);
  if (const auto link = parts_.coordinator.link(slot, client)) by_front_[link->node].insert({slot, client});
  if (connected(slot, client)) {
    state.away_since.reset();
  } else if (!state.away_since && !(state.told.empty() && state.open.empty())) {
    state.away_since = parts_.env.now();
    timers_.insert({*state.away_since + 2 * parts_.config.detect_after, {slot, client}});
  }
  look_at_deals(slot, client, state, false);
  if (!state.told.empty() || !state.open.empty()) return;
  slots_[slot].erase(client);
  for (auto& [node, clients] : by_front_) clients.erase({slot, client});
}

void GroupMembers::announce(SlotId slot, const std::string& client, const std::string& filter) {
  slots_[slot][client].told[filter] = now(slot, client, filter);
  const What what{slot, client, filter};
  send(what, announcements_[what]);
}

void GroupMembers::send(const What& what, Announcement& announcement) {
  const auto& [slot, client, filter] = what;
  const Told told = now(slot, client, filter);
  pb::PeerMessage message;
  pb::Member& member = *message.mutable_member();
  member.set_group(group_key(filter));
  member.set_slot(parts_.slots.slot_of(member.group()));
  member.set_member(member_name(slot, client));
  member.set_present(told.present);
  if (told.present) *member.mutable_options() = session(slot, client)->subscriptions.at(filter).options;
  member.set_connected(told.connected);
  member.set_window(told.window);
  announcement.number = next_number_++;
  member.set_number(announcement.number);
  retries_.erase({announcement.retry_at, what});
  announcement.retry_at = parts_.env.now() + tell_again_after;
  retries_.insert({announcement.retry_at, what});
  const NodeId to = parts_.slots.coordinator(member.slot());
  parts_.send(to, std::move(message));
}

void GroupMembers::when_joined(SlotId slot, const std::string& client, const std::vector<std::string>& filters,
                               std::function<void()> then) {
  auto left = std::make_shared<std::size_t>(filters.size());
  for (const std::string& filter : filters) {
    announcements_[{slot, client, filter}].then.emplace_back([left, then] {
      if (--*left == 0) then();
    });
    announce(slot, client, filter);
  }
  if (filters.empty()) then();
}

void GroupMembers::on_ack(const pb::MemberAck& ack) {
  if (!is_group(ack.group())) return;
  const MemberAddress address = member_address(ack.member());
  const SlotId slot = address.local ? parts_.local_slot() : parts_.slots.slot_of(address.session);
  const auto it = announcements_.find({slot, address.session, ack.group().substr(1)});
  if (it == announcements_.end() || it->second.number != ack.number()) return;
  retries_.erase({it->second.retry_at, it->first});
  const auto then = std::move(it->second.then);
  announcements_.erase(it);
  if (const auto at = slots_.find(slot); at != slots_.end()) {
    const auto client = at->second.find(address.session);
    if (client != at->second.end() && !now(slot, address.session, ack.group().substr(1)).present) {
      client->second.told.erase(ack.group().substr(1));
      dirty_.insert({slot, address.session});
    }
  }
  for (const auto& one : then) one();
}

void GroupMembers::on_query(const pb::MemberQuery& query) {
  const MemberAddress address = member_address(query.member());
  if (address.local && (address.node != parts_.self.node || address.boot != parts_.self.boot)) return;
  const SlotId slot = address.local ? parts_.local_slot() : parts_.slots.slot_of(address.session);
  if (!parts_.slots.serving(slot) || !is_group(query.group())) return;
  announce(slot, address.session, query.group().substr(1));
}

void GroupMembers::tick() {
  const Instant at = parts_.env.now();
  while (!retries_.empty() && retries_.begin()->first <= at) {
    const auto [when, what] = *retries_.begin();
    retries_.erase(retries_.begin());
    const auto it = announcements_.find(what);
    if (it != announcements_.end() && it->second.retry_at == when && parts_.slots.serving(std::get<0>(what)))
      send(what, it->second);
  }
  while (!timers_.empty() && timers_.begin()->first <= at) {
    dirty_.insert(timers_.begin()->second);
    timers_.erase(timers_.begin());
  }
}

}  // namespace hf::node
