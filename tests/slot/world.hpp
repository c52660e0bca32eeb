// Up to five holders of one slot, each with its own skewed clock, log and disk; partitions,
// exchanges by log and by whole state, and forgetting at moments that an all-knowing test can prove
// safe.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "broker/slot/apply.hpp"
#include "broker/slot/log.hpp"
#include "broker/slot/rows.hpp"

namespace hf::slot::test {

struct Holder {
  explicit Holder(Origin self) : origin(self), clock(self), state(7) {}
  Origin origin;
  HybridClock clock;
  std::uint64_t wall_ms = 1;
  State state;
  OperationLog log;
  std::uint64_t seq = 0;
  Stamp epoch;                                    ///< of its latest claim
  Stamp epoch_seen;                               ///< in operations
  int side = 0;                                   ///< holders of one side can talk
  std::map<const Holder*, std::uint64_t> cursor;  ///< in the other's log
  std::set<unsigned> released;                    ///< identities whose Retire it has seen
  std::map<std::string, std::string> disk;        ///< rows, kept by dirty keys only
  std::set<std::string> filters;                  ///< kept by Changes only
};

class World {
 public:
  /// `spread`, 1 to 3: how many clients and, plus one, identities. Few meet more often.
  explicit World(std::size_t holders, unsigned spread = 3);

  std::vector<Holder> holders;
  std::vector<pb::Operation> operations;  ///< all there ever were
  bool forgot = false;

  /// One random step. Numbers choose; any numbers are a valid step.
  struct Step {
    unsigned what = 0, who = 0, a = 0, b = 0, c = 0;
  };
  void step(const Step& step);

  void issue(Holder& holder, pb::Operation operation);
  void stream(Holder& from, Holder& to);
  void transfer(Holder& from, Holder& to);
  /// Everybody talks to everybody until nothing is new.
  void heal();
  void forget_at(Holder& holder, std::uint64_t less);
  /// Operations after which everything remembered may be forgotten: nothing QoS 2 pending, all
  /// retired.
  void drain();
  /// Throws a text where derived state, disk and rows of a holder do not agree.
  static void check(Holder& holder);

 private:
  static void note(Holder& holder, const pb::Operation& op);
  static bool raise_epoch(Holder& holder, const Step& step);
  bool issue_session(Holder& holder, const Step& step);
  bool issue_queue(Holder& holder, const Step& step);
  void settle(Holder& holder, const Changes& changes);
  [[nodiscard]] VersionVector stable() const;
  [[nodiscard]] std::uint64_t safe_horizon(const VersionVector& stable) const;

  unsigned current(const Holder& holder, unsigned n);

  const unsigned spread_;
  unsigned identities_ = 0;
  std::vector<VersionVector> seen_at_issue_;  ///< of operations[i]
};

}  // namespace hf::slot::test
