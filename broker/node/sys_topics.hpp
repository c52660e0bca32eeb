// $SYS: what this node counts, what all that can be reached count together, told to whoever subscribes to it.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "broker/base/ids.hpp"
#include "broker/base/time.hpp"
#include "broker/node/message.pb.h"
#include "broker/slot/state.hpp"

namespace hf::node {

struct ShardParts;

/// A moving average of a rate per minute, over 1, 5 and 15 minutes, weighted exponentially as Mosquitto does.
class Load {
 public:
  void add(std::uint64_t total, Duration since_last);
  [[nodiscard]] double average(std::size_t which) const { return averages_[which]; }
  static constexpr std::array<std::uint64_t, 3> minutes{1, 5, 15};

 private:
  std::array<double, 3> averages_{};
  std::uint64_t last_total_ = 0;
};

/// `$SYS/broker/…`, after Mosquitto's tree, is the sum over all nodes that can be reached, and `$SYS/nodes/NAME/…` what
/// each of them said of itself. Invariants:
///  1. Nothing of it is stored or routed: every node tells all others its numbers, and tells the sessions that it serves.
///  2. What did not change is not told again; a new subscription gets everything that matches at once, as retained.
class SysTopics {
 public:
  explicit SysTopics(ShardParts& parts) : parts_(parts) {}

  void tick();
  void on_report(NodeId from, const pb::SysReport& report);
  void peer_down(NodeId node) { reports_.erase(node); }
  /// A subscription that is owed retained messages.
  void answer(SlotId slot, const std::string& client, std::string_view filter, const slot::pb::Options& options) const;

 private:
  using Values = std::map<std::string, std::string, std::less<>>;  ///< topic -> payload
  void measure(pb::SysReport& report);
  [[nodiscard]] Values compute();
  void tell(const Values& changed);

  ShardParts& parts_;
  std::map<NodeId, pb::SysReport> reports_;  ///< of nodes that can be reached, this one included
  Values told_;
  std::uint64_t most_ = 0;  ///< clients connected at once to all nodes, as far as this one has seen
  std::map<std::string, Load> loads_;
  Instant next_{}, last_{};
};

}  // namespace hf::node
