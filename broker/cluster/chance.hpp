// A seeded stream of random numbers: session numbers and jitter.
#pragma once

#include <cstdint>

#include "broker/base/hash.hpp"
#include "broker/base/time.hpp"

namespace hf::cluster {

class Chance {
 public:
  explicit Chance(std::uint64_t seed) : state_(mix64(seed)) {}
  std::uint64_t next() { return mix64(state_ += 0x9e3779b97f4a7c15ULL); }
  /// Between half of `d` and `d`.
  Duration jitter(Duration d) {
    const auto half = static_cast<std::uint64_t>(d.count() / 2);
    return Duration(d.count() / 2 + static_cast<Duration::rep>(next() % (half + 1)));
  }

 private:
  std::uint64_t state_;
};

}  // namespace hf::cluster
