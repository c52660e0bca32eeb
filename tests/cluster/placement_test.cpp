// Placement: zones distinct, balance, minimal movement, independence of the order of members.
#include "broker/cluster/placement.hpp"

#include <algorithm>
#include <map>
#include <set>

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace hf::cluster {
namespace {

std::vector<Member> draw_members() {
  const int n = *rc::gen::inRange(1, 20);
  const int zones = *rc::gen::inRange(1, 6);
  std::vector<Member> members;
  for (int i = 1; i <= n; ++i) {
    const int zone = *rc::gen::inRange(0, zones);
    members.push_back({static_cast<NodeId>(i * 7), "n", "a", std::string(1, char('a' + zone))});
  }
  return members;
}

TEST(Placement, is_a_permutation_with_distinct_zones_first) {
  EXPECT_TRUE(rc::check([] {
    auto members = draw_members();
    const auto slot = *rc::gen::inRange<SlotId>(0, 4096);
    const auto replicas = *rc::gen::inRange<std::uint32_t>(1, 6);
    const auto list = preference_list(slot, members, replicas);
    std::set<NodeId> distinct(list.begin(), list.end());
    RC_ASSERT(list.size() == members.size() && distinct.size() == members.size());
    std::map<NodeId, std::string> zone_of;
    std::set<std::string> zones;
    for (const Member& m : members) zones.insert(zone_of[m.id] = m.zone);
    std::set<std::string> first;
    const auto top = std::min<std::size_t>(replicas, list.size());
    for (std::size_t i = 0; i < top; ++i) first.insert(zone_of[list[i]]);
    RC_ASSERT(first.size() == std::min(top, zones.size()));
    std::reverse(members.begin(), members.end());
    RC_ASSERT(preference_list(slot, members, replicas) == list);
  }));
}

TEST(Placement, one_more_member_moves_only_what_it_takes) {
  EXPECT_TRUE(rc::check([] {
    auto members = draw_members();
    for (Member& m : members) m.zone.clear();
    auto more = members;
    more.push_back({1000, "n", "a", ""});
    for (SlotId slot = 0; slot < 64; ++slot) {
      auto after = preference_list(slot, more, 3);
      std::erase(after, NodeId{1000});
      RC_ASSERT(after == preference_list(slot, members, 3));
    }
  }));
}

TEST(Placement, one_more_member_of_a_zone_replaces_at_most_one_replica) {
  EXPECT_TRUE(rc::check([] {
    auto members = draw_members();
    std::set<std::string> zones;
    for (const Member& m : members) zones.insert(m.zone);
    if (zones.size() < 3) return;  // with fewer zones than replicas the rounds may shift more
    auto more = members;
    more.push_back({1000, "n", "a", members[0].zone});
    for (SlotId slot = 0; slot < 64; ++slot) {
      const auto before = preference_list(slot, members, 3);
      const auto after = preference_list(slot, more, 3);
      int gone = 0;
      for (std::size_t i = 0; i < 3; ++i) {
        gone += std::find(after.begin(), after.begin() + 3, before[i]) == after.begin() + 3 ? 1 : 0;
      }
      const bool in = std::find(after.begin(), after.begin() + 3, 1000U) != after.begin() + 3;
      RC_ASSERT(gone == (in ? 1 : 0));
    }
  }));
}

TEST(Placement, is_balanced) {
  std::vector<Member> members;
  for (NodeId id = 1; id <= 10; ++id) members.push_back({id, "n", "a", ""});
  std::map<NodeId, int> load;
  for (SlotId slot = 0; slot < 10000; ++slot) ++load[preference_list(slot, members, 3)[0]];
  for (const auto& [id, n] : load) EXPECT_NEAR(n, 1000, 120) << id;
  std::map<SlotId, int> slots;
  for (int i = 0; i < 64000; ++i) ++slots[slot_of("client-" + std::to_string(i), 64)];
  for (const auto& [slot, n] : slots) EXPECT_NEAR(n, 1000, 150) << slot;
}

}  // namespace
}  // namespace hf::cluster
