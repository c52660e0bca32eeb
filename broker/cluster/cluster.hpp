// Who is reachable, and a reliable channel to each of them: links, heartbeats, relays, sessions.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "broker/base/bytes.hpp"
#include "broker/base/ids.hpp"
#include "broker/base/time.hpp"
#include "broker/cluster/placement.hpp"

namespace hf::cluster {

struct Settings {
  NodeId self = 0;
  std::uint32_t boot = 0;
  std::uint64_t process = 0;      ///< drawn at start
  std::string cluster_name;
  std::uint32_t slots = 0;        ///< a peer with another number is refused
  std::uint32_t replicas = 0;     ///< of another number, and of other members, is told
  std::vector<Member> members;  ///< self included, ids distinct
  Duration heartbeat_every = 200ms;
  Duration detect_after = 1s;     ///< silence that makes a peer unreachable
  Duration max_clock_drift = 10s; ///< a peer whose wall clock is further ahead is refused
  std::uint64_t max_outbox_bytes = 16ULL * 1024 * 1024;  ///< per peer, unacknowledged
  std::uint32_t version_min = 1;  ///< of the peer protocol
  std::uint32_t version_max = 1;
};

/// A channel to `node` stands: every message sent from here on arrives once and in order, or a Down
/// follows.
struct Up {
  NodeId node = 0;
  std::uint32_t boot = 0;
};
/// The channel is gone and what was not acknowledged with it. A later Up is a new channel.
struct Down {
  NodeId node = 0;
};
/// Nothing listens at the address of `node`, which is not up: every process of it known so far is over. Told again
/// with each dial that is refused.
struct Refused {
  NodeId node = 0;
};
/// `payload` is a slice of the batch it came in (up to 256 KiB): copy what is kept for long.
struct Message {
  NodeId from = 0;
  Bytes payload;
};
/// Per node: Up, Message…, Down, Up, … An Up never follows a Down of the same node within one turn.
using Event = std::variant<Up, Down, Message, Refused>;

/// What the host is to do. Appended to, never cleared, by the calls of Cluster.
struct Output {
  struct Send {
    StreamId stream = 0;
    Bytes bytes;
  };
  std::vector<NodeId> dial;     ///< dial the member's address, answer with dialled()
  std::vector<Send> send;       ///< in order
  std::vector<StreamId> close;  ///< after the sends, with flush; closed() need not follow
  std::vector<Event> events;    ///< for the node, in order; never from end_turn()
  std::vector<std::string> log; ///< for a person; repetition is bounded
};

/// Monotonic since boot.
struct ClusterCounters {
  std::uint64_t relayed = 0;       ///< channel frames forwarded for others
  std::uint64_t resets = 0;        ///< Downs emitted
  std::uint64_t overflows = 0;     ///< of them: the outbox passed its limit
  std::uint64_t links_lost = 0;    ///< links that were up and went down
  std::uint64_t retransmits = 0;   ///< messages sent again
  std::uint64_t frames_in = 0;
  std::uint64_t frames_out = 0;
  std::uint64_t bad_streams = 0;   ///< streams closed for what came over them
};

/// Of the direct link with a node, since boot.
struct Traffic {
  std::uint64_t bytes_in = 0, bytes_out = 0;
};

struct ClusterParts;

/// A machine of values. Invariants:
///  1. Frames leave only in end_turn(); events only in the other calls.
///  2. Between an Up and the Down that follows it, messages arrive exactly once, in order.
///  3. A frame is relayed at most once, and only between members.
///  4. What a stream can make this allocate is what it sent plus a bounded amount.
/// `now` never goes back. A turn is any number of calls, then end_turn().
class Cluster {
 public:
  Cluster(Settings settings, std::uint64_t seed);
  Cluster(Cluster&&) noexcept;
  Cluster& operator=(Cluster&&) noexcept;
  ~Cluster();

  /// The machine's wall clock, milliseconds since 1970; set it at the start of a turn.
  void set_wall(std::uint64_t wall_ms);

  /// Once, first.
  void start(Instant now, Output& out);
  /// A member's (or a stranger's) stream came in on the peer port, from `remote` (for the log).
  void accepted(Instant now, StreamId stream, std::string remote, Output& out);
  /// The answer to Output::dial: the stream that environment.dial() gave.
  void dialled(NodeId node, StreamId stream);
  void connected(Instant now, StreamId stream, Output& out);
  void bytes(Instant now, StreamId stream, const Bytes& bytes, Output& out);
  /// Also answers a dial that failed; `refused`: because nothing listens there. Streams already forgotten are ignored.
  void closed(Instant now, StreamId stream, Output& out, bool refused = false);
  /// deadline() has passed. A spurious call is harmless.
  void tick(Instant now, Output& out);

  /// Queues a non-empty message for a node that is up; false (and dropped) when it is not. Past max_outbox_bytes (of a peer
  /// that acknowledges: 16 times that) the next tick() (due at once) emits Down.
  bool send(NodeId to, Bytes payload);

  /// Gathers what the turn produced into as few frames as possible. Emits no events.
  void end_turn(Instant now, Output& out);
  [[nodiscard]] std::optional<Instant> deadline() const;

  /// Self and the nodes that are up, ascending.
  [[nodiscard]] const std::vector<NodeId>& view() const;
  /// Grows with every Up and Down.
  [[nodiscard]] std::uint64_t view_number() const;
  [[nodiscard]] bool is_up(NodeId node) const;
  /// Of self, or of a node that is up; else 0.
  [[nodiscard]] std::uint32_t boot_of(NodeId node) const;
  /// The direct link to `node` is up.
  [[nodiscard]] bool direct(NodeId node) const;
  /// The nodes that `node` says it has a link with, ascending; of self: what it has. Nothing where our own is not up.
  [[nodiscard]] std::vector<NodeId> neighbours_of(NodeId node) const;
  [[nodiscard]] Traffic traffic(NodeId node) const;
  /// Unacknowledged bytes towards `node`.
  [[nodiscard]] std::uint64_t outbox_bytes(NodeId node) const;
  [[nodiscard]] const std::vector<Member>& members() const;
  [[nodiscard]] const ClusterCounters& counters() const;

 private:
  std::unique_ptr<ClusterParts> parts_;
};

}  // namespace hf::cluster
