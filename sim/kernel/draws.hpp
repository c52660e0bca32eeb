// Chance, keyed: a draw is a function of (seed, purpose, entity, counter of that entity).
#pragma once

#include <cstdint>
#include <map>
#include <string_view>
#include <utility>

#include "broker/base/hash.hpp"
#include "broker/base/time.hpp"

namespace hf::sim {

/// Probabilities are parts per billion.
inline constexpr std::uint64_t billion = 1'000'000'000;

/// -ln(n / 2^64) in 24-bit fixed point, for n > 0; 2^-64 stands for n = 0. Integers only: the same
/// with every compiler. Error below 4e-6.
std::uint64_t minus_log_q24(std::uint64_t n);
/// mean * -ln(bits / 2^64), at most `max`: an exponentially distributed time.
Duration exponential(std::uint64_t bits, Duration mean, Duration max = Duration::max());

/// The draws of one entity for one purpose, in order.
class DrawSequence {
 public:
  explicit DrawSequence(std::uint64_t key) : key_(key) {}
  /// 64 random bits.
  std::uint64_t bits() { return value(key_, counter_++); }
  /// 0 .. count-1; count > 0.
  std::uint64_t below(std::uint64_t count) { return bits() % count; }
  /// low .. high, both possible.
  std::int64_t between(std::int64_t low, std::int64_t high);
  Duration between(Duration low, Duration high) { return Duration(between(low.count(), high.count())); }
  /// True with `ppb` in a billion. Always takes one draw.
  bool chance(std::uint64_t ppb) { return below(billion) < ppb; }
  Duration exponential(Duration mean, Duration max = Duration::max()) {
    return sim::exponential(bits(), mean, max);
  }
  [[nodiscard]] std::uint64_t counter() const { return counter_; }

  static std::uint64_t value(std::uint64_t key, std::uint64_t counter) {
    return mix64(key ^ mix64(counter));
  }

 private:
  std::uint64_t key_;
  std::uint64_t counter_ = 0;
};

/// All draws of a run.
class Draws {
 public:
  explicit Draws(std::uint64_t seed) : seed_(seed) {}
  [[nodiscard]] std::uint64_t seed() const { return seed_; }
  [[nodiscard]] std::uint64_t key(std::uint64_t purpose, std::uint64_t entity) const {
    return mix64(mix64(mix64(seed_) ^ purpose) ^ entity);
  }
  /// The sequence of this purpose and entity; the reference stays good, later calls continue it.
  DrawSequence& of(std::string_view purpose, std::string_view entity);
  /// One value by its counter, for callers that count themselves.
  [[nodiscard]] std::uint64_t value(std::uint64_t purpose, std::uint64_t entity,
                                    std::uint64_t counter) const {
    return DrawSequence::value(key(purpose, entity), counter);
  }

 private:
  std::uint64_t seed_;
  std::map<std::pair<std::uint64_t, std::uint64_t>, DrawSequence> sequences_;
};

}  // namespace hf::sim
