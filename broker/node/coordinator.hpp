// The coordinator of slots: opens sessions, takes subscriptions and messages, and owes each client what comes next.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "broker/base/on_demand.hpp"
#include "broker/base/time.hpp"
#include "broker/node/message.pb.h"
#include "broker/replica/slot_replica.hpp"
#include "broker/slot/state.hpp"

namespace hf::node {

struct ShardParts;

/// Invariants:
///  1. A reply that promises something leaves only through a gate of the slot's replica.
///  2. Messages go to the attached connection only, and only while it is the session's latest.
///  3. A QoS 2 packet id is not sent before a majority has it bound to its entry.
class Coordinator {
 public:
  explicit Coordinator(ShardParts& parts) : parts_(parts) {}

  void start();
  void on_request(NodeId from, const pb::Request& request);
  void cast(SlotId slot, const slot::pb::Message& message);
  /// A front has, or has not, room for more of a client's messages.
  void on_credit(NodeId from, const pb::Credit& credit);
  void on_retire_query(NodeId from, const pb::RetireQuery& query);
  void on_retire_answer(const pb::RetireAnswer& answer);

  /// Done entries whose publishers are to be asked. Another coordinator may have finished them.
  void look_for_unretired(SlotId slot);
  void begin_serving(SlotId slot);
  /// QoS 2 steps may be logged from now on.
  void begin_deciding(SlotId slot);
  /// There is no majority any more: what waited for one and need not goes.
  void stop_deciding(SlotId slot);
  void stop_serving(SlotId slot);
  /// Do requests wait for the slot to be served here.
  [[nodiscard]] bool parks(SlotId slot) const { return !serving_[slot].parked.empty(); }
  [[nodiscard]] std::size_t waits_for_majority(SlotId slot) const { return serving_[slot].without_majority.size(); }
  /// Operations changed the slot; `foreign`: of others, or a merge.
  void changed(SlotId slot, const slot::Changes& changes, bool foreign);
  /// A node came up, went, or refuses: what is connected there is looked at.
  void front_changed(NodeId node);
  void peer_down(NodeId node);
  /// Of a front, as far as sessions served here tell.
  [[nodiscard]] std::uint32_t latest_boot(NodeId node);
  void routes_complete();
  /// Sends what sessions are owed. True if anything was done.
  bool pump();
  void tick();

  // --- retained messages that were read for a session served here (retained_writing.cpp)
  [[nodiscard]] bool is_attached(SlotId slot, const std::string& client) const { return serving_[slot].attached.contains(client); }
  /// The SUBSCRIBE that a retained message was read for; `reading`: where, if those before it were all there.
  struct Asked {
    std::string filter;
    slot::Stamp asked;
    std::optional<slot::pb::Reading> reading;
  };
  /// `by`: none where nobody reads it again.
  bool owe_retained(SlotId slot, const std::string& client, const slot::pb::Options& options, const slot::pb::Message& message,
                    const Asked* by);
  void send_mark(SlotId slot, const std::string& client, std::uint64_t id);
  void answered(SlotId slot, const std::string& client, const std::string& filter, slot::Stamp subscribed);
  /// The connection that a session is being delivered to.
  struct Link {
    NodeId node = 0;
    std::uint32_t window = 1;
  };
  [[nodiscard]] std::optional<Link> link(SlotId slot, std::string_view client) const;
  /// A message of QoS 0 that a group dealt.
  void push_unkept(SlotId slot, const std::string& client, const pb::DealRequest& request);
  slot::Dot append(SlotId slot, slot::pb::Operation operation);
  [[nodiscard]] slot::Dot tail(SlotId slot) const;
  void note_unretired(SlotId slot, const slot::Name& name);
  void find_unretired(SlotId slot);
  void ask_to_retire(SlotId slot);
  /// Ends a session by an operator's word, connected or not; its will is published. `done` once that is stored.
  bool remove(SlotId slot, const std::string& client, std::function<void()> done);

 private:
  /// What is on its way over a connection; nothing while the queue is empty.
  struct Flight {
    std::map<std::uint16_t, slot::Name> ids;                    ///< in flight on this connection
    std::map<slot::Name, std::uint16_t> in_flight;
    std::set<std::uint16_t> bound;                              ///< ids that entries hold, sent or not
    std::set<std::uint16_t> resumed;                            ///< of `ids`: given out before, and not done
    std::vector<slot::Name> resume;                             ///< given out before, to be sent under their ids
    std::set<slot::Name> behind;                                ///< of QoS 1, to be sent again once QoS 2 before it has been
    std::uint32_t recds = 0;                                    ///< the greatest place of a PUBREC among them
    std::optional<std::pair<slot::Stamp, slot::Name>> cursor;   ///< delivered up to here
    [[nodiscard]] bool empty() const { return in_flight.empty() && bound.empty() && resume.empty() && !cursor; }
  };
  /// A connection that a session is being delivered to, as this coordinator knows it.
  struct Attached {
    NodeId node = 0;
    std::uint64_t connection = 0;
    slot::Stamp connect, attach;
    std::uint32_t window = 1;
    std::uint16_t last_id = 0;
    bool full = false;  ///< its front has no room: nothing new is given out
    OnDemand<Flight> flight;
  };
  struct Intake {
    std::uint32_t boot = 0;
    std::uint64_t round = 0, last = 0;
    std::uint64_t highest = 0, highest_ahead = 0;  ///< ids taken, of either order
  };
  /// What is kept of a session for the sake of time.
  struct Watch {
    std::uint64_t due = 0;  ///< wall ms, 0: never
    NodeId front = 0;       ///< of its open connection
    friend bool operator==(const Watch&, const Watch&) = default;
  };
  struct Serving {
    Instant since{};  ///< what other holders knew of connections is known from then on
    std::map<std::string, Attached, std::less<>> attached;
    std::map<NodeId, Intake> intake;
    std::deque<std::pair<NodeId, pb::Request>> parked;
    /// What waits for one (QoS 2 steps of publishers, doubts), by front, connection and number of the request: asked again it is the same.
    std::map<std::tuple<NodeId, std::uint64_t, std::uint64_t>, pb::Request> without_majority;
    std::map<std::string, Watch, std::less<>> watches;
    std::map<NodeId, std::set<std::string>> fronts;  ///< whose latest connection is open there
    std::set<std::string> held_back;                 ///< to be ended once all replicas can be reached
    std::set<std::string> over, over_with_queue;     ///< sessions of which something is left
    std::set<std::string> left;                      ///< sessions where a will of a connection before waits
    std::uint64_t cleared_up_to = 0;                 ///< the horizon at which that was last looked at
    std::set<slot::Dot> publishing, stored_wills;    ///< Fires: under way; stored everywhere, but that is not logged yet
    std::map<slot::Dot, slot::VersionVector> wills_asked;  ///< names that are asked about -> what was known then
    std::set<std::string> pump;
    std::set<slot::Name> unretired;
    std::map<std::tuple<bool, bool, std::uint32_t>, slot::Name> retire_asked;  ///< by front, written, slot of them: the last one asked about
    std::size_t looks_after = 0;  ///< look_for_unretired() skips so many calls
  };
  struct Target {
    std::uint32_t qos = 0;
    bool retain = false;
    std::vector<std::uint32_t> identifiers;
  };

  /// May QoS 2 steps be logged: what a node without a majority logs could contradict what the majority has sent.
  [[nodiscard]] bool decides_qos2(SlotId slot) const;
  /// What is sent only once a majority knows: QoS 2, and what a group dealt.
  [[nodiscard]] static bool decided_step(const slot::State& state, const slot::Entry& entry);
  [[nodiscard]] bool outlived(SlotId slot, const pb::Request& request);
  [[nodiscard]] bool admit(SlotId slot, NodeId from, const pb::Request& request, bool& again);
  [[nodiscard]] bool speaks_for_session(SlotId slot, NodeId from, const pb::Request& request);
  void dispatch(SlotId slot, NodeId from, const pb::Request& request, bool again);
  slot::Dot append(SlotId slot, slot::pb::Operation operation, slot::Stamp stamp);
  [[nodiscard]] slot::Session* session(SlotId slot, std::string_view client);
  static pb::Reply answer(const pb::Request& request);
  void reply(NodeId to, pb::Reply reply);
  void redirect(NodeId to, const pb::Request& request);

  void log_opening(const std::string& client, const slot::Session* old, const slot::pb::Connect& connect) const;
  void open(SlotId slot, NodeId from, const pb::Request& request);
  void close(SlotId slot, NodeId from, const pb::Request& request);
  void subscribe(SlotId slot, NodeId from, const pb::Request& request);
  void unsubscribe(SlotId slot, NodeId from, const pb::Request& request);
  void acks(SlotId slot, NodeId from, const pb::Request& request);
  void doubts(SlotId slot, NodeId from, const pb::Request& request);
  void inbound(SlotId slot, NodeId from, const pb::Request& request);
  void release(SlotId slot, NodeId from, const pb::Request& request);
  void began(SlotId slot, NodeId from, const pb::Request& request);
  void publish(SlotId slot, NodeId from, const pb::Request& request, bool again);
  void retain(SlotId slot, NodeId from, const pb::Request& request, bool again);
  [[nodiscard]] bool retained_before(SlotId slot, const pb::Retain& ask);
  void note_owed(SlotId slot, const std::string& client, slot::pb::Subscribe& subscribe);
  [[nodiscard]] bool over_limit(const slot::Session& session, const slot::pb::Message& message) const;
  bool make_room(SlotId slot, const std::string& client, const slot::pb::Message& message);
  [[nodiscard]] std::map<std::string, Target> targets(SlotId slot, const slot::pb::Message& message) const;

  void attach(SlotId slot, const std::string& client, const pb::Request& request);
  static void forget_cursor(Attached& attached);
  static void find_resumable(const slot::Session& session, Attached& attached);
  void resume(SlotId slot, const std::string& client, const slot::Session& session, Attached& attached);
  void received(SlotId slot, const std::string& client, Attached& attached, std::vector<slot::Name> names);
  slot::Dot log_send(SlotId slot, const std::string& client, const Attached& attached, slot::pb::Operation operation, bool qos2);
  void kick(std::string_view client, NodeId node, std::uint64_t connection);
  void pump_session(SlotId slot, const std::string& client, Attached& attached);
  void resend(SlotId slot, const std::string& client, Attached& attached, const std::vector<const slot::Entry*>& entries);
  void send_again(SlotId slot, const Attached& attached, const slot::Entry& entry);
  void send_behind(SlotId slot, Attached& attached, const slot::Session& session);
  void push(SlotId slot, const Attached& attached, const slot::Entry& entry, bool dup);
  void push_pubrel(const Attached& attached, const slot::Entry& entry);
  void push_qos0(SlotId slot, const std::string& client, const slot::pb::Message& message, const Target& target);
  void push_qos0(const Attached& attached, const slot::pb::Message& message, const Target& target);
  [[nodiscard]] static std::vector<std::string> shared_filters(const slot::pb::Subscribe& subscribe);
  [[nodiscard]] std::vector<slot::Name> deals_among(SlotId slot, const std::string& client, const slot::pb::Done& done);
  [[nodiscard]] std::uint16_t next_packet_id(SlotId slot, Attached& attached, std::uint32_t qos) const;
  [[nodiscard]] Attached* current(SlotId slot, std::string_view client, slot::Stamp attach);
  void note_groups(SlotId slot, const std::string& client, bool foreign);
  // ending.cpp
  [[nodiscard]] std::uint64_t due(SlotId slot, const std::string& client, const slot::Session& session) const;
  void note_session(SlotId slot, const std::string& client);
  void drop_watches(SlotId slot);
  void tick_sessions();
  void look_at(SlotId slot, const std::string& client);
  void connection_over(SlotId slot, const std::string& client, std::uint32_t expiry_s, bool goodbye);
  void close_connection(SlotId slot, const std::string& client, std::uint32_t expiry_s, bool goodbye);
  void end_session(SlotId slot, const std::string& client, bool goodbye);
  void give_up_queue(SlotId slot, const std::string& client);
  void part_from_ended(SlotId slot, const std::string& client);
  void clear_up(SlotId slot);
  void forget_local();
  // wills.cpp
  using Dots = google::protobuf::RepeatedPtrField<slot::pb::Dot>;
  [[nodiscard]] static slot::Name will_name(SlotId slot, const slot::pb::Front& front);
  [[nodiscard]] static std::uint64_t will_delay_ms(const slot::Session& session, std::uint32_t expiry_s);
  static void name_wills(const slot::Session& session, Dots* out);
  [[nodiscard]] static bool leaves_wills(const slot::Session& session);
  void settle_left(SlotId slot);
  void void_if_published(SlotId slot, const slot::Dot& will);
  void settle_left(SlotId slot, const std::string& client);
  void superseded_will(SlotId slot, const std::string& client, const slot::Session& old, bool clean);
  void fire(SlotId slot, const std::string& client);
  void fire(SlotId slot, const std::string& client, const slot::pb::Message& will, slot::pb::Operation operation);
  void publish_will(SlotId slot, const slot::Dot& dot);
  void publish_wills(SlotId slot);
  void send_will(SlotId slot, const slot::Dot& dot);
  void will_stored(SlotId slot, const slot::Dot& dot);
  [[nodiscard]] static bool names_a_will(const slot::Dot& name);
  [[nodiscard]] bool known_everywhere(SlotId slot, const slot::Dot& name);
  void pump_all(SlotId slot);

  ShardParts& parts_;
  std::vector<Serving> serving_;
  std::set<SlotId> pump_slots_;
  std::set<std::string> local_touched_;  ///< sessions of the local slot that may have something to forget
  std::set<std::tuple<std::uint64_t, SlotId, std::string>> timers_;  ///< of all watches: (due, slot, client)
};

}  // namespace hf::node
