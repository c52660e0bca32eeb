// So many a second, with a burst: the generic cell rate algorithm, in integers.
#pragma once

#include <algorithm>
#include <cstdint>

#include "broker/base/time.hpp"

namespace hf::node {

class Rate {
 public:
  /// 0 a second is no limit.
  explicit Rate(std::uint32_t per_second = 0, std::uint32_t burst = 1)
      : interval_(per_second == 0 ? Duration{} : Duration(1'000'000'000 / std::int64_t{per_second})),
        slack_(interval_ * std::max<std::int64_t>(burst, 1)) {}

  /// One more, if it is within the rate.
  [[nodiscard]] bool take(Instant now) {
    if (interval_ == Duration{} || std::max(next_, now) + interval_ - now <= slack_) {
      (void)spend(now);
      return true;
    }
    return false;
  }
  /// One more in any case; when is the next one within the rate?
  Instant spend(Instant now) {
    next_ = std::max(next_, now) + interval_;
    return std::max(now, next_ + interval_ - slack_);
  }

 private:
  Duration interval_, slack_;
  Instant next_{};
};

}  // namespace hf::node
