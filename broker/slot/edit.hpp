// Changes to one session that keep everything derived in step: index, queue, payload counts, dirty
// rows. apply, merge and forget are written in these words and share their rules.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "broker/base/assert.hpp"
#include "broker/slot/apply.hpp"

namespace hf::slot {

/// Edits the session of `client`, which it creates; the destructor settles.
/// Invariants, outside an edit (tests/slot name them):
///  1. `filters` holds exactly the present subscriptions of sessions that exist, but for registers under what is no
///     filter (a group's members); the index those of them that are not shared.
///  2. `queue` holds exactly the entries not done; messages[d].references counts those with message
///  d.
///  3. Nothing lies before `end`: subscriptions and entries by stamp, inbound ids by attachment,
///  the
///     connect register by connect_stamp. An identity with an Enqueue before `end` is done.
///  4. `closed_connect` is connect_stamp or none.
///  5. A session with nothing in it has no record.
///  6. `remembering` holds each session that has_memory; `identities`, `inbound_names` and `will_names` count what bears them.
///  7. A will waits from the Connect that brought it until an operation names that Connect, whatever becomes of its connection.
class SessionEdit {
 public:
  SessionEdit(State& state, Changes& changes, const std::string& client);
  ~SessionEdit();
  SessionEdit(const SessionEdit&) = delete;
  SessionEdit& operator=(const SessionEdit&) = delete;

  [[nodiscard]] const Session& session() const { return session_; }

  /// Raises the end, and drops what lies before it.
  void raise_end(const Stamp& end, const Dot& dot);
  void drop_end();
  /// A session ended then.
  void raise_ended(const Stamp& ended, const Dot& dot);
  void drop_ended();
  /// The register's maximum by (connect_stamp, attach_stamp).
  void join_connect(const pb::Connect& connect,
                    const Stamp& connect_stamp,
                    const Stamp& attach_stamp,
                    const Dot& dot);
  void drop_connect();
  void forget_connect();  ///< the session too
  void raise_began(const Stamp& began);
  /// Counts only for the connection that the register holds. An expiry of 0 stands against all others.
  void join_closed(const Stamp& connect,
                   const Stamp& closed,
                   const Dot& dot,
                   std::uint32_t expiry_s,
                   std::uint64_t closed_ms);
  /// The will of that connection was fired, or is void. A copy of it that another Connect brought may still wait.
  void join_will_over(const Stamp& connect);
  void add_will(const Dot& dot, WaitingWill will);
  void drop_will(const Dot& dot);

  void join_subscription(const std::string& filter, const Subscription& value);
  /// Its retained messages in that slot of topics are in the queue, up to this topic.
  void read_subscription(const std::string& filter, const Stamp& subscribed, SlotId slot, const std::string& topic);
  /// Its retained messages are owed no more.
  void answer_subscription(const std::string& filter, const Stamp& subscribed);
  void drop_subscription(const std::string& filter);

  /// `payload` of value.message; may be null where value is done.
  void join_entry(const Entry& value, const pb::Message* payload);
  void bind_entry(const Name& name,
                  std::uint16_t packet_id,
                  const Stamp& epoch,
                  const Stamp& attach,
                  const Stamp& sent,
                  const Dot& dot);
  void assign_entry(const Name& name,
                    const std::string& member,
                    const Dot& deal,
                    const Stamp& epoch,
                    const Stamp& sent,
                    const Dot& dot);
  void receive_entry(const Name& name, std::uint32_t place, const Stamp& stamp, const Dot& dot);
  void finish_entry(const Name& name, const Stamp& stamp, const Dot& dot);
  void drop_entry(const Name& name);

  void join_inbound(const InboundKey& key, const Inbound& value);
  void drop_inbound(const InboundKey& key);

 private:
  /// One bearer less of what is counted.
  template <class Map, class Key>
  static void drop_one(Map& counts, const Key& key) {
    const auto it = counts.find(key);
    HF_ASSERT(it != counts.end());
    if (--it->second == 0) counts.erase(it);
  }
  Entry* named(const Name& name, const Stamp& stamp, const Dot& dot);
  void enter_queue(const Entry& entry, const pb::Message* payload);
  void leave_queue(const Entry& entry);
  void become_memory(Entry& entry);
  void drop_before_end();
  void touch(std::string key);
  using Subscribed = std::pair<const std::string, Subscription>;
  void count(const std::string& filter, bool more);
  void index(const Subscribed& subscribed);
  void unindex(const Subscribed& subscribed);

  State& state_;
  Changes& changes_;
  std::map<std::string, Session, std::less<>>::iterator place_;
  const std::string& client_;
  Session& session_;
  bool indexed_;  ///< its present subscriptions are in the index
  bool bound_;    ///< it is counted as such
  bool remembers_ = false;  ///< something was made here that has to be forgotten some day
};

}  // namespace hf::slot
