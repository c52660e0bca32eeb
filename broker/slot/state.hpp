// The state of one slot: what its operations make. Pure data with an index; changed only by apply.hpp.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "broker/base/on_demand.hpp"
#include "broker/slot/operation.pb.h"
#include "broker/slot/retained.hpp"
#include "broker/slot/version_vector.hpp"
#include "broker/topic/trie.hpp"

namespace hf::slot {

/// Names a queue entry: by dot (QoS 1) or by message identity (QoS 2). See operation.proto.
struct Name {
  bool identity = false;
  bool front = false;
  bool written = false;  ///< as the retained message of its topic: apart from its deliveries, which may end later
  SlotId slot = 0;
  Dot dot;
  friend auto operator<=>(const Name&, const Name&) = default;
};

/// A payload is held once per slot, by the dot of the Enqueue that brought it.
struct StoredMessage {
  pb::Message message;
  std::uint64_t references = 0;  ///< entries that are not done; never 0
};

/// What a subscription is still owed of the retained messages that match it.
struct Owed {
  Stamp asked;                           ///< the SUBSCRIBE, whoever took it and however often
  std::map<SlotId, std::string> read;    ///< of a slot of topics: those up to this one have been put into the queue
  [[nodiscard]] bool empty() const { return asked == Stamp{}; }
};

struct Subscription {
  Stamp stamp;
  Dot dot;
  bool present = false;
  pb::Options options;
  OnDemand<Owed> owing;
  [[nodiscard]] bool owed() const { return !owing->empty(); }
};

/// The slot of a Name that names a retained message as it was read for one SUBSCRIBE: whoever reads it again, after a
/// failover say, names it alike. No slot has that number.
inline constexpr SlotId reading_slot = UINT32_MAX;
[[nodiscard]] Name reading_name(const Stamp& asked, std::string_view filter, std::string_view topic);

/// A present subscription as the index names it: by client, then filter. Both lie in the state.
struct Indexed {
  const std::string* client = nullptr;
  const std::pair<const std::string, Subscription>* subscription = nullptr;
  friend bool operator==(const Indexed& a, const Indexed& b) { return a.subscription == b.subscription; }
  friend bool operator<(const Indexed& a, const Indexed& b) {
    return std::tie(*a.client, a.subscription->first) < std::tie(*b.client, b.subscription->first);
  }
};

/// One message owed to one session.
struct Entry {
  Name name;
  Stamp first;     ///< least stamp of an Enqueue: the place in the queue
  Dot message;     ///< which Enqueue's payload
  std::uint32_t qos = 1;
  bool retain = false;
  std::vector<std::uint32_t> identifiers;
  std::uint16_t packet_id = 0;  ///< 0: not given out
  std::uint32_t recd = 0;       ///< place of its PUBREC among those of the session; 0: none came
  Stamp epoch;                  ///< QoS 2: of that Send
  Stamp attach;                 ///< the attachment it was given out under
  Stamp sent;                   ///< of that Send
  bool given = false;           ///< identities: some Send named it, done or not
  std::string member;           ///< of a group's entry: whom it is dealt to, by (epoch, sent); else empty
  Dot deal;                     ///< of a group's entry: names that deal
  /// Identities only: delivered, or an Enqueue of it lies before the session's end. Kept as a memory
  /// (name, first, message, last; the rest is as in a new Entry) until retired and stable.
  bool done = false;
  Dot last;                     ///< of the operation with the greatest stamp that named this entry
  Stamp last_stamp;
};

/// An operation on a QoS 2 packet id of the client's own: an Inbound, or a Release.
struct InboundKey {
  std::uint16_t packet_id = 0;
  Dot dot;
  friend auto operator<=>(const InboundKey&, const InboundKey&) = default;
};
struct Inbound {
  Stamp epoch;
  Stamp stamp;
  Stamp attach;  ///< stamp of the CONNECT that it came by
  Dot name;  ///< of the message: its identity is {identity, slot, name}; none: a Release
  std::uint64_t content = 0;  ///< hash of its topic and payload; 0: unknown
  [[nodiscard]] bool released() const { return name.seq == 0; }
};

/// What a CONNECT asked to be published once its connection is gone, by the dot of the operation that brought it. It waits
/// until an operation names that dot: also where a later connection has taken the place of its own, knowing nothing of it.
struct WaitingWill {
  Stamp connect;
  std::uint32_t delay_s = 0;  ///< or the session's expiry as that CONNECT asked for it, if that is less
  bool copy = false;          ///< a re-attachment brought it: the CONNECT itself has brought it elsewhere
  pb::Message message;        ///< expires_ms: how long after it is published
};

struct Session {
  Stamp end;                 ///< items stamped before it are gone; none (again) once that is stable
  Dot end_dot;
  std::optional<pb::Connect> connect;  ///< of the winning (connect_stamp, attach_stamp), see without_repeats
  Stamp connect_stamp;
  Stamp attach_stamp;
  Dot attach_dot;
  /// The client has read then that there was no session, and has thrown its own packet ids away: those connected
  /// earlier are gone. None, or at least `end`.
  Stamp began;
  Stamp closed;              ///< stamp of the latest Disconnect of this very connection; else none
  Dot closed_dot;
  Stamp closed_connect;      ///< connect_stamp, once closed
  std::uint32_t expiry_s = 0;  ///< of the Connect, or of the Disconnect that closed it
  std::uint32_t filters = 0;   ///< present subscriptions; derived
  std::uint64_t closed_ms = 0;
  /// A session ended then: the latest Disconnect with expiry 0, of whatever connection. None once `end` is no earlier, or once that
  /// is stable and no session came after it that knows nothing of the one before.
  Stamp ended;
  Dot ended_dot;
  /// The will of this very connection was fired, or the client said goodbye.
  bool will_over = false;
  SparseMap<std::map<std::string, Subscription, std::less<>>> subscriptions;
  std::uint64_t filter_bytes = 0;                        ///< of present subscriptions; derived
  SparseMap<std::map<Name, Entry>> entries;
  SparseMap<std::map<std::pair<Stamp, Name>, const Entry*>> queue;  ///< not done, in order; derived
  std::uint64_t queued_bytes = 0;                        ///< of the messages in the queue; derived
  /// Of each packet id the operation of the greatest (epoch, stamp), and those of later attachments, which would
  /// count once an end takes it.
  SparseMap<std::map<InboundKey, Inbound>> inbound;
  SparseMap<std::map<Dot, WaitingWill>> wills;

  /// What counts under a packet id of the client: nothing, its Release, or the Inbound that holds it.
  [[nodiscard]] const Inbound* inbound_of(std::uint16_t packet_id) const;
  /// Is it the will of the latest connection, neither fired nor void? Else that connection's is over, or whoever took its place knew
  /// nothing of it.
  [[nodiscard]] bool is_latest(const WaitingWill& will) const { return connect && !will_over && will.connect == connect_stamp; }
  /// That one, or null.
  [[nodiscard]] const WaitingWill* will() const;
  /// Its latest connection was closed, and nothing was to outlive it. So ends a session: a later connection, perhaps made
  /// where nobody knew of that, stays. What it held lies here until a clean CONNECT or an End takes it.
  [[nodiscard]] bool over() const { return connect && closed_connect == connect_stamp && expiry_s == 0; }
  /// Its client was told that there was no session before, by who knew nothing of one that had ended by then. What is stamped
  /// before `ended` is not its own: it goes with an End.
  [[nodiscard]] bool follows_ended() const {
    return exists() && ended != Stamp{} && connect_stamp > ended && (began > ended || !connect->session_present());
  }
  /// Is there a session: a CONNECT at or after the last end, and not over.
  [[nodiscard]] bool exists() const { return connect && connect_stamp >= end && !over(); }
  /// Is its latest connection open, as far as operations tell.
  [[nodiscard]] bool open() const { return exists() && closed_connect != connect_stamp; }
};

/// A CONNECT as a session holds it: without what the session has beside.
[[nodiscard]] pb::Connect without_repeats(const pb::Connect& connect);

[[nodiscard]] inline bool is_bound(const Session& session) { return session.exists() && session.connect->bound(); }

/// A will that is to be published, by the dot of its Fire.
struct FiredWill {
  Stamp stamp;
  pb::Message message;
};

/// An identity whose publisher released it: done entries of that name may be forgotten.
struct Retired {
  Stamp stamp;
  Dot dot;
};

/// Does it hold an end of whatever kind, or items of which only the memory is left: absent subscriptions, finished identities,
/// packet ids of the client's own.
[[nodiscard]] bool has_memory(const Session& session);

/// How a deal ended at its member. The greatest (epoch, stamp) counts.
enum class Outcome : std::uint8_t { none, delivered, revoked };
struct Settled {
  Stamp epoch;
  Stamp stamp;
  Dot dot;
  Outcome outcome = Outcome::none;
};

/// What an apply or merge changed, for those who keep something derived. Order of discovery.
struct Changes {
  std::set<std::string> sessions;         ///< clients whose session changed in any way
  std::set<std::string> connections;      ///< clients whose connect register or end changed
  std::vector<std::string> filters_added;    ///< got a first subscriber in the slot
  std::vector<std::string> filters_removed;  ///< lost the last one
  std::set<Dot> wills;                       ///< fired
};

struct State {
  SlotId id = 0;
  VersionVector seen;
  std::map<std::string, Session, std::less<>> sessions;
  std::map<Dot, StoredMessage> messages;
  RetainedMessages retained;
  std::map<Name, Retired> retired;
  std::map<Dot, FiredWill> wills;
  std::map<Name, Settled> settled;

  // Derived.
  std::uint64_t seed = 0;  ///< of the index: clients choose what lies in it
  topic::Trie<Indexed> index;  ///< present subscriptions of sessions that exist, but for `$share/`: a group matches for its members
  std::map<std::string, std::uint32_t, std::less<>> filters;  ///< filter as subscribed -> clients
  std::set<std::string> dirty;                             ///< keys of rows changed since they were last taken
  /// So that forgetting looks only where there is something: at least every session with memory (has_memory), every
  /// identity that an entry bears and every name that an unreleased Inbound holds (how many do).
  std::set<std::string, std::less<>> remembering;
  std::map<Name, std::uint32_t> identities;
  std::map<Dot, std::uint32_t> inbound_names;
  /// The identity under which waiting wills will be published, and whose they are: how many.
  std::map<std::pair<Name, std::string>, std::uint32_t> will_names;
  /// Of sessions that exist; `bound`: those that end with their connection; entries of queues.
  struct Totals {
    std::uint64_t sessions = 0, bound = 0, subscriptions = 0, queued = 0, queued_bytes = 0;
    friend bool operator==(const Totals&, const Totals&) = default;
  } totals;

  explicit State(SlotId slot = 0, std::uint64_t seed_of_index = 0) : id(slot), seed(seed_of_index), index(seed_of_index) {}
  State(const State&) = delete;  // queues and the index point into it
  State& operator=(const State&) = delete;
  State(State&&) noexcept = default;
  State& operator=(State&&) noexcept = default;
  ~State() = default;
};

/// What a queued message is counted as, in bytes.
[[nodiscard]] inline std::uint64_t weight(const pb::Message& message) {
  return message.topic().size() + message.payload().size() + message.properties().size();
}

[[nodiscard]] Dot from_pb(const pb::Dot& dot);
[[nodiscard]] Stamp from_pb(const pb::Stamp& stamp);
[[nodiscard]] Name from_pb(const pb::Name& name);
[[nodiscard]] VersionVector from_pb(const pb::VersionVector& vector);
void to_pb(const Dot& dot, pb::Dot* out);
void to_pb(const Stamp& stamp, pb::Stamp* out);
void to_pb(const Name& name, pb::Name* out);
void to_pb(const VersionVector& vector, pb::VersionVector* out);
[[nodiscard]] Stamp stamp_of(const pb::Operation& operation);

/// The greatest stamp and the greatest epoch in a state.
struct Latest {
  std::uint64_t time = 0;
  Stamp epoch;
};
[[nodiscard]] Latest latest(const State& state);
/// Of a step of QoS 2; else none.
[[nodiscard]] Stamp epoch_of(const pb::Operation& operation);

}  // namespace hf::slot
