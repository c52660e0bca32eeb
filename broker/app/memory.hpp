// limits.memory: how much there may be, how much there is, how short it is.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "broker/env/environment.hpp"
#include "broker/node/pressure.hpp"

namespace hf::app {

/// Bytes, or a share of what the machine has, or the process's control group, whichever is less. Both 0: no limit.
struct MemoryLimit {
  std::uint64_t bytes = 0;
  std::uint32_t percent = 0;
  friend bool operator==(const MemoryLimit&, const MemoryLimit&) = default;
};

/// "0", "1073741824" or "80%".
std::optional<MemoryLimit> memory_limit_of(std::string_view text);
std::string text_of(const MemoryLimit& limit);

/// In bytes; 0: no limit, or none can be told. `root` is "", or a folder that stands for / in tests.
std::uint64_t resolved(const MemoryLimit& limit, const std::string& root = {});
/// Bytes resident that are not files; 0 where that cannot be told.
std::uint64_t resident(const std::string& root = {});

/// High at the limit, critical at a tenth above. It is less only when clearly below, so that it does not flutter.
node::Pressure pressure_of(std::uint64_t resident, std::uint64_t limit, node::Pressure before);

/// Looks, tells the shard what has changed, and the log.
class MemoryWatch {
 public:
  using Log = std::function<void(env::Level, std::string_view)>;
  /// `give_back` hands to the system what the allocator holds and nobody uses.
  MemoryWatch(std::uint64_t limit, Log log, std::function<void(node::Pressure)> tell, std::function<void()> give_back);
  void look();

 private:
  std::uint64_t limit_;
  Log log_;
  std::function<void(node::Pressure)> tell_;
  std::function<void()> give_back_;
  node::Pressure pressure_ = node::Pressure::none;
};

}  // namespace hf::app
