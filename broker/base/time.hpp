// Time as a value: instants and durations that cannot be asked from a clock here.
#pragma once

#include <chrono>
#include <cstdint>

namespace hf {

using Duration = std::chrono::nanoseconds;

/// A clock type without `now()`: asking for the time outside the environment does not compile.
struct Monotonic {
  using rep = Duration::rep;
  using period = Duration::period;
  using duration = Duration;
  using time_point = std::chrono::time_point<Monotonic>;
  static constexpr bool is_steady = true;
};

/// Nanoseconds on the process's monotonic clock. Comparable within one boot of one process only.
using Instant = Monotonic::time_point;

using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;
using std::chrono_literals::operator""us;
using std::chrono_literals::operator""h;

constexpr Instant at(Duration since_boot) { return Instant{since_boot}; }
constexpr std::int64_t to_ms(Duration d) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(d).count();
}

}  // namespace hf
