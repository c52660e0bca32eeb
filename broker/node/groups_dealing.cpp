// Shared subscriptions, at the group's coordinator: messages are dealt, one member at a time, until one has it for good.
#include <algorithm>

#include "broker/node/groups.hpp"
#include "broker/node/parts.hpp"

namespace hf::node {

namespace {
constexpr Duration ask_every = 1s;   ///< a deal that was not answered
constexpr Duration look_every = 3s;  ///< one that the member holds: its word may have been lost
constexpr int queries_max = 100;     ///< members asked at once whether they are back

const slot::pb::Options& options_of(const slot::Session& session, const std::string& member) {
  // Of one that is no member (any more) its own coordinator knows: the deal is revoked, or taken as it is subscribed.
  static const slot::pb::Options none = [] {
    slot::pb::Options options;
    options.set_qos(2);
    return options;
  }();
  const auto it = session.subscriptions.find(member_register(member));
  return it == session.subscriptions.end() || !it->second.present ? none : it->second.options;
}
}  // namespace

bool Groups::pump() {
  const std::set<Key> due = std::exchange(due_, {});
  bool any = false;
  for (const auto& [slot, group] : due)
    if (parts_.slots.serving(slot)) any = deal(slot, group) || any;
  return any;
}

bool Groups::deal(SlotId slot, const std::string& group) {
  Group* state = find(slot, group);
  const slot::Session* now = session(slot, group);
  if (state == nullptr || now == nullptr || !parts_.slots.decides(slot)) return false;
  bool any = false;
  while (true) {
    auto place = state->again.begin() != state->again.end() ? now->queue.find(*state->again.begin())
                 : state->cursor                            ? now->queue.upper_bound(*state->cursor)
                                                            : now->queue.begin();
    if (!state->again.empty() && place == now->queue.end()) {  // done meanwhile
      state->again.erase(state->again.begin());
      continue;
    }
    if (place == now->queue.end()) break;
    const slot::Entry& entry = *place->second;
    if (state->again.empty() && state->deal_of.contains(entry.name)) {
      state->cursor = place->first;
      continue;
    }
    const auto member = state->dealer.next();
    if (!member) {
      hungry_.insert({slot, group});
      break;
    }
    if (state->again.empty())
      state->cursor = state->cursor ? std::max(*state->cursor, place->first) : place->first;
    else
      state->again.erase(state->again.begin());
    deal_one(slot, group, *state, entry, *member);
    any = true;
  }
  return any;
}

void Groups::deal_one(SlotId slot, const std::string& group, Group& state, const slot::Entry& entry, const std::string& member) {
  parts_.env.reached("group.dealt");
  const slot::Name name = entry.name;
  if (const auto old = state.deal_of.find(name); old != state.deal_of.end()) {
    parts_.env.reached("group.dealt_again");
    state.deals.erase(old->second);
  }
  slot::pb::Operation operation;
  auto& op = *operation.mutable_assign();
  op.set_group(group);
  slot::to_pb(name, op.mutable_name());
  op.set_member(member);
  slot::to_pb(parts_.slots.held(slot)->epoch(), op.mutable_epoch());
  const slot::Dot deal = parts_.coordinator.append(slot, std::move(operation));
  state.deals[deal] = Deal{name, member, Phase::confirming, {}};
  state.deal_of[name] = deal;
  state.dealer.began(member);
  parts_.slots.held(slot)->when_stored(deal, true, [this, slot, group, deal] { ask(slot, group, deal, true); });
}

void Groups::ask(SlotId slot, const std::string& group, const slot::Dot& name, bool with_message) {
  Group* state = find(slot, group);
  const slot::Session* now = session(slot, group);
  if (state == nullptr || now == nullptr) return;
  const auto it = state->deals.find(name);
  if (it == state->deals.end() || it->second.phase == Phase::revoked) return;
  Deal& deal = it->second;
  const auto found = now->entries.find(deal.entry);
  if (found == now->entries.end() || found->second.done) return finish(slot, group, name);
  const slot::Entry& entry = found->second;
  if (entry.deal != name) return;  // dealt anew by another coordinator, of which was heard just now
  const slot::pb::Options& options = options_of(*now, deal.member);
  const MemberAddress address = member_address(deal.member);
  if (is_gone(address)) return entry.qos == 2 ? finish(slot, group, name) : revoked(slot, group, name);
  const NodeId to = home_of(address);
  const auto down = down_since_.find(to);
  if (address.local && entry.qos < 2 && down != down_since_.end() &&
      parts_.env.now() - down->second >= 2 * parts_.config.detect_after)
    return revoked(slot, group, name);
  asks_.erase({deal.ask_at, slot, group, name});
  deal.ask_at = parts_.env.now() + (with_message || deal.phase != Phase::held ? ask_every : look_every);
  asks_.insert({deal.ask_at, slot, group, name});
  if (deal.phase == Phase::confirming) deal.phase = Phase::asking;
  if (to != parts_.self.node && !parts_.cluster->is_up(to)) return;
  pb::PeerMessage message;
  pb::DealRequest& request = *message.mutable_deal_request();
  request.set_slot(slot);
  request.set_group(group);
  request.set_member(deal.member);
  slot::to_pb(name, request.mutable_deal());
  request.set_qos(std::min(entry.qos, options.qos()));
  request.set_time(parts_.clock->last());
  if (with_message) *request.mutable_message() = parts_.slots.held(slot)->state().messages.at(entry.message).message;
  request.set_retain(entry.retain && options.retain_as_published());
  request.set_identifier(options.identifier());
  parts_.send(to, std::move(message));
}

void Groups::deal_unkept(SlotId slot, const std::string& group, const slot::pb::Message& message) {
  Group* state = find(slot, group);
  const slot::Session* now = session(slot, group);
  const auto member = state == nullptr ? std::nullopt : state->dealer.next();
  if (!member || now == nullptr) return;
  state->dealer.began(*member);  // its turn is over
  state->dealer.ended(*member);
  pb::PeerMessage envelope;
  pb::DealRequest& request = *envelope.mutable_deal_request();
  request.set_slot(slot);
  request.set_group(group);
  request.set_member(*member);
  *request.mutable_message() = message;
  request.set_retain(message.retain() && options_of(*now, *member).retain_as_published());
  request.set_identifier(options_of(*now, *member).identifier());
  parts_.send(home_of(member_address(*member)), std::move(envelope));
}

void Groups::on_reply(NodeId, const pb::DealReply& reply) {
  const SlotId slot = reply.slot();
  if (slot >= parts_.config.slots || !parts_.slots.serving(slot)) return;
  Group* state = find(slot, reply.group());
  if (state == nullptr) return;
  const slot::Dot name = slot::from_pb(reply.deal());
  const auto it = state->deals.find(name);
  if (it == state->deals.end() || it->second.phase == Phase::revoked || it->second.phase == Phase::confirming) return;
  if (reply.away()) state->dealer.away(it->second.member);
  switch (reply.how()) {
    case pb::DealReply::HELD:
      if (parts_.config.mutant.is("group_deals_twice") && reply.away()) return revoked(slot, reply.group(), name);
      if (it->second.phase == Phase::held) return;
      it->second.phase = Phase::held;
      asks_.erase({it->second.ask_at, slot, reply.group(), name});
      it->second.ask_at = parts_.env.now() + look_every;
      asks_.insert({it->second.ask_at, slot, reply.group(), name});
      return;
    case pb::DealReply::DELIVERED: return finish(slot, reply.group(), name);
    case pb::DealReply::REVOKED: return revoked(slot, reply.group(), name);
    case pb::DealReply::UNKNOWN: return ask(slot, reply.group(), name, true);
    default: return;
  }
}

/// The member has it for good (or nobody will: its session ended, and it may have been sent it).
void Groups::finish(SlotId slot, const std::string& group, const slot::Dot& name) {
  Group* state = find(slot, group);
  const Deal deal = state->deals.at(name);
  state->deals.erase(name);
  state->deal_of.erase(deal.entry);
  state->dealer.ended(deal.member);
  due_.insert({slot, group});
  const slot::Session* now = session(slot, group);
  if (now == nullptr) return;
  const auto entry = now->entries.find(deal.entry);
  if (entry == now->entries.end() || entry->second.done) return;
  slot::pb::Operation operation;
  operation.mutable_done()->set_client(group);
  slot::to_pb(deal.entry, operation.mutable_done()->add_names());
  parts_.coordinator.append(slot, std::move(operation));
  parts_.coordinator.note_unretired(slot, deal.entry);
}

void Groups::revoked(SlotId slot, const std::string& group, const slot::Dot& name) {
  Group* state = find(slot, group);
  Deal& deal = state->deals.at(name);
  deal.phase = Phase::revoked;
  state->dealer.ended(deal.member);
  due_.insert({slot, group});
  if (parts_.config.mutant.is("group_forgets_revoked")) return;
  const slot::Session* now = session(slot, group);
  if (now == nullptr) return;
  const auto entry = now->entries.find(deal.entry);
  if (entry != now->entries.end() && !entry->second.done) state->again.insert({entry->second.first, deal.entry});
}

void Groups::tick() {
  const Instant now = parts_.env.now();
  while (!asks_.empty() && std::get<0>(*asks_.begin()) <= now) {
    const auto [at, slot, group, name] = *asks_.begin();
    asks_.erase(asks_.begin());
    if (!parts_.slots.serving(slot)) continue;
    Group* state = find(slot, group);
    const auto it = state == nullptr ? decltype(state->deals.begin()){} : state->deals.find(name);
    if (state == nullptr || it == state->deals.end() || it->second.ask_at != at) continue;
    ask(slot, group, name, it->second.phase == Phase::asking);
  }
  const std::set<Key> hungry = std::exchange(hungry_, {});
  for (const auto& [slot, group] : hungry) {
    Group* state = parts_.slots.serving(slot) ? find(slot, group) : nullptr;
    if (state == nullptr || state->dealer.next()) continue;
    hungry_.insert({slot, group});
    if (now < state->query_at) continue;
    state->query_at = now + ask_every;
    int asked = 0;
    for (const std::string& member : state->members) {
      if (state->dealer.connected(member)) continue;
      query(slot, group, member);
      if (++asked == queries_max) break;
    }
  }
  const std::set<Key> idle = std::exchange(idle_, {});
  for (const auto& [slot, group] : idle) {
    Group* state = parts_.slots.serving(slot) ? find(slot, group) : nullptr;
    if (state != nullptr && state->members.empty() && !end(slot, group)) idle_.insert({slot, group});
  }
}

/// A group that everybody knows to be without members ends: what was stamped up to the horizon, since nothing stamped
/// earlier can turn up any more. Who joins it meanwhile has begun it anew, later than that.
bool Groups::end(SlotId slot, const std::string& group) {
  const slot::Session* now = session(slot, group);
  if (now == nullptr) return true;
  const std::uint64_t horizon = parts_.slots.held(slot)->horizon();
  if (now->connect_stamp.time >= horizon) return false;
  if (!now->queue.empty() && std::prev(now->queue.end())->first.first.time >= horizon) return false;
  for (const auto& [filter, subscription] : now->subscriptions)
    if (subscription.stamp.time >= horizon || (!subscription.present && filter.starts_with("#/"))) return false;
  slot::pb::Operation operation;
  operation.mutable_end()->set_client(group);
  slot::to_pb(slot::Stamp{horizon, {}}, operation.mutable_end()->mutable_before());
  parts_.coordinator.append(slot, std::move(operation));
  slots_[slot].erase(group);
  return true;
}

}  // namespace hf::node
