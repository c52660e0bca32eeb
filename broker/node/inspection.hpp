// What a shard tells an operator who asks: nodes, slots, clients, sessions; and the few things an operator may do.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/base/ids.hpp"
#include "broker/base/time.hpp"
#include "broker/node/metrics.hpp"
#include "broker/node/pressure.hpp"

namespace hf::slot {
struct Session;
}

namespace hf::node {

struct ShardParts;

/// Gauges. Each is kept up to date: asking costs the number of slots at most.
struct Totals {
  std::uint64_t connections = 0, pending = 0;        ///< here; `pending`: CONNECT is not accepted yet
  std::uint64_t sessions = 0;                        ///< persistent ones, in slots held here
  std::uint64_t sessions_served = 0;                 ///< of them, in slots this node coordinates: their sum over all nodes is the cluster's
  std::uint64_t subscriptions = 0;                   ///< of sessions served here, bound to connections or not
  std::uint64_t queued_messages = 0, queued_bytes = 0;  ///< likewise, in flight or waiting
  std::uint64_t retained_messages = 0, retained_bytes = 0;                ///< in slots held here
  std::uint64_t retained_served = 0;
  std::uint64_t slots_held = 0, slots_served = 0;
  std::uint64_t slots_unserved = 0;                  ///< of those this node should serve in its view: not (yet) ready
  std::uint64_t log_operations = 0;                  ///< kept for replicas that have not confirmed them
  std::uint64_t hints = 0;                           ///< slots for whose replicas messages are kept here
  std::uint64_t routes = 0;                          ///< filters known of all nodes
  std::uint64_t view_number = 0;
};

struct NodeView {
  NodeId id = 0;
  std::string name, address, zone;
  bool self = false, reachable = false, direct = false;  ///< reachable but not direct: over a relay
  std::uint32_t boot = 0;                                ///< 0: never seen
  std::uint64_t unacknowledged_bytes = 0;                ///< towards it
  std::uint64_t bytes_in = 0, bytes_out = 0;             ///< over the direct link with it
  std::vector<NodeId> links;                             ///< it has, as it says; empty where unknown
};

struct SlotView {
  SlotId slot = 0;
  std::vector<NodeId> replicas;       ///< in preference order
  NodeId coordinator = 0;             ///< in this node's view
  bool held = false, replica = false, serving = false, decides = false;
  std::uint64_t sessions = 0, queued_messages = 0, retained_messages = 0;
  std::uint64_t log_operations = 0;
  std::uint64_t waits_for_majority = 0;  ///< requests: steps of QoS 2, while it does not decide
  bool all_replicas_reachable = false;
  std::uint64_t copies = 0;           ///< replicas that have on stable storage what this node held half a second ago
};

/// A connection of this node.
struct ClientView {
  std::string client, user, remote, listener;
  std::string protocol;               ///< "3.1", "3.1.1" or "5.0"
  bool clean_start = false, bound = false;  ///< bound: its session ends with the connection
  std::uint32_t session_expiry_s = 0;
  std::uint16_t keep_alive_s = 0;
  std::uint64_t connected_ms = 0;     ///< wall clock
  std::uint64_t silent_ms = 0;        ///< since it was last heard of
  SlotId slot = 0;
  NodeId coordinator = 0;
  std::uint64_t in_flight_out = 0, in_flight_in = 0, held_back = 0, unsent_bytes = 0;
  std::uint64_t unstored_acks = 0;    ///< packet ids it is done with, and its coordinator has not said so yet
  bool paused = false;                ///< it is not read from at the moment
};

/// A persistent session in a slot held here.
struct SessionView {
  std::string client;
  SlotId slot = 0;
  std::vector<NodeId> replicas;
  NodeId coordinator = 0;
  bool connected = false;
  NodeId front = 0;                   ///< where its latest connection is or was
  std::uint32_t expiry_s = 0;
  std::uint64_t closed_ms = 0;        ///< wall clock; 0: connected
  std::uint64_t subscriptions = 0, queued_messages = 0, queued_bytes = 0;
  std::uint64_t in_flight = 0;        ///< of the first thousand in the queue
  bool will = false;
};

struct SubscriptionView {
  std::string client, filter;
  std::uint32_t qos = 0;
  bool no_local = false, retain_as_published = false;
  std::uint32_t retain_handling = 0, identifier = 0;
};

struct RetainedView {
  std::string topic;
  std::uint64_t bytes = 0;
  std::uint32_t qos = 0;
  std::string publisher;
  std::uint64_t stamped_ms = 0;
};

/// A page: at most `limit` items in a fixed order, and the cursor that the next page begins after; none: this is the last.
template <class Item>
struct Page {
  std::vector<Item> items;
  std::optional<std::string> next;
};

/// Is it safe to stop this node: `why` names what would have fewer copies than W on other reachable replicas.
struct SafeToStop {
  bool safe = true;
  std::vector<std::string> why;
};

/// How far this node is: what health checks ask.
enum class Readiness : std::uint8_t { starting, catching_up, ready, draining };

/// For the shard's own thread, between turns. Reading changes nothing. Every list costs its page, not the whole (of sessions: their
/// subscriptions too, which are counted).
class Inspection {
 public:
  explicit Inspection(ShardParts& parts) : parts_(parts) {}

  [[nodiscard]] const Counters& counters() const;
  [[nodiscard]] Totals totals() const;
  [[nodiscard]] Readiness readiness() const;
  [[nodiscard]] Pressure pressure() const;
  [[nodiscard]] NodeId self() const;
  [[nodiscard]] Duration uptime() const;
  /// Where a client's session lies, whether there is one or not.
  struct Home {
    SlotId slot = 0;
    NodeId coordinator = 0;
    std::vector<NodeId> replicas;
  };
  [[nodiscard]] Home home_of(std::string_view client) const;
  [[nodiscard]] std::vector<NodeView> nodes() const;
  [[nodiscard]] std::vector<SlotView> slots() const;
  [[nodiscard]] Page<ClientView> clients(std::string_view after, std::size_t limit) const;
  [[nodiscard]] std::optional<ClientView> client(std::string_view client) const;
  /// In slots held here.
  [[nodiscard]] Page<SessionView> sessions(std::string_view after, std::size_t limit) const;
  [[nodiscard]] std::optional<SessionView> session(std::string_view client) const;
  [[nodiscard]] Page<SubscriptionView> subscriptions(std::string_view client, std::string_view after, std::size_t limit) const;
  [[nodiscard]] Page<RetainedView> retained(std::string_view after, std::size_t limit) const;
  [[nodiscard]] SafeToStop safe_to_stop() const;

  /// Ends its connection at this node (0x98). False: there is none.
  bool disconnect(std::string_view client);
  /// Ends its session in the whole cluster, connected or not; `done` tells how it ended: in a later turn, or never if
  /// the node stops. False: this node does not serve its slot (ask `coordinator`), and `done` is not called.
  bool end_session(std::string_view client, std::function<void()> done);

  /// Every packet of a client's connections at this node, from now on: `sink(direction, text)`. One trace a client: a
  /// new one takes the place of the old; at most `traces_max`. False: there are too many.
  static constexpr std::size_t traces_max = 16;
  enum class Direction : std::uint8_t { in, out };
  using Sink = std::function<void(Direction, std::string_view text)>;
  bool trace(std::string_view client, Sink sink);
  void end_trace(std::string_view client);

 private:
  [[nodiscard]] std::vector<NodeId> replicas_of(SlotId slot) const;
  [[nodiscard]] const slot::Session* find(std::string_view client) const;

  ShardParts& parts_;
};

}  // namespace hf::node
