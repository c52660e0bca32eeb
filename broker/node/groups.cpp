// Shared subscriptions, at the coordinator of the group's slot: members, the queue, and who is dealt what.
#include "broker/node/groups.hpp"

#include <algorithm>

#include "broker/node/parts.hpp"
#include "broker/topic/name.hpp"

namespace hf::node {

namespace {
constexpr char separator = '\x1f';  ///< in no client id
constexpr std::string_view members_prefix = "#/";
constexpr std::uint32_t never = 0xFFFFFFFF;
}  // namespace

std::string group_key(std::string_view shared_filter) { return separator + std::string(shared_filter); }
bool is_group(std::string_view client) { return client.starts_with(separator); }
std::string_view plain_filter(std::string_view group) {
  const auto parsed = topic::parse_filter(group.substr(1));  // a damaged name is no filter, and matches itself only
  return parsed ? parsed->filter : group.substr(1);
}
std::string member_register(std::string_view member) { return std::string(members_prefix).append(member); }

std::string local_member(std::string_view session, Origin self) {
  return std::string(session) + separator + std::to_string(self.node) + separator + std::to_string(self.boot);
}

MemberAddress member_address(std::string_view member) {
  MemberAddress out;
  const auto boot = member.rfind(separator);
  if (boot == std::string_view::npos) {
    out.session = member;
    return out;
  }
  const auto node = member.rfind(separator, boot - 1);
  const auto number = [](std::string_view digits) {
    std::uint32_t value = 0;
    for (const char c : digits) value = value * 10 + static_cast<std::uint32_t>(c - '0');
    return value;
  };
  out.local = true;
  out.boot = number(member.substr(boot + 1));
  out.node = number(member.substr(node + 1, boot - node - 1));
  out.session = member.substr(0, node);
  return out;
}

Groups::Group* Groups::find(SlotId slot, const std::string& group) {
  const auto at = slots_.find(slot);
  if (at == slots_.end()) return nullptr;
  const auto it = at->second.find(group);
  return it == at->second.end() ? nullptr : &it->second;
}

const slot::Session* Groups::session(SlotId slot, const std::string& group) const {
  const auto& sessions = parts_.slots.held(slot)->state().sessions;
  const auto it = sessions.find(group);
  return it == sessions.end() || !it->second.exists() ? nullptr : &it->second;
}

bool Groups::has_members(SlotId slot, const std::string& group) const {
  const auto at = slots_.find(slot);
  if (at == slots_.end()) return false;
  const auto it = at->second.find(group);
  return it != at->second.end() && !it->second.members.empty();
}

bool Groups::deals(SlotId slot, const slot::Dot& deal) const {
  const auto at = slots_.find(slot);
  if (at == slots_.end()) return false;
  return std::any_of(at->second.begin(), at->second.end(), [&](const auto& one) { return one.second.deals.contains(deal); });
}

NodeId Groups::home_of(const MemberAddress& address) const {
  return address.local ? address.node : parts_.slots.coordinator(parts_.slots.slot_of(address.session));
}

bool Groups::is_gone(const MemberAddress& address) const {
  if (!address.local) return false;
  if (address.node == parts_.self.node) return address.boot < parts_.self.boot;
  return parts_.cluster->is_up(address.node) && address.boot < parts_.cluster->boot_of(address.node);
}

void Groups::begin_serving(SlotId slot) {
  for (const auto& [client, one] : parts_.slots.held(slot)->state().sessions)
    if (is_group(client)) rebuild(slot, client);
  const auto at = slots_.find(slot);
  if (at == slots_.end()) return;
  std::vector<std::string> gone;  // while this node came back
  for (const auto& [group, state] : at->second)
    if (session(slot, group) == nullptr) gone.push_back(group);
  for (const std::string& group : gone) rebuild(slot, group);
}

/// Everything derived is made anew from the slot's state; what members said last stays.
void Groups::rebuild(SlotId slot, const std::string& group) {
  const slot::Session* now = session(slot, group);
  if (now == nullptr) {
    if (const auto at = slots_.find(slot); at != slots_.end()) at->second.erase(group);
    for (auto& [node, groups] : bound_) groups.erase({slot, group});
    return;
  }
  Group& state = slots_[slot][group];
  std::set<std::string> members;
  for (auto it = now->subscriptions.lower_bound(members_prefix);
       it != now->subscriptions.end() && it->first.starts_with(members_prefix); ++it)
    if (it->second.present) members.insert(it->first.substr(members_prefix.size()));
  for (const std::string& member : state.members) {
    if (members.contains(member)) continue;
    state.dealer.erase(member);
    query(slot, group, member);  // it may have joined again where the word of its leaving had not come
  }
  for (const std::string& member : members) {
    if (const MemberAddress address = member_address(member); address.local) bound_[address.node].insert({slot, group});
    if (state.members.contains(member)) continue;
    state.dealer.put(member, false, 0);
    query(slot, group, member);
  }
  state.members = std::move(members);
  if (state.members.empty()) idle_.insert({slot, group});
  const std::map<slot::Dot, Deal> before = std::exchange(state.deals, {});
  state.deal_of.clear();
  state.again.clear();
  state.cursor.reset();
  for (const auto& [place, entry] : now->queue) {
    if (entry->member.empty()) continue;
    state.deal_of[entry->name] = entry->deal;
    const auto known = before.find(entry->deal);
    if (known != before.end() && known->second.phase != Phase::confirming &&
        entry->epoch == parts_.slots.held(slot)->epoch()) {
      state.deals.emplace(entry->deal, known->second);
      if (known->second.phase == Phase::revoked) state.again.insert(place);
      continue;
    }
    state.deals.emplace(entry->deal, Deal{entry->name, entry->member, Phase::confirming, {}});
    if (known == before.end() || known->second.phase == Phase::revoked) state.dealer.began(entry->member);
    if (parts_.slots.decides(slot)) confirm(slot, group, *entry);
  }
  for (const auto& [name, deal] : before)
    if (deal.phase != Phase::revoked && !state.deals.contains(name)) state.dealer.ended(deal.member);
  due_.insert({slot, group});
  remove_gone(slot, group);
}

/// A deal of an earlier epoch: perhaps decided, and now for sure.
void Groups::confirm(SlotId slot, const std::string& group, const slot::Entry& entry) {
  const slot::Stamp epoch = parts_.slots.held(slot)->epoch();
  slot::Dot gate = parts_.coordinator.tail(slot);
  const slot::Dot deal = entry.deal;
  if (entry.epoch != epoch) {
    slot::pb::Operation operation;
    auto& op = *operation.mutable_assign();
    op.set_group(group);
    slot::to_pb(entry.name, op.mutable_name());
    op.set_member(entry.member);
    slot::to_pb(epoch, op.mutable_epoch());
    slot::to_pb(deal, op.mutable_deal());
    gate = parts_.coordinator.append(slot, std::move(operation));
  }
  parts_.slots.held(slot)->when_stored(gate, true, [this, slot, group, deal] { ask(slot, group, deal, true); });
}

void Groups::begin_deciding(SlotId slot) {
  const auto at = slots_.find(slot);
  if (at == slots_.end()) return;
  for (auto& [group, state] : at->second) {
    state.cursor.reset();
    due_.insert({slot, group});
    const slot::Session* now = session(slot, group);
    for (const auto& [name, deal] : state.deals) {
      if (deal.phase == Phase::revoked || now == nullptr) continue;
      const auto entry = now->entries.find(deal.entry);
      if (entry != now->entries.end()) confirm(slot, group, entry->second);
    }
  }
}

void Groups::stop_serving(SlotId slot) { slots_.erase(slot); }

void Groups::changed(SlotId slot, const std::string& group, bool foreign) {
  if (foreign || find(slot, group) == nullptr) return rebuild(slot, group);
  due_.insert({slot, group});
}

void Groups::query(SlotId slot, const std::string& group, const std::string& member) {
  (void)slot;
  pb::PeerMessage message;
  message.mutable_member_query()->set_group(group);
  message.mutable_member_query()->set_member(member);
  const NodeId to = home_of(member_address(member));
  if (to == parts_.self.node || parts_.cluster->is_up(to)) parts_.send(to, std::move(message));
}

void Groups::on_member(NodeId from, const pb::Member& member) {
  const SlotId slot = member.slot();
  const std::string& group = member.group();
  if (slot >= parts_.config.slots || !is_group(group) || !topic::parse_filter(group.substr(1)) ||
      !parts_.slots.serving(slot))
    return;
  const MemberAddress address = member_address(member.member());
  if (address.local && (address.node != from || is_gone(address))) return;
  const slot::Session* now = session(slot, group);
  const std::string key = member_register(member.member());
  const auto here = now == nullptr ? std::map<std::string, slot::Subscription>::const_iterator{} : now->subscriptions.find(key);
  const bool known = now != nullptr && here != now->subscriptions.end() && here->second.present;
  slot::Dot gate = parts_.coordinator.tail(slot);
  slot::pb::Operation operation;
  if (!member.present()) {
    if (known) {
      operation.mutable_unsubscribe()->set_client(group);
      operation.mutable_unsubscribe()->add_filters(key);
      gate = parts_.coordinator.append(slot, std::move(operation));
      rebuild(slot, group);
    }
  } else if (!known || here->second.options.SerializeAsString() != member.options().SerializeAsString()) {
    if (now == nullptr || !has_members(slot, group)) {
      // Whoever ends a group that was empty ends what was stamped before this.
      slot::pb::Operation begin;
      begin.mutable_connect()->set_client(group);
      begin.mutable_connect()->set_expiry_s(never);
      parts_.coordinator.append(slot, std::move(begin));
    }
    auto& subscribe = *operation.mutable_subscribe();
    subscribe.set_client(group);
    auto& one = *subscribe.add_filters();
    one.set_filter(key);
    *one.mutable_options() = member.options();
    auto& plain = *subscribe.add_filters();
    plain.set_filter(std::string(plain_filter(group)));
    plain.mutable_options()->set_qos(2);
    plain.mutable_options()->set_retain_as_published(true);
    gate = parts_.coordinator.append(slot, std::move(operation));
    rebuild(slot, group);
  }
  if (Group* state = find(slot, group); state != nullptr && state->members.contains(member.member())) {
    state->dealer.put(member.member(), member.connected(), member.window());
    due_.insert({slot, group});
  }
  if (member.number() == 0) return;
  pb::PeerMessage yes;
  yes.mutable_member_ack()->set_group(group);
  yes.mutable_member_ack()->set_member(member.member());
  yes.mutable_member_ack()->set_number(member.number());
  parts_.slots.held(slot)->when_stored(gate, false, [this, slot, from, yes] {
    parts_.routes.when_known(slot, [this, from, yes] { parts_.send(from, yes); });
  });
}

/// Members whose sessions ended with a connection to a node that has restarted since.
void Groups::remove_gone(SlotId slot, const std::string& group) {
  Group* state = find(slot, group);
  if (state == nullptr) return;
  slot::pb::Operation operation;
  for (const std::string& member : state->members)
    if (is_gone(member_address(member))) operation.mutable_unsubscribe()->add_filters(member_register(member));
  if (!operation.has_unsubscribe()) return;
  operation.mutable_unsubscribe()->set_client(group);
  parts_.coordinator.append(slot, std::move(operation));
  rebuild(slot, group);
}

void Groups::peer_up(NodeId node) {
  down_since_.erase(node);
  const auto it = bound_.find(node);
  if (it == bound_.end()) return;
  const std::set<Key> groups = std::exchange(it->second, {});
  for (const auto& [slot, group] : groups)
    if (parts_.slots.serving(slot)) rebuild(slot, group);
}

void Groups::peer_down(NodeId node) {
  down_since_.emplace(node, parts_.env.now());
  const auto it = bound_.find(node);
  if (it == bound_.end()) return;
  for (const auto& [slot, group] : it->second) {
    Group* state = find(slot, group);
    if (state == nullptr) continue;
    for (const std::string& member : state->members)
      if (member_address(member).local && member_address(member).node == node) state->dealer.away(member);
  }
}

}  // namespace hf::node
