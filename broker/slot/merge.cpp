// Two copies of a slot become one: items on both sides join by the rules of apply; an item on one
// side only stays where the other side has not seen it, and goes where the other side has seen and
// dropped it.
#include <algorithm>
#include <map>
#include <tuple>
#include <utility>
#include <vector>

#include "broker/base/assert.hpp"
#include "broker/slot/edit.hpp"
#include "broker/slot/keys.hpp"

namespace hf::slot {

namespace {

const Dot& made_by(const std::string&, const Subscription& subscription) {
  return subscription.dot;
}
/// An Enqueue that brought it. Who has seen that one and lacks the entry has delivered, ended or
/// forgotten it.
const Dot& made_by(const Name&, const Entry& entry) {
  return entry.message;
}
const Dot& made_by(const std::string&, const RetainedMessage& retained) {
  return retained.dot;
}
const Dot& made_by(const InboundKey& key, const Inbound&) {
  return key.dot;
}

const Dot& made_by(const Dot& dot, const WaitingWill&) {
  return dot;
}

template <class Register>
bool later(const Register& a, const Register& b) {
  return a.stamp > b.stamp;
}
bool later(const Settled& a, const Settled& b) {
  return std::tie(a.epoch, a.stamp) > std::tie(b.epoch, b.stamp);
}

/// Keys of `mine` that the other side has seen and does not hold.
template <class Map>
std::vector<typename Map::key_type> dropped_there(const Map& mine,
                                                  const Map& theirs,
                                                  const VersionVector& seen) {
  std::vector<typename Map::key_type> keys;
  for (const auto& [key, item] : mine)
    if (seen.covers(made_by(key, item)) && !theirs.contains(key)) keys.push_back(key);
  return keys;
}

class Merge {
 public:
  Merge(State& into, const State& other, Changes& changes)
      : into_(into), other_(other), changes_(changes), seen_here_(into.seen) {}

  void run() {
    static const Session nothing;
    std::vector<std::string> clients;
    for (const auto& [client, session] : into_.sessions) clients.push_back(client);
    for (const auto& [client, session] : other_.sessions)
      if (!into_.sessions.contains(client)) clients.push_back(client);
    for (const std::string& client : clients) {
      const auto it = other_.sessions.find(client);
      merge_session(client, it == other_.sessions.end() ? nothing : it->second);
    }
    merge_retained();
    merge_registers(
        into_.retired, other_.retired, [](const auto& name) { return keys::retired(name); });
    merge_wills();
    merge_registers(
        into_.settled, other_.settled, [](const auto& name) { return keys::settled(name); });
    into_.seen.join(other_.seen);
    if (into_.seen != seen_here_) into_.dirty.insert(keys::seen);
  }

 private:
  void merge_session(const std::string& client, const Session& theirs) {
    SessionEdit edit(into_, changes_, client);
    const Session& mine = edit.session();
    if (mine.end != Stamp{} && theirs.end == Stamp{} && other_.seen.covers(mine.end_dot))
      edit.drop_end();
    if (mine.ended != Stamp{} && theirs.ended == Stamp{} && other_.seen.covers(mine.ended_dot)) edit.drop_ended();
    if (mine.connect && !theirs.connect && other_.seen.covers(mine.attach_dot)) edit.forget_connect();
    for (const auto& filter : dropped_there(mine.subscriptions, theirs.subscriptions, other_.seen))
      edit.drop_subscription(filter);
    for (const auto& name : dropped_there(mine.entries, theirs.entries, other_.seen))
      edit.drop_entry(name);
    for (const auto id : dropped_there(mine.inbound, theirs.inbound, other_.seen))
      edit.drop_inbound(id);
    for (const auto& dot : dropped_there(mine.wills, theirs.wills, other_.seen)) edit.drop_will(dot);

    if (theirs.end != Stamp{} && (mine.end != Stamp{} || !seen_here_.covers(theirs.end_dot)))
      edit.raise_end(theirs.end, theirs.end_dot);
    if (theirs.ended != Stamp{} && (mine.ended != Stamp{} || !seen_here_.covers(theirs.ended_dot)))
      edit.raise_ended(theirs.ended, theirs.ended_dot);
    if (theirs.connect && (mine.connect || !seen_here_.covers(theirs.attach_dot)))
      edit.join_connect(
          *theirs.connect, theirs.connect_stamp, theirs.attach_stamp, theirs.attach_dot);
    if (edit.session().connect) edit.raise_began(theirs.began);
    edit.join_closed(
        theirs.closed_connect, theirs.closed, theirs.closed_dot, theirs.expiry_s, theirs.closed_ms);
    if (theirs.will_over) edit.join_will_over(theirs.connect_stamp);
    for (const auto& [dot, will] : theirs.wills)
      if (!seen_here_.covers(dot)) edit.add_will(dot, will);
    for (const auto& [filter, value] : theirs.subscriptions)
      if (mine.subscriptions.contains(filter) || !seen_here_.covers(value.dot))
        edit.join_subscription(filter, value);
    for (const auto& [name, value] : theirs.entries)
      if (mine.entries.contains(name) || !seen_here_.covers(value.message))
        edit.join_entry(value, payload(value));
    for (const auto& [id, value] : theirs.inbound)
      if (mine.inbound.contains(id) || !seen_here_.covers(id.dot)) edit.join_inbound(id, value);
  }

  const pb::Message* payload(const Entry& entry) const {
    return entry.done ? nullptr : &other_.messages.at(entry.message).message;
  }

  void merge_retained() {
    for (const std::string& topic : dropped_there(into_.retained.all(), other_.retained.all(), other_.seen)) {
      into_.dirty.insert(keys::retained(topic));
      into_.retained.erase(topic);
    }
    for (const auto& [topic, theirs] : other_.retained.all()) {
      const auto mine = into_.retained.find(topic);
      if (mine == into_.retained.end() ? seen_here_.covers(theirs.dot) : theirs.stamp <= mine->second.stamp) continue;
      into_.retained.put(topic, theirs);
      into_.dirty.insert(keys::retained(topic));
    }
  }

  template <class Map, class KeyOf>
  void merge_registers(Map& mine, const Map& theirs, KeyOf key_of) {
    for (auto it = mine.begin(); it != mine.end();) {
      const auto here = it++;
      if (theirs.contains(here->first) || !other_.seen.covers(here->second.dot)) continue;
      into_.dirty.insert(key_of(here->first));
      mine.erase(here);
    }
    for (const auto& [key, value] : theirs) {
      const auto it = mine.find(key);
      if (it == mine.end() ? seen_here_.covers(value.dot) : !later(value, it->second))
        continue;
      mine.insert_or_assign(key, value);
      into_.dirty.insert(key_of(key));
    }
  }

  void merge_wills() {
    std::erase_if(into_.wills, [&](const auto& will) {
      const bool published = other_.seen.covers(will.first) && !other_.wills.contains(will.first);
      if (published) into_.dirty.insert(keys::will(will.first));
      return published;
    });
    for (const auto& [dot, will] : other_.wills) {
      if (seen_here_.covers(dot) || !into_.wills.emplace(dot, will).second) continue;
      into_.dirty.insert(keys::will(dot));
      changes_.wills.insert(dot);
    }
  }

  State& into_;
  const State& other_;
  Changes& changes_;
  const VersionVector seen_here_;
};

}  // namespace

void merge(State& into, const State& other, Changes& changes) {
  HF_ASSERT(into.id == other.id);
  Changes during;
  Merge(into, other, during).run();
  changes.sessions.merge(during.sessions);
  changes.connections.merge(during.connections);
  changes.wills.merge(during.wills);
  // A filter may lose its last subscriber to one session and win a first in another: only the sum
  // counts.
  std::map<std::string, int> sum;
  for (auto& filter : during.filters_added) ++sum[filter];
  for (auto& filter : during.filters_removed) --sum[filter];
  for (const auto& [filter, difference] : sum) {
    if (difference > 0) changes.filters_added.push_back(filter);
    if (difference < 0) changes.filters_removed.push_back(filter);
  }
}

}  // namespace hf::slot
