// Direct links: one stream per pair of members, hello, heartbeats both ways, the gossiped graph.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "broker/cluster/chance.hpp"
#include "broker/cluster/cluster.hpp"
#include "broker/cluster/frame.hpp"
#include "broker/cluster/frame.pb.h"

namespace hf::cluster {

struct LinkUp {
  NodeId node = 0;
  std::uint32_t boot = 0;
};
/// `heard`: when both directions were last known to work.
struct LinkDown {
  NodeId node = 0;
  Instant heard{};
};
/// `node` told which links it has up now, and which it lost lately and when it last heard them.
struct GraphChanged {
  NodeId node = 0;
  std::vector<std::pair<NodeId, Instant>> lost;
};
/// A dial to `node` found nothing listening.
struct LinkRefused {
  NodeId node = 0;
};
/// A part of a channel came from neighbour `node`.
struct Part {
  NodeId node = 0;
  wire::Channel channel;
};
using LinkEvent = std::variant<LinkUp, LinkDown, GraphChanged, LinkRefused, Part>;
using LinkEvents = std::vector<LinkEvent>;

/// Invariants:
///  1. A peer has at most one greeted stream; a new one closes the old one.
///  2. A link is up only while bytes came within detect_after, and the peer said that bytes of ours
///     came to it within detect_after (plus the heartbeat it takes to say so). While much comes, but no heartbeat,
///     that lies behind it, and is waited for, eight times detect_after at most.
///  3. The lower id dials. The higher id only knocks while there is no link: it learns whether anything listens
///     there, and hangs up; who hears a knock dials soon.
class Links {
 public:
  Links(const Settings& settings, std::uint64_t seed, ClusterCounters& counters);

  void set_wall(std::uint64_t wall_ms) { wall_ms_ = wall_ms; }
  void start(Instant now, Output& out);
  void accepted(Instant now, StreamId stream, std::string remote, Output& out);
  void dialled(NodeId node, StreamId stream);
  void connected(Instant now, StreamId stream, Output& out);
  void bytes(Instant now, StreamId stream, const Bytes& bytes, Output& out, LinkEvents& events);
  void closed(Instant now, StreamId stream, bool refused, LinkEvents& events);
  void tick(Instant now, Output& out, LinkEvents& events);
  void end_turn(Instant now, Output& out);
  [[nodiscard]] Instant deadline() const { return wake_; }

  [[nodiscard]] bool up(NodeId node) const;
  /// `relay` says that its link with `node` is up, and ours with `relay` is.
  [[nodiscard]] bool leads_to(NodeId relay, NodeId node) const;
  [[nodiscard]] Instant heard(NodeId node) const;
  /// The neighbours that `node` says it has, ascending; nothing unless our link with it is up.
  [[nodiscard]] std::vector<NodeId> neighbours_of(NodeId node) const;
  [[nodiscard]] Traffic traffic(NodeId node) const;
  /// Queues a part for a neighbour whose link is up.
  void queue(NodeId node, wire::Channel part);
  [[nodiscard]] std::size_t queued_bytes(NodeId node) const;
  /// A wall clock further ahead than allowed: reported once, to be refused.
  bool too_far_ahead(NodeId node, std::uint64_t wall_ms, Output& out);

 private:
  struct Stream {
    NodeId peer = 0;     ///< of an accepted stream: 0 before its hello
    std::string remote;  ///< of an accepted stream, until its hello
    bool dialled = false;
    bool greeted = false;
    std::uint32_t boot = 0;
    std::uint64_t attempt = 0;
    std::uint64_t graph_sent = 0;
    Instant opened{};
    FrameDecoder decoder;
  };
  struct Link {
    StreamId stream = 0;     ///< greeted
    StreamId dialling = 0;   ///< ours, not greeted yet
    bool asked = false;      ///< a dial is under way
    bool up = false;
    bool beat_now = false;
    Instant dial_at{};       ///< next dial, or the end of patience with the one under way
    Duration backoff{};
    Instant knocked{};       ///< a dial was hurried
    Instant heard{};
    Instant heard_by{};      ///< as far as its heartbeats have told
    std::uint64_t untold = 0;  ///< bytes that came since its last heartbeat
    bool lost = false;       ///< was up, is not now
    std::vector<NodeId> graph;  ///< ascending
    std::vector<wire::Channel> parts;
    std::size_t part_bytes = 0;
    Traffic traffic;
  };
  enum class Reason { cluster, stranger, version, clock, direction, frame, slots, boot, settings };

  static constexpr std::uint64_t much = 64 * 1024;  ///< that a heartbeat may lie behind
  [[nodiscard]] Instant unheard_at(Instant now, const Link& link) const;
  bool frame(Instant now, StreamId id, std::string_view body, Output& out, LinkEvents& events);
  bool hello(Instant now, StreamId id, const wire::Hello& hello, Output& out, LinkEvents& events);
  bool hello_is_good(const Stream& stream, const wire::Hello& hello, Output& out);
  bool boots_are_their_own(const wire::Hello& hello, Output& out);
  void compare_settings(const wire::Hello& hello, Output& out);
  void heartbeat(Instant now, NodeId node, const wire::Heartbeat& beat, LinkEvents& events);
  void send_hello(StreamId id, NodeId to, std::uint64_t attempt, bool farewell = false);
  void link_up(NodeId node, LinkEvents& events);
  void tell_graph();
  void drop_link(Instant now, NodeId node, LinkEvents& events);
  void close(StreamId id, Instant now, Output& out, LinkEvents& events);
  void redial_later(NodeId node, Instant now);
  void bad_frame(const Stream& stream, const std::string& why, Output& out);
  /// By a stream of which nobody knows, or none believes, who it is.
  void report_stranger(const Stream& stream, const std::string& text, Output& out);
  void report(NodeId node, Reason reason, const std::string& text, Output& out);
  void tell(NodeId node, Reason reason, const std::string& text, Output& out);
  void fill_heartbeat(Instant now, Link& link, Stream& stream, wire::Heartbeat& beat);
  void flush(Instant now, NodeId node, Link& link, bool beat, Output& out);
  void arm(Instant t) { wake_ = std::min(wake_, t); }
  [[nodiscard]] bool dials(NodeId node) const { return settings_.self < node; }
  [[nodiscard]] Duration greet_within() const { return settings_.detect_after * 2; }

  const Settings& settings_;
  Chance chance_;
  ClusterCounters& counters_;
  std::uint64_t wall_ms_ = 0;
  std::map<NodeId, Link> links_;
  std::map<StreamId, Stream> streams_;
  struct Known {
    std::uint32_t boot = 0;
    std::uint64_t process = 0;
  };
  std::map<NodeId, Known> known_;  ///< the latest process of each
  std::size_t ungreeted_ = 0;  ///< accepted streams without a hello
  std::vector<std::pair<Output::Send, bool>> hellos_;  ///< true: also to a stream that is closed in this turn
  std::set<NodeId> pending_;   ///< links with something to flush
  std::set<std::pair<NodeId, Reason>> reported_;  ///< of members, until the link is up
  std::optional<Instant> strangers_from_;         ///< when one is told of again
  std::uint64_t strangers_ = 0;                   ///< not told of since
  std::uint64_t attempts_ = 0;
  std::uint64_t graph_version_ = 1;
  Instant now_{};
  Instant beat_at_{};
  bool beat_ = false;
  Instant wake_ = Instant::max();
};

}  // namespace hf::cluster
