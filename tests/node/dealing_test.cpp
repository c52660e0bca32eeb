// Whose turn it is, and what becomes of a deal: the pure part of shared subscriptions.
#include "broker/node/dealing.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <map>
#include <string>
#include <tuple>
#include <vector>

namespace hf::node {
namespace {

/// The meaning, naively: look at everybody each time.
struct Model {
  struct Member {
    bool connected = false;
    std::uint32_t window = 0, under_way = 0;
    std::uint64_t last = 0;
  };
  std::map<std::string, Member> members;
  std::uint64_t deals = 0;

  [[nodiscard]] std::optional<std::string> next() const {
    std::optional<std::string> best;
    for (const auto& [name, one] : members) {
      if (!one.connected || one.under_way >= one.window) continue;
      if (!best) best = name;
      const Member& other = members.at(*best);
      if (std::tie(one.under_way, one.last, name) < std::tie(other.under_way, other.last, *best)) best = name;
    }
    return best;
  }
};

TEST(Dealer, agrees_with_one_that_looks_at_everybody) {
  ASSERT_TRUE(rc::check([](const std::vector<std::tuple<std::uint8_t, std::uint8_t, std::uint8_t>>& steps) {
    Dealer dealer;
    Model model;
    for (const auto& [what, who, window] : steps) {
      const std::string name = "m" + std::to_string(who % 5);
      const auto known = model.members.find(name);
      switch (what % 6) {
        case 0: {
          dealer.put(name, window % 4 != 0, window % 3);
          auto& one = model.members[name];
          one.connected = window % 4 != 0;
          one.window = window % 3;
          break;
        }
        case 1:
          dealer.erase(name);
          model.members.erase(name);
          break;
        case 2:
          dealer.away(name);
          if (known != model.members.end()) known->second.connected = false;
          break;
        case 3:
          dealer.ended(name);
          if (known != model.members.end() && known->second.under_way > 0) --known->second.under_way;
          break;
        default:
          if (const auto next = dealer.next()) {
            dealer.began(*next);
            auto& one = model.members.at(*next);
            ++one.under_way;
            one.last = ++model.deals;
          }
      }
      RC_ASSERT(dealer.next() == model.next());
    }
  }));
}

TEST(Dealer, equal_members_get_equal_shares) {
  Dealer dealer;
  for (const char* name : {"a", "b", "c"}) dealer.put(name, true, 10);
  std::map<std::string, int> got;
  for (int i = 0; i < 300; ++i) {
    const auto next = dealer.next();
    ASSERT_TRUE(next);
    ++got[*next];
    dealer.began(*next);
    dealer.ended(*next);
  }
  for (const auto& [name, count] : got) EXPECT_EQ(count, 100) << name;
}

TEST(Dealer, nobody_gets_more_than_its_window_and_who_is_away_gets_nothing) {
  Dealer dealer;
  dealer.put("slow", true, 2);
  dealer.put("away", false, 100);
  for (int i = 0; i < 2; ++i) dealer.began(*dealer.next());
  EXPECT_FALSE(dealer.next());
  dealer.ended("slow");
  EXPECT_EQ(dealer.next(), "slow");
}

TEST(Fate, table) {
  const DealFacts sent2{.entry = true, .given = true, .qos = 2, .session = true, .connected = true, .gone = false, .subscribed = true};
  EXPECT_EQ(fate(sent2), Fate::keep);
  DealFacts f = sent2;
  f.connected = false;
  f.gone = true;
  EXPECT_EQ(fate(f), Fate::keep) << "[MQTT-4.8.2-4] QoS 2 waits for its member";
  f.session = false;
  EXPECT_EQ(fate(f), Fate::discard) << "[MQTT-4.8.2-5] and goes with its session";
  f = sent2;
  f.entry = false;
  EXPECT_EQ(fate(f), Fate::discard) << "its session began anew";
  f = sent2;
  f.given = false;
  f.gone = true;
  EXPECT_EQ(fate(f), Fate::revoke) << "not sent: another one may have it";
  f = sent2;
  f.given = false;
  f.subscribed = false;
  EXPECT_EQ(fate(f), Fate::revoke) << "left before it was sent";
  f = sent2;
  f.qos = 1;
  f.subscribed = false;
  EXPECT_EQ(fate(f), Fate::keep) << "left, but its delivery has begun";
  f.gone = true;
  EXPECT_EQ(fate(f), Fate::revoke) << "QoS 1, not acknowledged";
}

/// Whatever the facts: what may have been sent at QoS 2 never goes to another, and what cannot be delivered is not kept.
TEST(Fate, never_two_never_none) {
  for (unsigned bits = 0; bits < 128; ++bits) {
    const DealFacts f{(bits & 1U) != 0, (bits & 2U) != 0, (bits & 4U) != 0 ? 2U : 1U, (bits & 8U) != 0,
                      (bits & 16U) != 0, (bits & 32U) != 0, (bits & 64U) != 0};
    if (f.qos == 2 && f.given) {
      EXPECT_NE(fate(f), Fate::revoke) << bits;
    } else {
      EXPECT_NE(fate(f), Fate::discard) << bits;
    }
    if (!f.entry || !f.session) {
      EXPECT_NE(fate(f), Fate::keep) << bits;
    }
  }
}

}  // namespace
}  // namespace hf::node
