// Messages that a stand-in keeps for a slot none of whose replicas it can reach, until one can be.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "broker/base/ids.hpp"
#include "broker/node/message.pb.h"
#include "broker/node/requests.hpp"

namespace hf::node {

struct ShardParts;

/// Invariants: 1. a hint is on disk before its publisher is acknowledged. 2. it is erased only once the slot's
/// coordinator has it stored. 3. hints of a slot are handed over in order, ahead of newer messages.
class Hints {
 public:
  explicit Hints(ShardParts& parts) : parts_(parts) {}

  bool load(std::string_view key, std::string_view value);
  void keep(SlotId slot, const pb::Publish& publish);
  /// What is to be asked of the slot's coordinator and was not yet: nothing, unless a replica coordinates.
  [[nodiscard]] Requests::Batch due(SlotId slot);
  /// Hands over what is due. For what came while the coordinator stayed.
  void hand_over_all();
  [[nodiscard]] std::uint64_t count(SlotId slot) const;
  void fill_gossip(pb::Gossip& gossip) const;

 private:
  void handed_over(SlotId slot, std::uint64_t number);

  ShardParts& parts_;
  std::map<SlotId, std::map<std::uint64_t, pb::Publish>> kept_;
  std::map<SlotId, std::uint64_t> submitted_;  ///< greatest number handed to requests
  std::uint64_t next_ = 1;
};

}  // namespace hf::node
