// Where slots live: a pure function of the members, the same on every node and in every build.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "broker/base/ids.hpp"

namespace hf::cluster {

/// A member of the cluster. `address` is what the environment's dial takes.
struct Member {
  NodeId id = 0;
  std::string name;
  std::string address;
  std::string zone;  ///< empty: a zone of its own
};

/// The slot of a client id or a topic. `slots` > 0.
[[nodiscard]] SlotId slot_of(std::string_view key, std::uint32_t slots);

/// All members in rendezvous-hash order for `slot`, re-ordered so that the first `replicas` lie in
/// distinct zones where there are enough zones (with fewer zones, they are spread as evenly as can
/// be). The rest keep their hash order. Does not depend on the order of `members`; ids are distinct.
[[nodiscard]] std::vector<NodeId> preference_list(SlotId slot,
                                                  const std::vector<Member>& members,
                                                  std::uint32_t replicas);

}  // namespace hf::cluster
