// A machine's clock: drifts, is skewed, and is asked in virtual time.
#pragma once

#include <cstdint>

#include "sim/kernel/scheduler.hpp"

namespace hf::sim {

/// Local nanoseconds as a piecewise linear function of virtual time. Never goes back.
class MachineClock {
 public:
  /// What wall clocks show at virtual time 0: 2023-11-14T22:13:20Z.
  static constexpr std::int64_t epoch_ms = 1'700'000'000'000;

  [[nodiscard]] std::int64_t local(VirtualTime at) const;
  /// The first virtual time at which local() is at least `local_time`.
  [[nodiscard]] VirtualTime virtual_of(std::int64_t local_time) const;
  [[nodiscard]] std::uint64_t wall_ms(VirtualTime at) const;
  /// From `at` on the clock gains `ppm` microseconds a second; -900,000 .. 900,000.
  void set_drift(VirtualTime at, std::int64_t ppm);
  /// What the wall clock is off, beside the drift. The monotonic clock does not see it.
  void set_skew(std::int64_t nanoseconds) { skew_ = nanoseconds; }
  [[nodiscard]] std::int64_t drift() const { return ppm_; }
  [[nodiscard]] std::int64_t skew() const { return skew_; }

 private:
  VirtualTime base_virtual_ = 0;
  std::int64_t base_local_ = 0, ppm_ = 0, skew_ = 0;
};

}  // namespace hf::sim
