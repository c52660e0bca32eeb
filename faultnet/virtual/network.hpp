// Streams as TCP gives them, over wires that can be slow, cut or half-open; in virtual time.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "broker/base/bytes.hpp"
#include "faultnet/virtual/wire.hpp"

namespace hf::faultnet {

/// Virtual nanoseconds.
using Time = std::int64_t;
/// A machine on the network: 1, 2, … in the order of add_host. 0 is none.
using HostId = std::uint32_t;
/// One end of one connection; unique within a run. 0 is none.
using End = std::uint64_t;

enum class HostKind : std::uint8_t { node, client };

/// What stands at a host's address.
enum class HostState : std::uint8_t {
  up,      ///< a process listens
  closed,  ///< the machine answers, nobody listens: dials are refused
  silent,  ///< no power, no answer at all
};

enum class Ending : std::uint8_t {
  ended,    ///< orderly, by the other side
  reset,    ///< reset by the other side, or given up by the transport
  refused,  ///< the dial met a machine where nobody listens
  failed,   ///< the dial met nothing
};

/// What the network needs of its surroundings. Neither call may call back.
class Driver {
 public:
  Driver() = default;
  Driver(const Driver&) = delete;
  Driver& operator=(const Driver&) = delete;
  [[nodiscard]] virtual Time now() const = 0;
  /// Call Network::wake(a, b) at `at` (>= now), once.
  virtual void wake_at(Time at, std::uint64_t a, std::uint64_t b) = 0;
  /// 64 random bits, a pure function of the arguments and the seed.
  [[nodiscard]] virtual std::uint64_t random(std::uint64_t purpose, std::uint64_t entity,
                                             std::uint64_t counter) const = 0;

 protected:
  ~Driver() = default;
};

/// What the network tells. Only ever from within wake(), reset() and set_state(); a listener may call
/// the network. An end is over when `closed` is told, or when close() was called.
class Listener {
 public:
  Listener() = default;
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  virtual void accepted(HostId host, End end, HostId remote) = 0;
  virtual void connected(HostId host, End end) = 0;
  virtual void arrived(HostId host, End end, const Bytes& bytes) = 0;
  virtual void closed(HostId host, End end, Ending ending) = 0;
  /// unsent(end) was above the writable mark and is no longer.
  virtual void writable(HostId host, End end) = 0;

 protected:
  ~Listener() = default;
};

/// Invariants:
///  N1 bytes of one direction arrive in order, each once, without gap, until the end of the stream;
///  N2 bursts of one direction arrive at strictly growing times: a tie broken by chance cannot reorder;
///  N3 nothing arrives over a blocked link; what is stuck is tried again as TCP would, for 15 s;
///  N4 after `closed` was told, or close() was called, nothing is told of an end.
class Network {
 public:
  Network(Driver& driver, Listener& listener, std::size_t writable_mark);

  // --- hosts and wires
  HostId add_host(std::string_view name, HostKind kind);
  [[nodiscard]] const std::string& name(HostId host) const { return hosts_[host - 1].name; }
  /// Wires of links whose pair has no wire of its own: node<->node, and client<->node.
  void set_default(HostKind kind, const Wire& wire);
  /// The wire of one direction of one pair.
  void set_wire(HostId from, HostId to, const Wire& wire);
  void clear_wire(HostId from, HostId to);
  [[nodiscard]] Wire wire(HostId from, HostId to) const;

  // --- streams
  /// Connects in one round trip. Answered by connected() or closed().
  End dial(HostId from, HostId to);
  /// Queues bytes; they leave at the next flush(). Ignored when the end is over.
  void send(End end, Bytes bytes);
  /// Puts all that was queued since the last call on the wires: once after every event.
  void flush();
  /// Bytes queued and not yet within the window.
  [[nodiscard]] std::size_t unsent(End end) const;
  void pause_reading(End end, bool paused);
  /// With `orderly` what is queued goes first, then FIN; else RST. Nothing is told of it afterwards.
  void close(End end, bool orderly);
  [[nodiscard]] bool open(End end) const;
  /// The host at the other end of a stream that is open.
  [[nodiscard]] HostId remote(End end) const;

  // --- faults
  /// To `closed`: the process died, its machine resets every stream. To `silent`: half-open streams.
  void set_state(HostId host, HostState state);
  /// A frozen host (stopped process): connections stand, bytes wait until the window is full.
  void freeze(HostId host, bool frozen);
  /// Cuts one direction of one pair, until undone.
  void block(HostId from, HostId to, bool blocked);
  /// A rule over all pairs, beside block(): what it denies is cut. Called for every link anew.
  void set_reach(std::function<bool(HostId from, HostId to)> reach);
  [[nodiscard]] bool blocked(HostId from, HostId to) const;
  /// Holds everything of one direction without loss or time-out, until unclogged.
  void clog(HostId from, HostId to, bool clogged);
  /// Both ends of every stream between the two are reset, now.
  void reset(HostId one, HostId other);

  /// What wake_at asked for.
  void wake(std::uint64_t a, std::uint64_t b);

  struct Counters {
    std::uint64_t dials = 0, bursts = 0, bytes = 0, stalls = 0, resets = 0;
  };
  [[nodiscard]] const Counters& counters() const { return counters_; }
  [[nodiscard]] std::size_t open_connections() const { return connections_.size() - free_.size(); }

 private:
  struct Host {
    std::string name;
    HostKind kind;
    HostState state = HostState::silent;
    bool frozen = false;
    std::uint64_t hash = 0;
  };
  struct Link {
    Wire wire;
    Time free_at = 0;  ///< when the bandwidth is free again
    std::uint64_t entity = 0, counter = 0;
    bool own_wire = false, cut = false, denied = false, clogged = false;
    [[nodiscard]] bool blocked() const { return cut || denied; }
  };
  enum class Mark : std::uint8_t { bytes, connected, fin };
  struct Segment {
    Time arrival;
    Bytes bytes;
    Mark mark;
  };
  enum class Phase : std::uint8_t {
    idle,     ///< nothing under way
    flying,   ///< a wake is set for the arrival of the first segment
    stalled,  ///< the first segment is lost, retransmission is set
    waiting,  ///< the first segment has arrived and the reader does not take it
  };
  /// One way of a connection, with the end that sends.
  struct Way {
    HostId host = 0;     ///< that sends
    Link* link = nullptr;
    std::deque<Bytes> outbox;
    std::deque<Segment> segments;
    std::size_t outbox_bytes = 0, window_used = 0;
    std::size_t unacked = 0;  ///< delivered, the acknowledgement is blocked
    Time last_arrival = 0, stalled_since = 0, ack_stalled_since = 0;
    Duration retry{0}, ack_retry{0};
    Phase phase = Phase::idle;
    bool over = true;       ///< the end that sends is over: nothing is told to it
    bool gone = false;      ///< over without goodbye: its machine answers RST, when it answers
    bool established = false;
    bool reading_paused = false;  ///< by this end, of the other way
    bool fin_wanted = false, fin_sent = false, above_mark = false, dirty = false;
  };
  struct Connection {
    Way ways[2];  ///< 0: the dialler's, 1: the listener's
    std::uint32_t generation = 1;
    std::uint32_t wakes = 0;  ///< wakes set and not yet come
    std::uint32_t tries = 0;
    Time dialled_at = 0;
    bool accepted = false, in_use = false;
  };
  enum class Wake : std::uint8_t {
    syn, refused, dial_failed, segment, ack, reset, linger, writable
  };

  Connection* find(End end);
  [[nodiscard]] const Connection* find(End end) const;
  [[nodiscard]] static std::uint32_t index_of(End end) {
    return static_cast<std::uint32_t>((end & 0xFFFFFFFFU) >> 1U) - 1;
  }
  [[nodiscard]] static unsigned side_of(End end) { return static_cast<unsigned>(end & 1U); }
  [[nodiscard]] End end_of(std::uint32_t index, unsigned side) const;
  Link& link(HostId from, HostId to);
  void refresh(HostId from, HostId to, Link& link);
  std::uint64_t draw(Link& link);
  Time arrival(Link& link, std::size_t size, Time not_before);
  [[nodiscard]] Time one_way(Link& link);
  void wake_later(std::uint32_t index, unsigned side, Wake what, Time at);
  void pump(std::uint32_t index, unsigned side);
  void enqueue(std::uint32_t index, unsigned side, Segment segment);
  void syn(std::uint32_t index);
  void segment_due(std::uint32_t index, unsigned side);
  void stall(std::uint32_t index, unsigned side);
  void deliver(std::uint32_t index, unsigned side);
  void acknowledge(std::uint32_t index, unsigned side, std::size_t size);
  void ack_due(std::uint32_t index, unsigned side);
  void send_reset(std::uint32_t index, unsigned from_side);
  void finish(std::uint32_t index, unsigned side, Ending ending);
  void end_silently(std::uint32_t index, unsigned side, bool gone);
  void nudge(std::uint32_t index, unsigned side);
  void mark_dirty(std::uint32_t index, unsigned side);
  void take_burst(std::uint32_t index, unsigned side, std::size_t size);
  void collect(std::uint32_t index);

  Driver& driver_;
  Listener& listener_;
  std::size_t writable_mark_;
  Wire defaults_[2];
  std::vector<Host> hosts_;
  std::map<std::pair<HostId, HostId>, Link> links_;
  std::function<bool(HostId, HostId)> reach_;
  std::deque<Connection> connections_;
  std::vector<std::uint32_t> free_;
  std::vector<End> dirty_;
  Counters counters_;
};

}  // namespace hf::faultnet
