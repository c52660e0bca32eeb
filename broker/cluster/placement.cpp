// Rendezvous hashing, then zones: see the header.
#include "broker/cluster/placement.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "broker/base/assert.hpp"
#include "broker/base/hash.hpp"

namespace hf::cluster {

SlotId slot_of(std::string_view key, std::uint32_t slots) {
  HF_ASSERT(slots > 0);
  return static_cast<SlotId>(hash64(key) % slots);
}

std::vector<NodeId> preference_list(SlotId slot, const std::vector<Member>& members,
                                    std::uint32_t replicas) {
  std::vector<std::pair<std::uint64_t, const Member*>> order;
  order.reserve(members.size());
  for (const Member& member : members) {
    const std::uint64_t weight = mix64(mix64((std::uint64_t{slot} << 32U) | member.id));
    order.emplace_back(weight, &member);
  }
  std::sort(order.begin(), order.end(), [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first > b.first : a.second->id < b.second->id;
  });

  // Round k takes, in hash order, one more member of each zone that has k already.
  std::vector<NodeId> list;
  list.reserve(order.size());
  std::map<std::string, std::uint32_t> in_zone;
  std::vector<bool> taken(order.size());
  const std::size_t wanted = std::min<std::size_t>(replicas, order.size());
  for (std::uint32_t round = 0; list.size() < wanted; ++round) {
    for (std::size_t i = 0; i < order.size() && list.size() < wanted; ++i) {
      if (taken[i]) continue;
      const Member& member = *order[i].second;
      std::uint32_t& count =
          in_zone[member.zone.empty() ? "\n" + std::to_string(member.id) : member.zone];
      if (count > round) continue;
      ++count;
      taken[i] = true;
      list.push_back(member.id);
    }
  }
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (!taken[i]) list.push_back(order[i].second->id);
  }
  return list;
}

}  // namespace hf::cluster
