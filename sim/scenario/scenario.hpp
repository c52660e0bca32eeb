// A scenario file as plain values: a cluster, a network, clients, faults, and what must hold.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "broker/access/policy.hpp"
#include "broker/base/time.hpp"
#include "sim/scenario/draw.hpp"
#include "sim/world/client_spec.hpp"

namespace hf::sim {

struct NodeSpec {
  std::string name;
  std::string zone;
};

/// `cluster.config`: a setting of the node by its name, as an integer (times in nanoseconds).
struct Setting {
  std::string name;
  std::int64_t value = 0;
};

struct ClusterSpec {
  std::vector<NodeSpec> nodes;
  std::uint32_t slots = 64, replicas = 3, write_quorum = 2;
  std::vector<Setting> config;
  access::Policy access;
};

struct WireSpec {
  Drawn latency = Drawn::fixed(500'000);  ///< clients: drawn for each client
  Duration jitter{0};
  std::uint64_t bandwidth = 0;  ///< bits a second, 0 is unlimited
  std::uint32_t loss_ppb = 0, corrupt_ppb = 0;
};

struct LinkSpec {
  std::string from, to;  ///< a node, "zone:a" or "all"
  WireSpec wire;
};

struct NetworkSpec {
  WireSpec nodes, clients;
  std::vector<LinkSpec> links;
};

struct DiskSpec {
  Drawn write = Drawn::fixed(50'000), fsync = Drawn::fixed(2'000'000);
  std::uint64_t bandwidth = 0;  ///< bytes a second, 0 is unlimited
  std::uint64_t capacity = 0;   ///< bytes, 0 is unlimited
};

struct ClockSpec {
  Drawn skew = Drawn::fixed(0);       ///< nanoseconds, drawn for each node
  Drawn drift_ppm = Drawn::fixed(0);  ///< drawn for each node
};

/// A group is expanded to its clients while parsing.
struct ClientGroup {
  std::string name;
  std::vector<ClientSpec> clients;
};

enum class FaultKind : std::uint8_t {
  partition, link, flap, reset_peer, crash, restart, wipe, pause, resume, clock_skew, disk_full,
  client, clog, blackhole
};
std::string_view name(FaultKind kind);
std::optional<FaultKind> fault_kind(std::string_view name);

/// When a fault begins, beside a plain time.
struct When {
  std::string reached;  ///< a situation, of `node` if one is named
  std::string node;
  std::uint64_t occurrence = 1;
  std::string after;    ///< the name of another fault: when it has begun (or, with `ended`, ended)
  bool ended = false;
  Duration delay{0};
};

struct FaultSpec {
  std::string name;      ///< "f1", "f2", … when the file names none
  FaultKind kind{};
  std::string on;        ///< a target
  Duration at{0};
  std::optional<When> when;
  std::optional<Duration> lasts;  ///< `for`
  // partition
  std::vector<std::vector<std::string>> groups;  ///< of targets: names or zones
  std::string shape;
  std::string direction = "both";
  std::string clients = "free";
  // link, flap
  WireSpec wire;
  bool wire_given = false;
  Duration up{0}, down{0};
  std::uint64_t count = 0;
  // crash
  std::string disk = "lose_unsynced";
  // clock
  Duration offset{0};
  // client
  std::string action;
};

struct NemesisSpec {
  std::string name;
  std::vector<FaultKind> kinds;
  Drawn every, lasts;
  std::string on = "one";
  Duration from{0};
  std::optional<Duration> until;
  std::uint64_t max_concurrent = 1;
  std::vector<std::string> disks = {"lose_unsynced"};
};

struct Expectation {
  std::string guarantee;
  bool failure = false;    ///< `expect_failure`: the run must violate it
  std::string situation;   ///< `sometimes`
  std::uint64_t min = 1;
};

struct Scenario {
  std::string name, description;
  std::vector<std::string> tags;
  std::uint64_t seed = 1;
  Duration duration = 60s;
  std::uint64_t events_max = 0;  ///< 0 is no limit
  Duration wall_max{0};
  ClusterSpec cluster;
  NetworkSpec network;
  DiskSpec disk;
  ClockSpec clock;
  std::vector<ClientGroup> clients;
  std::vector<FaultSpec> faults;
  std::vector<NemesisSpec> nemesis;
  Duration heal_at{0};
  Duration settle = 30s;  ///< virtual time after the heal until the end
  std::string mutant;
  std::vector<Expectation> expect;  ///< empty: every guarantee
  /// The same scenario with its draws resolved: itself a valid file.
  std::string resolved;
};

}  // namespace hf::sim
