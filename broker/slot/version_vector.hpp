// Dots, stamps and version vectors: the mathematics of who has seen what.
#pragma once

#include <compare>
#include <cstdint>
#include <map>

#include "broker/base/ids.hpp"

namespace hf::slot {

/// Names one operation of a slot: its writer and the writer's count in this slot, from 1, no gaps.
struct Dot {
  Origin origin;
  std::uint64_t seq = 0;
  friend auto operator<=>(const Dot&, const Dot&) = default;
};

/// Hybrid logical clock reading (Kulkarni et al. 2014): 48-bit ms << 16 | counter, then origin.
/// The default is before every real one.
struct Stamp {
  std::uint64_t time = 0;
  Origin origin;
  friend auto operator<=>(const Stamp&, const Stamp&) = default;
};

/// Origin -> highest sequence seen; everything up to it has been seen.
class VersionVector {
 public:
  [[nodiscard]] bool covers(const Dot& dot) const { return dot.seq <= seen(dot.origin); }
  [[nodiscard]] bool covers(const VersionVector& other) const {
    for (const auto& [origin, seq] : other.seen_)
      if (seen(origin) < seq) return false;
    return true;
  }
  [[nodiscard]] std::uint64_t seen(const Origin& origin) const {
    const auto it = seen_.find(origin);
    return it == seen_.end() ? 0 : it->second;
  }
  /// Raises one entry; lower values change nothing.
  void raise(const Dot& dot) {
    auto& seq = seen_[dot.origin];
    if (dot.seq > seq) seq = dot.seq;
  }
  void join(const VersionVector& other) {
    for (const auto& [origin, seq] : other.seen_) raise({origin, seq});
  }
  /// The greatest vector that both cover.
  [[nodiscard]] static VersionVector meet(const VersionVector& a, const VersionVector& b) {
    VersionVector out;
    for (const auto& [origin, seq] : a.seen_)
      if (const auto other = b.seen(origin); other != 0) out.seen_[origin] = seq < other ? seq : other;
    return out;
  }
  [[nodiscard]] const std::map<Origin, std::uint64_t>& entries() const { return seen_; }
  [[nodiscard]] bool empty() const { return seen_.empty(); }
  friend bool operator==(const VersionVector&, const VersionVector&) = default;

 private:
  std::map<Origin, std::uint64_t> seen_;
};

/// Issues stamps that pass every stamp received. `wall_ms` is the machine's clock, which may jump.
/// No clock shows this (the year 6429): only damage or malice does, and whoever followed it could not go on.
constexpr std::uint64_t time_limit = 1ULL << 63U;

class HybridClock {
 public:
  explicit HybridClock(Origin self) : self_(self) {}
  [[nodiscard]] Stamp next(std::uint64_t wall_ms) {
    const std::uint64_t physical = wall_ms << 16U;
    last_ = physical > last_ ? physical : last_ + 1;
    return {last_, self_};
  }
  void observe(std::uint64_t time) {
    if (time > last_ && time < time_limit) last_ = time;
  }
  [[nodiscard]] std::uint64_t last() const { return last_; }

 private:
  Origin self_;
  std::uint64_t last_ = 0;
};

}  // namespace hf::slot
