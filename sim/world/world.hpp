// A cluster in a bottle: nodes, clients, the network between them, and everything that can go wrong.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "faultnet/virtual/network.hpp"
#include "sim/check/history.hpp"
#include "sim/kernel/digest.hpp"
#include "sim/kernel/draws.hpp"
#include "sim/kernel/scheduler.hpp"
#include "sim/world/client_end.hpp"
#include "sim/world/process.hpp"
#include "sim/world/trace.hpp"

namespace hf::sim {

/// What a partition of the nodes does to clients.
enum class ClientPolicy : std::uint8_t {
  with_node,  ///< a client reaches the side of the node it dialled last before (a new one: first)
  free,       ///< clients reach every node
  cut,        ///< clients reach the largest group only (the first of the largest)
};

/// How a crashed node's peers learn of it.
enum class Silence : std::uint8_t {
  by_mode,  ///< keep: reset; lose_unsynced, torn (power loss): silent
  reset,    ///< the machine lives: streams are reset, dials refused
  silent,   ///< the machine is gone: half-open streams, dials meet nothing
};

/// Names of groups of nodes that reach each other; nodes in no group form one more.
using Groups = std::vector<std::vector<std::string>>;

class World final : private faultnet::Driver, private faultnet::Listener, private Actor {
 public:
  World(std::uint64_t seed, History& history, Factory factory);
  ~World();

  // --- running
  void run_until(VirtualTime end);
  void run_for(Duration time) { run_until(scheduler_.now() + time.count()); }
  [[nodiscard]] VirtualTime now() const override { return scheduler_.now(); }
  [[nodiscard]] std::uint64_t events() const { return scheduler_.events(); }
  [[nodiscard]] const Digest& digest() const { return digest_; }
  Scheduler& scheduler() { return scheduler_; }
  Draws& draws() { return draws_; }
  Trace& trace() { return trace_; }
  History& history() { return history_; }

  // --- nodes; those named must exist
  /// `config.id` must be set; the node's address is its name. Not started yet.
  Process& add_node(std::string name, node::Config config);
  void start(std::string_view node);
  void start_all();
  /// SIGTERM: on_stop, and the process leaves when it has stopped().
  void stop(std::string_view node);
  void crash(std::string_view node, CrashMode mode = CrashMode::lose_unsynced,
             Silence silence = Silence::by_mode);
  /// Starts a node that is down. Nothing happens when it runs.
  void restart(std::string_view node);
  /// Down (if it runs) and its disk emptied. Start it with restart().
  void wipe(std::string_view node);
  /// Called when a node goes down, with what is about to be gone.
  void set_on_down(std::function<void(const env::Handler&)> on_down) { on_down_ = std::move(on_down); }
  /// SIGSTOP: events are held, TCP stays open, the clock runs.
  void pause(std::string_view node);
  void resume(std::string_view node);
  /// Wall clock only; and the rate of both clocks.
  void set_skew(std::string_view node, Duration skew);
  void set_drift(std::string_view node, std::int64_t ppm);
  [[nodiscard]] bool has_node(std::string_view node) const { return nodes_by_name_.contains(node); }
  Process& node(std::string_view node);
  [[nodiscard]] std::vector<std::string> node_names() const;  ///< in the order they were added

  // --- network
  void set_node_wire(const faultnet::Wire& wire) { network_.set_default(faultnet::HostKind::node, wire); }
  void set_client_wire(const faultnet::Wire& wire) { network_.set_default(faultnet::HostKind::client, wire); }
  /// One direction between two hosts, nodes or clients (made known here when they are not).
  void set_wire(std::string_view from, std::string_view to, const faultnet::Wire& wire);
  void clear_wire(std::string_view from, std::string_view to);
  [[nodiscard]] faultnet::Wire wire(std::string_view from, std::string_view to);
  /// Replaces the partition before.
  void partition(Groups groups, ClientPolicy clients = ClientPolicy::with_node);
  /// Cuts one direction of one pair; adds to what is cut.
  void cut(std::string_view from, std::string_view to);
  void uncut(std::string_view from, std::string_view to);
  void clog(std::string_view from, std::string_view to, bool clogged);
  void reset_peer(std::string_view one, std::string_view other);
  /// Ends the partition and every cut and clog. Processes, disks and wires stay as they are.
  void heal_network();
  [[nodiscard]] bool reaches(std::string_view from, std::string_view to);
  faultnet::Network& network() { return network_; }
  faultnet::HostId host(std::string_view name);  ///< a client is made known when it is not

  // --- clients
  StreamId dial_as_client(std::string_view client, std::string_view node, ClientEnd* end);
  void send(StreamId stream, Bytes bytes);
  [[nodiscard]] std::size_t unsent(StreamId stream) const { return network_.unsent(stream); }
  void pause_reading(StreamId stream, bool paused) { network_.pause_reading(stream, paused); }
  void close(StreamId stream);  ///< FIN behind what is queued
  void reset(StreamId stream);  ///< RST
  /// The client's machine vanishes: no FIN, no RST, now or later.
  void vanish(std::string_view client);
  /// end->on_timer(token) at `time`; `end` must live until then, or the timer be cancelled.
  Ticket at(VirtualTime time, ClientEnd* end, std::uint64_t token);
  Ticket at(VirtualTime time, std::function<void()> what);
  bool cancel(Ticket timer);  ///< of at(); false when it is stale

  // --- situations
  void reached(std::string_view node, std::string_view situation);
  /// Runs `what` once, right after the `occurrence`-th time (1, 2, …) that `situation` is reached on
  /// `node` ("": on any), as an event of its own at the same instant.
  void when_reached(std::string situation, std::string node, std::uint64_t occurrence,
                    std::function<void()> what);
  /// Count by situation, then node.
  using Situations = std::map<std::string, std::map<std::string, std::uint64_t, std::less<>>, std::less<>>;
  [[nodiscard]] const Situations& situations() const { return situations_; }
  [[nodiscard]] std::uint64_t count(std::string_view situation, std::string_view node = "") const;

  // --- history
  /// Appends with the time and the number of events filled in.
  void note(Event event);
  void note(Event::Kind kind, std::string node, std::string text = "");

 private:
  friend class Process;
  struct Hook {
    std::string situation, node;
    std::uint64_t left;
    std::function<void()> what;
  };
  struct ClientHost {
    faultnet::HostId last_dialled = 0;
    faultnet::HostId side = 0;  ///< the node whose side it is on; 0: not known yet
    bool vanished = false;
  };
  struct ClientStream {
    faultnet::End end = 0;
    ClientEnd* client = nullptr;
  };
  struct Timer {
    ClientEnd* end = nullptr;
    std::function<void()> what;
    std::uint64_t token = 0;
    Ticket ticket = 0;
    std::uint32_t generation = 1;
    bool armed = false;
  };

  // faultnet::Driver, Listener, Actor
  void wake_at(faultnet::Time at, std::uint64_t a, std::uint64_t b) override;
  [[nodiscard]] std::uint64_t random(std::uint64_t purpose, std::uint64_t entity,
                                     std::uint64_t counter) const override;
  void accepted(faultnet::HostId host, faultnet::End end, faultnet::HostId remote) override;
  void connected(faultnet::HostId host, faultnet::End end) override;
  void arrived(faultnet::HostId host, faultnet::End end, const Bytes& bytes) override;
  void closed(faultnet::HostId host, faultnet::End end, faultnet::Ending ending) override;
  void writable(faultnet::HostId host, faultnet::End end) override;
  void act(std::uint32_t kind, std::uint64_t a, std::uint64_t b) override;

  void settle();  ///< ends the turns of this event and puts what was sent on the wires
  void fold(faultnet::HostId target, std::uint32_t kind, std::uint64_t size, std::uint64_t content);
  [[nodiscard]] Process* process_at(faultnet::HostId host) const { return process_of_host_[host]; }
  StreamId dial_as_node(Process& process, std::string_view address);
  [[nodiscard]] ClientEnd* client_at(faultnet::End end) const;
  faultnet::HostId add_host(std::string_view name, faultnet::HostKind kind, Process* process);
  Ticket set_timer(VirtualTime time, ClientEnd* end, std::uint64_t token, std::function<void()> what);
  void fire(std::uint64_t place);
  [[nodiscard]] bool allowed(faultnet::HostId from, faultnet::HostId to) const;
  void reach_changed();  ///< asks allowed() again for every link
  void note_sides();
  void bring_down(Process& process, CrashMode mode, Silence silence, std::string text);

  History& history_;
  Factory factory_;
  std::function<void(const env::Handler&)> on_down_;
  Scheduler scheduler_;
  Draws draws_;
  Digest digest_;
  Trace trace_;
  faultnet::Network network_;
  std::vector<std::unique_ptr<Process>> nodes_;
  std::map<std::string, Process*, std::less<>> nodes_by_name_;
  std::map<std::string, faultnet::HostId, std::less<>> hosts_;
  std::vector<Process*> process_of_host_;    ///< by host, 0 unused
  std::vector<ClientHost> client_of_host_;   ///< by host, 0 unused
  std::vector<ClientStream> client_streams_;  ///< by index of the connection
  std::vector<Process*> touched_;
  std::vector<Timer> timers_;
  std::vector<std::uint32_t> free_timers_;
  std::vector<Hook> hooks_;
  Situations situations_;
  Groups groups_;
  std::vector<std::uint32_t> group_of_host_;  ///< 1 … by host; 0: in the rest
  std::uint32_t largest_group_ = 0;
  ClientPolicy client_policy_ = ClientPolicy::with_node;
  std::set<std::pair<faultnet::HostId, faultnet::HostId>> cuts_, clogs_;
};

}  // namespace hf::sim
