// The rules of a session's registers and sets, each a join: commutative, associative, idempotent.
#include "broker/slot/edit.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

#include "broker/base/assert.hpp"
#include "broker/slot/keys.hpp"
#include "broker/topic/name.hpp"

namespace hf::slot {

SessionEdit::SessionEdit(State& state, Changes& changes, const std::string& client)
    : state_(state),
      changes_(changes),
      place_(state.sessions.try_emplace(client).first),
      client_(place_->first),
      session_(place_->second),
      indexed_(session_.exists()),
      bound_(is_bound(session_)) {}

SessionEdit::~SessionEdit() {
  if (const bool exists = session_.exists(); exists != indexed_) {
    for (const auto& subscribed : session_.subscriptions)
      if (subscribed.second.present) exists ? index(subscribed) : unindex(subscribed);
    exists ? ++state_.totals.sessions : --state_.totals.sessions;
  }
  if (const bool bound = is_bound(session_); bound != bound_) bound ? ++state_.totals.bound : --state_.totals.bound;
  const bool nothing = session_.end == Stamp{} && session_.ended == Stamp{} && !session_.connect &&
                       session_.subscriptions.empty() && session_.entries.empty() &&
                       session_.inbound.empty() && session_.wills.empty();
  if (nothing) {
    state_.remembering.erase(client_);
    state_.sessions.erase(place_);
    return;
  }
  session_.subscriptions.tidy();
  session_.entries.tidy();
  session_.queue.tidy();
  session_.inbound.tidy();
  session_.wills.tidy();
  if (remembers_) state_.remembering.insert(client_);
}

void SessionEdit::touch(std::string key) {
  state_.dirty.insert(std::move(key));
  changes_.sessions.insert(client_);
}

// The end and the connection.

void SessionEdit::raise_end(const Stamp& end, const Dot& dot) {
  if (std::tie(end, dot) <= std::tie(session_.end, session_.end_dot)) return;
  session_.end = end;
  session_.end_dot = dot;
  remembers_ = true;
  touch(keys::session(client_));
  changes_.connections.insert(client_);
  drop_before_end();
}

void SessionEdit::drop_end() {
  session_.end = {};
  session_.end_dot = {};
  touch(keys::session(client_));
}

void SessionEdit::raise_ended(const Stamp& ended, const Dot& dot) {
  if (ended <= session_.end || std::tie(ended, dot) <= std::tie(session_.ended, session_.ended_dot)) return;
  session_.ended = ended;
  session_.ended_dot = dot;
  remembers_ = true;
  touch(keys::session(client_));
}

void SessionEdit::drop_ended() {
  session_.ended = {};
  session_.ended_dot = {};
  touch(keys::session(client_));
}

void SessionEdit::drop_before_end() {
  if (session_.ended != Stamp{} && session_.ended <= session_.end) drop_ended();
  if (session_.connect && session_.connect_stamp < session_.end) drop_connect();
  if (session_.began < session_.end) session_.began = {};
  for (auto it = session_.subscriptions.begin(); it != session_.subscriptions.end();) {
    const auto here = it++;
    if (here->second.stamp < session_.end) drop_subscription(std::string(here->first));
  }
  auto& entries = session_.entries.edit();
  for (auto it = entries.begin(); it != entries.end();) {
    Entry& entry = (it++)->second;
    if (entry.first >= session_.end || entry.done) continue;
    if (!entry.name.identity) {
      drop_entry(Name(entry.name));
      continue;
    }
    leave_queue(entry);
    become_memory(entry);
    touch(keys::entry(client_, entry.name));
  }
  for (auto it = session_.inbound.begin(); it != session_.inbound.end();) {
    const auto here = it++;
    if (here->second.attach < session_.end) drop_inbound(InboundKey(here->first));
  }
}

void SessionEdit::forget_connect() {
  drop_connect();
  session_.began = {};
}

void SessionEdit::raise_began(const Stamp& began) {
  if (began <= session_.began || began < session_.end) return;
  session_.began = began;
  touch(keys::session(client_));
  for (auto it = session_.inbound.begin(); it != session_.inbound.end();) {
    const auto here = it++;
    if (here->second.attach < began) drop_inbound(InboundKey(here->first));
  }
}

void SessionEdit::join_connect(const pb::Connect& connect,
                               const Stamp& connect_stamp,
                               const Stamp& attach_stamp,
                               const Dot& dot) {
  if (connect_stamp < session_.end) return;
  if (connect.has_began()) raise_began(from_pb(connect.began()));
  if (session_.connect && std::tie(connect_stamp, attach_stamp) <=
                              std::tie(session_.connect_stamp, session_.attach_stamp)) return;
  if (!session_.connect || session_.connect_stamp != connect_stamp) drop_connect();
  session_.connect = without_repeats(connect);
  session_.connect_stamp = connect_stamp;
  session_.attach_stamp = attach_stamp;
  session_.attach_dot = dot;
  if (session_.closed_connect != connect_stamp) session_.expiry_s = connect.expiry_s();
  touch(keys::session(client_));
  changes_.connections.insert(client_);
}

void SessionEdit::drop_connect() {
  session_.connect.reset();
  session_.connect_stamp = session_.attach_stamp = session_.closed = session_.closed_connect =
      Stamp{};
  session_.attach_dot = session_.closed_dot = Dot{};
  session_.expiry_s = 0;
  session_.closed_ms = 0;
  session_.will_over = false;
  touch(keys::session(client_));
  changes_.connections.insert(client_);
}

void SessionEdit::join_closed(const Stamp& connect,
                              const Stamp& closed,
                              const Dot& dot,
                              std::uint32_t expiry_s,
                              std::uint64_t closed_ms) {
  if (!session_.connect || connect != session_.connect_stamp) return;
  const bool ends = expiry_s == 0, over = session_.over();
  if (std::tie(ends, closed) <= std::tie(over, session_.closed)) return;
  session_.closed = closed;
  session_.closed_dot = dot;
  session_.closed_connect = connect;
  session_.expiry_s = expiry_s;
  session_.closed_ms = closed_ms;
  touch(keys::session(client_));
  changes_.connections.insert(client_);
}

void SessionEdit::join_will_over(const Stamp& connect) {
  if (!session_.connect || connect != session_.connect_stamp || session_.will_over) return;
  session_.will_over = true;
  touch(keys::session(client_));
}

void SessionEdit::add_will(const Dot& dot, WaitingWill will) {
  const auto [place, fresh] = session_.wills.edit().emplace(dot, std::move(will));
  if (!fresh) return;
  ++state_.will_names[{from_pb(place->second.message.identity()), client_}];
  touch(keys::waiting_will(client_, dot));
}

void SessionEdit::drop_will(const Dot& dot) {
  const auto it = session_.wills.find(dot);
  if (it == session_.wills.end()) return;
  drop_one(state_.will_names, std::pair(from_pb(it->second.message.identity()), client_));
  session_.wills.edit().erase(it);
  touch(keys::waiting_will(client_, dot));
}

// Subscriptions.

void SessionEdit::join_subscription(const std::string& filter, const Subscription& value) {
  if (value.stamp < session_.end) return;
  const auto [it, fresh] = session_.subscriptions.edit().try_emplace(filter);
  Subscription& here = it->second;
  if (!fresh && value.stamp < here.stamp)
    return;  // equal: twice in one SUBSCRIBE, the last one counts
  if (here.present != value.present) {
    count(filter, value.present);
    if (indexed_) value.present ? index(*it) : unindex(*it);
  }
  const bool same = !fresh && value.stamp == here.stamp;
  OnDemand<Owed> before = std::exchange(here.owing, {});
  here = value;
  remembers_ = remembers_ || !value.present;
  if (same && before->empty()) here.owing = {};
  if (same && here.owed())
    for (const auto& [slot, topic] : before->read) {
      std::string& read = here.owing.edit().read[slot];
      read = std::max(read, topic);
    }
  touch(keys::subscription(client_, filter));
}

void SessionEdit::read_subscription(const std::string& filter, const Stamp& subscribed, SlotId slot, const std::string& topic) {
  const auto it = session_.subscriptions.find(filter);
  if (it == session_.subscriptions.end() || it->second.stamp != subscribed || !it->second.owed()) return;
  std::string& read = session_.subscriptions.edit().at(filter).owing.edit().read[slot];
  read = std::max(read, topic);
  touch(keys::subscription(client_, filter));
}

void SessionEdit::answer_subscription(const std::string& filter, const Stamp& subscribed) {
  const auto it = session_.subscriptions.find(filter);
  if (it == session_.subscriptions.end() || it->second.stamp != subscribed || !it->second.owed()) return;
  session_.subscriptions.edit().at(filter).owing = {};
  touch(keys::subscription(client_, filter));
}

void SessionEdit::drop_subscription(const std::string& filter) {
  const auto it = session_.subscriptions.find(filter);
  if (it == session_.subscriptions.end()) return;
  if (it->second.present) {
    count(filter, false);
    if (indexed_) unindex(*it);
  }
  session_.subscriptions.edit().erase(it);
  touch(keys::subscription(client_, filter));
}

void SessionEdit::count(const std::string& filter, bool more) {
  more ? ++session_.filters : --session_.filters;
  more ? session_.filter_bytes += filter.size() : session_.filter_bytes -= filter.size();
}

void SessionEdit::index(const Subscribed& subscribed) {
  const std::string& filter = subscribed.first;
  const auto parsed = topic::parse_filter(filter);
  if (!parsed) return;
  if (!parsed->shared()) state_.index.insert(filter, {&client_, &subscribed});
  ++state_.totals.subscriptions;
  if (++state_.filters[filter] == 1) changes_.filters_added.push_back(filter);
}

void SessionEdit::unindex(const Subscribed& subscribed) {
  const std::string& filter = subscribed.first;
  const auto parsed = topic::parse_filter(filter);
  if (!parsed) return;
  if (!parsed->shared()) state_.index.erase(filter, {&client_, &subscribed});
  --state_.totals.subscriptions;
  const auto it = state_.filters.find(filter);
  HF_ASSERT(it != state_.filters.end());
  if (--it->second > 0) return;
  state_.filters.erase(it);
  changes_.filters_removed.push_back(filter);
}

// The client's own packet ids.

void SessionEdit::join_inbound(const InboundKey& key, const Inbound& value) {
  if (value.attach < std::max(session_.end, session_.began)) return;
  // Who is earlier in both orders can never count: an end that takes the other takes it too.
  const auto never_counts = [](const Inbound& one, const Inbound& beside) {
    return one.attach <= beside.attach && std::tie(one.epoch, one.stamp) <= std::tie(beside.epoch, beside.stamp);
  };
  auto it = session_.inbound.lower_bound(InboundKey{key.packet_id, {}});
  while (it != session_.inbound.end() && it->first.packet_id == key.packet_id) {
    const auto here = it++;
    if (never_counts(value, here->second)) return;
    if (never_counts(here->second, value)) drop_inbound(InboundKey(here->first));
  }
  session_.inbound.edit().emplace(key, value);
  if (!value.released()) ++state_.inbound_names[value.name];
  remembers_ = true;
  touch(keys::inbound(client_, key));
}

void SessionEdit::drop_inbound(const InboundKey& key) {
  const auto it = session_.inbound.find(key);
  if (it == session_.inbound.end()) return;
  if (!it->second.released()) drop_one(state_.inbound_names, it->second.name);
  session_.inbound.edit().erase(it);
  touch(keys::inbound(client_, key));
}

}  // namespace hf::slot
