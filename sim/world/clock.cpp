// A machine's clock in integers.
#include "sim/world/clock.hpp"

#include <algorithm>

#include "broker/base/assert.hpp"

namespace hf::sim {
namespace {
constexpr std::int64_t million = 1'000'000;
}

std::int64_t MachineClock::local(VirtualTime at) const {
  const std::int64_t passed = at - base_virtual_;
  return base_local_ + passed + passed / million * ppm_ + passed % million * ppm_ / million;
}

VirtualTime MachineClock::virtual_of(std::int64_t local_time) const {
  const std::int64_t passed = std::max<std::int64_t>(local_time - base_local_, 0);
  const std::int64_t rate = million + ppm_;
  VirtualTime guess = base_virtual_ + passed / rate * million + passed % rate * million / rate;
  while (local(guess) < local_time) ++guess;
  while (guess > base_virtual_ && local(guess - 1) >= local_time) --guess;
  return guess;
}

std::uint64_t MachineClock::wall_ms(VirtualTime at) const {
  return static_cast<std::uint64_t>(epoch_ms + (local(at) + skew_) / million);
}

void MachineClock::set_drift(VirtualTime at, std::int64_t ppm) {
  HF_ASSERT(ppm >= -900'000 && ppm <= 900'000);
  base_local_ = local(at);
  base_virtual_ = at;
  ppm_ = ppm;
}

}  // namespace hf::sim
