// What was promised and what was seen, by whom and when: the only thing the checks judge from first.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace hf::sim {

/// Virtual nanoseconds since the start of the run.
using VirtualTime = std::int64_t;

/// One thing that a client did or saw, or the simulator did to the cluster.
struct Event {
  enum class Kind : std::uint8_t {
    // --- a client, in its own words; `client` is its id, `node` where it is connected
    connect_sent,        ///< `flag` clean start; with a will: its `topic`, `qos`, `retained`, `delay`; its payload is "will-CLIENT CONNECTION"
    connected,           ///< CONNACK success arrived; `flag` session present
    refused,             ///< CONNACK with an error; `code`
    disconnected,        ///< the connection is over for the client; `code` server's reason, or 0x04 if the client sent that, or 0; `flag` DISCONNECT 0x00 by client
    subscribe_sent,      ///< `topic` filter, `qos`
    subscribed,          ///< SUBACK arrived for `topic`; `qos` granted, `code` reason
    unsubscribe_sent,    ///< `topic`
    unsubscribed,        ///< UNSUBACK arrived
    publish_sent,        ///< first send of message (`client`, `number`) to `topic` with `qos`; later sends: `flag` dup
    publish_acked,       ///< PUBACK (QoS 1) or PUBREC (QoS 2) with success for message `number`
    publish_completed,   ///< PUBCOMP
    publish_abandoned,   ///< session was not present: client gave the flow up, may publish it anew never
    reauthenticate_sent, ///< AUTH 0x19 of an open connection; `flag`: not as who it is there, or without its password; `text`: the user
    reauthenticated,     ///< AUTH 0x00 arrived; `flag` as it was sent
    left,                ///< it connects anew beside this connection, which it reads for its end only from now on
    received,            ///< the application got message (`publisher`, `number`) on `topic` with `qos`; `packet_id`, `flag` dup. For QoS 2: handed over once per id, at PUBLISH (method A of the specification)
    protocol_violation,  ///< the broker broke the protocol as far as a client can see; `text`
    // --- the world; `node` set, `client` empty
    node_crashed, node_restarted, node_wiped, node_paused, node_resumed,
    fault_began, fault_ended,  ///< `text`
    partition_changed,         ///< `groups`: node names by side; one group: whole
    healed,                    ///< from here liveness is judged
    ended,
  };
  Kind kind{};
  VirtualTime at = 0;
  std::uint64_t number_in_run = 0;  ///< simulator's event count, for "event 81223"
  std::string client;
  std::string node;
  std::string topic;
  std::string publisher;       ///< of the message received
  std::uint64_t number = 0;    ///< of the message: 1, 2, … per publisher
  std::uint64_t connection = 0;  ///< the client's connection count: 1, 2, …
  std::uint16_t packet_id = 0;
  std::uint8_t qos = 0;
  std::uint8_t code = 0;
  bool flag = false;           ///< fault_began/fault_ended: harmless, touches no node, link or disk
  bool retained = false;       ///< received: RETAIN was set, an answer to SUBSCRIBE, not judged as a delivery; publish_sent: it was asked for
  bool empty = false;          ///< publish_sent, received: no payload (a retained message is deleted)
  bool as_published = false;   ///< subscribe_sent: RETAIN is to come as published
  std::uint8_t handling = 0;   ///< subscribe_sent: retain handling
  bool no_local = false;       ///< subscribe_sent: the client's own messages are not to come back
  std::uint32_t size = 0;      ///< publish_sent: bytes of the packet, with its topic
  std::vector<std::uint32_t> identifiers;  ///< subscribe_sent: the one asked for, if any; received: those that came
  VirtualTime delay = 0;       ///< connect_sent: of the will
  /// Seconds. publish_sent, received: Message Expiry Interval; connect_sent: that of the will; disconnected: the Session Expiry
  /// Interval of the client's DISCONNECT.
  std::optional<std::uint32_t> expiry = {};
  bool clients_cut = false;    ///< partition_changed: clients may be cut from their nodes too
  std::string text;
  std::vector<std::vector<std::string>> groups;
};

/// What one node says of one slot after the heal and quiet (from node::SlotReport; check/ does not know the node).
struct SlotCopy {
  std::string node;
  std::uint32_t slot = 0;
  bool replica = false;
  std::uint64_t digest = 0, log_tail = 0, hints = 0, tombstones = 0;
  std::string text;
};

/// What one node held at a moment of the run: connections let in, and the most that any session had waiting.
struct Sample {
  VirtualTime at = 0;
  std::string node;
  std::uint64_t connections = 0, queued = 0, queued_bytes = 0;
  std::string longest, heaviest;  ///< the clients that had the most messages, and bytes
};

/// How the run was set up, as far as checks need it.
struct RunFacts {
  std::uint32_t replicas = 3, write_quorum = 2;
  VirtualTime detect_after = 0;          ///< cluster.detect
  VirtualTime healed_at = -1, ended_at = 0;
  VirtualTime settle = 0;                ///< time allowed after a change of topology before promises span sides
  std::uint64_t disks_lost = 0;          ///< most disks lost at once: G2 is not applicable above W-1
  std::uint64_t dropped = 0;             ///< messages dropped at a declared limit and counted (G13), by all boots of all nodes
  std::uint64_t dropped_too_large = 0;   ///< of them: larger than the receiver takes
  std::uint64_t dropped_qos_0 = 0;       ///< of them: QoS 0 that a client or a node did not take fast enough
  std::uint64_t dropped_full = 0;        ///< of them: the receiver's queue was full
  VirtualTime will_grace = 0;            ///< will.partition_grace
  bool qos2_waits = true;                ///< false: qos2.minority is `continue`
  bool refuses_by_choice = false;        ///< ack.min_replicas or session.unreachable is set
  bool promise_after_restart = false;    ///< a restarted node owes all routes at once, without settling
  VirtualTime clock_spread = 0;          ///< most that two nodes' clocks differ
  bool order_across_heal = true;         ///< G5 is judged for messages sent right after a heal
  std::vector<std::string> nodes;
  struct Client {
    std::string id;
    bool clean_start = false;
    bool persistent = true;              ///< session outlives the connection
    bool draining = true;                ///< expected to be connected and reading after the heal
    VirtualTime keep_alive = 0;          ///< 0: none
    VirtualTime session_expiry = INT64_MAX;  ///< after the connection's end; the most there is: never
    std::string user = {};               ///< it logs in as; empty: anonymous
    std::uint32_t packet_max = 0;        ///< bytes it takes; 0: any
    bool admitted = true;                ///< false: no such user, or not its password; nobody may let it in
    bool properties = true;              ///< it is told how long what it gets lasts (MQTT 5)
  };
  std::vector<Client> clients;
  /// A rule of access: names may have '*' in them, empty ones mean everybody; in the filter %u and %c are user and client id.
  struct Right {
    std::string user, client;
    bool allow = true, publish = true, receive = true;
    std::string filter;
  };
  std::vector<Right> rights;             ///< none: everybody may do everything
  enum class FullQueue : std::uint8_t { drop_oldest, drop_newest, reject };
  /// What the configuration declares. The most of something, or 0 a second, is no limit.
  struct Limits {
    bool declared = false;               ///< the scenario names one: G13 is judged
    std::uint64_t queued = UINT64_MAX, queued_bytes = UINT64_MAX;  ///< of one session
    std::uint64_t fits = UINT64_MAX;     ///< so many messages of this run find room in any case
    FullQueue full = FullQueue::drop_newest;
    bool stand_ins = true;               ///< nodes that are no replicas may take messages for a session
    std::uint64_t subscriptions = UINT64_MAX;  ///< of one session
    std::uint64_t connections = UINT64_MAX;    ///< of one node
    std::uint64_t topic_length = UINT64_MAX, topic_levels = UINT64_MAX;
    std::uint32_t connect_rate = 0, connect_burst = 0;  ///< of one node
    std::uint32_t publish_rate = 0, publish_burst = 0;  ///< of one connection
  };
  Limits limits;
};

struct History {
  RunFacts facts;
  std::vector<Event> events;     ///< by (at, number_in_run)
  std::vector<SlotCopy> copies;  ///< at the end
  std::vector<Sample> samples;   ///< in order; only where limits are declared
};

}  // namespace hf::sim
