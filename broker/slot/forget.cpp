// Letting memory of the past go once nothing that could still arrive depends on it.
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "broker/slot/edit.hpp"
#include "broker/slot/keys.hpp"

namespace hf::slot {

namespace {

/// Identities sort after dots, so a queue of a hundred thousand QoS 1 entries costs nothing here.
auto first_identity(const Session& session) {
  return session.entries.lower_bound(Name{.identity = true, .front = false, .slot = 0, .dot = {}});
}

class Forget {
 public:
  Forget(State& state, const VersionVector& stable, std::uint64_t horizon, Changes& changes)
      : state_(state), stable_(stable), horizon_(horizon), changes_(changes) {}

  template <class Clients>
  void run(const Clients& clients) {
    for (const auto& client : clients) {
      if (!state_.remembering.contains(client)) continue;
      forget_in(client);
      const auto session = state_.sessions.find(client);
      if (session == state_.sessions.end() || !has_memory(session->second)) state_.remembering.erase(client);
    }
    forget_retained();
    forget_settled();
    forget_retired();
  }

 private:
  [[nodiscard]] bool settled(const Stamp& stamp, const Dot& dot) const {
    return stamp.time <= horizon_ && stable_.covers(dot);
  }

  void forget_in(const std::string& client) {
    SessionEdit edit(state_, changes_, client);
    const Session& session = edit.session();
    // What was read for a SUBSCRIBE may be read again while anything is owed: another holder may have taken that SUBSCRIBE too,
    // and what it made of it has just come.
    bool reading = false;
    for (auto it = session.subscriptions.begin(); it != session.subscriptions.end();) {
      const auto& [filter, subscription] = *it++;
      reading = reading || subscription.owed();
      if (!subscription.present && settled(subscription.stamp, subscription.dot))
        edit.drop_subscription(std::string(filter));
    }
    forget_inbound(edit);
    for (auto it = first_identity(session); it != session.entries.end();) {
      const Entry& entry = (it++)->second;
      if (!entry.done || !settled(entry.last_stamp, entry.last)) continue;
      if (entry.name.slot == reading_slot) {
        if (!reading) edit.drop_entry(Name(entry.name));
        continue;
      }
      const auto retired = state_.retired.find(entry.name);
      if (retired == state_.retired.end() || !settled(retired->second.stamp, retired->second.dot))
        continue;
      edit.drop_entry(Name(entry.name));
    }
    if (session.end != Stamp{} && settled(session.end, session.end_dot)) edit.drop_end();
    if (session.ended != Stamp{} && !session.over() && !session.follows_ended() && settled(session.ended, session.ended_dot)) edit.drop_ended();
  }

  /// First what does not count (an end still to come would take it too), then Releases that stand alone.
  void forget_inbound(SessionEdit& edit) {
    const Session& session = edit.session();
    for (auto it = session.inbound.begin(); it != session.inbound.end();) {
      const auto& [key, inbound] = *it++;
      if (&inbound != session.inbound_of(key.packet_id) && settled(inbound.stamp, key.dot))
        edit.drop_inbound(InboundKey(key));
    }
    for (auto it = session.inbound.begin(); it != session.inbound.end();) {
      const auto here = it++;
      const auto& [key, inbound] = *here;
      const bool alone = (here == session.inbound.begin() || std::prev(here)->first.packet_id != key.packet_id) &&
                         (it == session.inbound.end() || it->first.packet_id != key.packet_id);
      if (inbound.released() && alone && settled(inbound.stamp, key.dot)) edit.drop_inbound(InboundKey(key));
    }
  }

  /// What was deleted, and what has expired: every holder has it, and decides by the same horizon.
  void forget_retained() {
    std::vector<std::string> gone(state_.retained.deleted().begin(), state_.retained.deleted().end());
    for (const auto& [at_ms, topic] : state_.retained.expiring()) {
      if (at_ms > horizon_ >> 16U) break;
      gone.push_back(topic);
    }
    for (const std::string& topic : gone) {
      const RetainedMessage& here = state_.retained.find(topic)->second;
      if (!settled(here.stamp, here.dot)) continue;
      state_.dirty.insert(keys::retained(topic));
      state_.retained.erase(topic);
    }
  }

  void forget_settled() {
    for (auto it = state_.settled.begin(); it != state_.settled.end();) {
      const auto here = it++;
      const auto retired = state_.retired.find(here->first);
      if (retired == state_.retired.end() || !settled(retired->second.stamp, retired->second.dot) ||
          !settled(here->second.stamp, here->second.dot))
        continue;
      state_.dirty.insert(keys::settled(here->first));
      state_.settled.erase(here);
    }
  }

  void forget_retired() {
    for (auto it = state_.retired.begin(); it != state_.retired.end();) {
      const auto here = it++;
      if (state_.identities.contains(here->first) || state_.settled.contains(here->first) ||
          !settled(here->second.stamp, here->second.dot)) continue;
      state_.dirty.insert(keys::retired(here->first));
      state_.retired.erase(here);
    }
  }

  State& state_;
  const VersionVector& stable_;
  const std::uint64_t horizon_;
  Changes& changes_;
};

}  // namespace

bool has_memory(const Session& session) {
  if (session.end != Stamp{} || session.ended != Stamp{} || !session.inbound.empty()) return true;
  for (const auto& [filter, subscription] : session.subscriptions)
    if (!subscription.present) return true;
  for (auto it = first_identity(session); it != session.entries.end(); ++it)
    if (it->second.done) return true;
  return false;
}

void forget(State& state, const VersionVector& stable, std::uint64_t horizon, Changes& changes) {
  Forget(state, stable, horizon, changes).run(std::vector<std::string>(state.remembering.begin(), state.remembering.end()));
}

void forget(State& state, const VersionVector& stable, std::uint64_t horizon, const std::set<std::string>& clients, Changes& changes) {
  Forget(state, stable, horizon, changes).run(clients);
}

void forget_session(State& state, const std::string& client, Changes& changes) {
  if (!state.sessions.contains(client)) return;
  SessionEdit edit(state, changes, client);
  const Session& session = edit.session();
  while (!session.subscriptions.empty()) edit.drop_subscription(std::string(session.subscriptions.begin()->first));
  while (!session.entries.empty()) edit.drop_entry(Name(session.entries.begin()->first));
  while (!session.wills.empty()) edit.drop_will(Dot(session.wills.begin()->first));
  while (!session.inbound.empty()) edit.drop_inbound(InboundKey(session.inbound.begin()->first));
  if (session.end != Stamp{}) edit.drop_end();
  if (session.ended != Stamp{}) edit.drop_ended();
  if (session.over()) edit.forget_connect();
}

std::uint64_t tombstones(const State& state) {
  std::uint64_t count =
      state.retired.size() + state.retained.deleted().size() + state.wills.size() + state.settled.size();
  for (const auto& client : state.remembering) {
    const Session& session = state.sessions.find(client)->second;
    if (session.ended != Stamp{} || (session.end != Stamp{} && !session.exists())) ++count;
    for (const auto& [filter, subscription] : session.subscriptions)
      count += subscription.present ? 0U : 1U;
    for (const auto& [key, inbound] : session.inbound)
      count += inbound.released() || &inbound != session.inbound_of(key.packet_id) ? 1U : 0U;
    for (auto it = first_identity(session); it != session.entries.end(); ++it)
      count += it->second.done ? 1U : 0U;
  }
  return count;
}

}  // namespace hf::slot
