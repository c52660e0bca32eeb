// The rolling digest of a run: two runs are the same when their digests are.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace hf::sim {

/// Folds events into 64 bits, with a checkpoint every 65,536 so that two runs can be compared down
/// to the first stretch that differs.
class Digest {
 public:
  static constexpr std::uint64_t checkpoint_every = 65'536;

  void event(std::int64_t at, std::uint64_t target, std::uint64_t kind, std::uint64_t size,
             std::uint64_t content) {
    fold(static_cast<std::uint64_t>(at));
    fold((target << 32U) ^ (kind << 24U) ^ size);
    fold(content);
    if (++events_ % checkpoint_every == 0) checkpoints_.push_back(value());
  }
  [[nodiscard]] std::uint64_t value() const;
  [[nodiscard]] std::uint64_t events() const { return events_; }
  [[nodiscard]] const std::vector<std::uint64_t>& checkpoints() const { return checkpoints_; }

  /// A fast hash of bytes for `content`: eight at a time, the same on every machine.
  static std::uint64_t of(std::string_view bytes);

 private:
  void fold(std::uint64_t word) {
    state_ = (state_ ^ word) * 0x9e3779b97f4a7c15ULL;
    state_ ^= state_ >> 32U;
  }
  std::uint64_t state_ = 0x243f6a8885a308d3ULL;
  std::uint64_t events_ = 0;
  std::vector<std::uint64_t> checkpoints_;
};

}  // namespace hf::sim
