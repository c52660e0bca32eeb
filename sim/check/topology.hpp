// Who could reach whom at a time, and since when all was calm.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/check/history.hpp"

namespace hf::sim {

/// The cluster's past as segments between changes. A change: partition_changed, crash, restart,
/// wipe, pause, resume, begin and end of a fault that may touch nodes, links or disks, and the
/// start. Invariants: T1 segments ascend in time, the first begins at 0. T2 a query at t sees the
/// last segment with at <= t. T3 unknown nodes reach nobody.
class Topology {
 public:
  using Node = std::uint32_t;
  static constexpr Node nobody = 0xffffffffU;

  explicit Topology(const History& history);

  [[nodiscard]] Node node(std::string_view name) const;
  [[nodiscard]] std::size_t nodes() const { return count_; }
  /// Both listed in one group; a node always reaches itself.
  [[nodiscard]] bool same_side(Node a, Node b, VirtualTime t) const;
  /// Up and running nodes on n's side, n included.
  [[nodiscard]] std::size_t side_size(Node n, VirtualTime t) const;
  [[nodiscard]] VirtualTime last_change(VirtualTime t) const { return segments_[at(t)].at; }
  /// Changes in (from, to].
  [[nodiscard]] std::size_t changes(VirtualTime from, VirtualTime to) const;
  [[nodiscard]] bool steady(VirtualTime from, VirtualTime to) const {
    return changes(from, to) == 0;
  }
  /// Up and not paused at every moment of [from, to].
  [[nodiscard]] bool running(Node n, VirtualTime from, VirtualTime to) const;
  /// Crash, restart or wipe of n in (from, to].
  [[nodiscard]] bool crashed(Node n, VirtualTime from, VirtualTime to) const;
  /// The first crash, restart or wipe of n after `from`.
  [[nodiscard]] std::optional<VirtualTime> first_crash(Node n, VirtualTime from) const;
  /// No fault but plain partitions, crashes and pauses in [from, to].
  [[nodiscard]] bool undisturbed(VirtualTime from, VirtualTime to) const;
  /// No partition in [from, to] cut clients from nodes.
  [[nodiscard]] bool clients_free(VirtualTime from, VirtualTime to) const;
  /// Whole, undisturbed, and at most write_quorum-1 nodes away, at every moment of [from, to].
  [[nodiscard]] bool sound(VirtualTime from, VirtualTime to) const;
  /// Sound at some moment of [from, to].
  [[nodiscard]] bool ever_sound(VirtualTime from, VirtualTime to) const;
  /// No crash, restart, pause or resume in (from, to].
  [[nodiscard]] bool no_node_changed(VirtualTime from, VirtualTime to) const;
  /// Whole, undisturbed, all nodes up and running.
  [[nodiscard]] bool calm_at(VirtualTime t) const { return segments_[at(t)].calm; }
  /// First moment by which the cluster had been calm for `settle` without a break since t0 or
  /// later.
  [[nodiscard]] std::optional<VirtualTime> spread_by(VirtualTime t0) const;
  /// Latest moment x <= t such that the cluster was calm through [x - settle, x].
  [[nodiscard]] std::optional<VirtualTime> last_calm(VirtualTime t) const;
  [[nodiscard]] std::size_t wipes(VirtualTime from, VirtualTime to) const;
  /// What was acknowledged at node m at t0 is owed by node n at t. See README, "Establishment".
  [[nodiscard]] bool owed(Node m, Node n, VirtualTime t0, VirtualTime t) const;
  /// First D >= from + bound such that bound and one detection time per change since were given.
  [[nodiscard]] VirtualTime deadline(VirtualTime from) const;
  /// 2 x detect_after + settle: the time in which things must have happened.
  [[nodiscard]] VirtualTime bound() const { return 2 * detect_ + settle_; }
  /// Times of the changes in (from, ...), for walking.
  [[nodiscard]] std::optional<VirtualTime> next_change(VirtualTime t) const;

 private:
  struct Segment {
    VirtualTime at = 0;
    std::vector<std::uint64_t> sides;  // per node: bit per group
    std::vector<std::uint8_t> away;    // per node: bit 0 down, bit 1 paused
    bool whole = true, disturbed = false, clients_cut = false, calm = true;
  };
  struct Span {
    VirtualTime begin, end;
  };
  void change(const Event& event, Segment& now, std::int64_t& disturbing);
  void finish(std::uint32_t write_quorum);
  [[nodiscard]] std::size_t at(VirtualTime t) const;
  [[nodiscard]] bool none_since(const std::vector<std::size_t>& last,
                                VirtualTime from,
                                VirtualTime to) const;

  std::map<std::string, Node, std::less<>> names_;
  std::size_t count_ = 0;
  VirtualTime settle_ = 0, detect_ = 0;
  bool promise_after_restart_ = false;
  std::vector<Segment> segments_;
  std::vector<std::size_t> disturbed_, cut_, unsound_;  // 1 + last bad segment up to here, 0 none
  std::vector<Span> good_;                              // calm for at least settle
  std::vector<std::vector<Span>> stopped_;              // per node: not running
  std::vector<std::vector<VirtualTime>> crashes_;       // per node: crash, restart and wipe
  std::vector<VirtualTime> wipes_, node_changes_;
};

}  // namespace hf::sim
