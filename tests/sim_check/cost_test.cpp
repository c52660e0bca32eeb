// The cost of judging, and the limit on what is kept.
#include <gtest/gtest.h>

#include "tests/sim_check/story.hpp"

namespace hf::sim {
namespace {

TEST(Cost, two_hundred_subscribers_of_two_thousand_messages) {
  Story s;
  for (int i = 0; i < 200; ++i) {
    const std::string id = "c" + std::to_string(i);
    s.h.facts.clients.push_back({id, false, true, true});
    s.connect(5000 + i, id, "n1", 1, false);
    s.subscribe(5000 + i, id, "n1", 1, "t/+");
  }
  s.connect(5300, "pub", "n2", 1, false);
  for (std::uint64_t m = 1; m <= 2000; ++m) {
    const auto t = 10000 + 10 * static_cast<VirtualTime>(m);
    s.publish(t, "n2", 1, m, 2);
    for (int i = 0; i < 200; ++i) s.receive(t + 2, "n1", 1, m, 2).client = "c" + std::to_string(i);
  }
  for (VirtualTime t = 40000; t < 50000; t += 10) s.whole(t);
  for (const Verdict& v : judge(s.h)) EXPECT_EQ(v.violated, 0U) << v.id;
  EXPECT_EQ(score(s, "G2"), (Score{400000, 0}));
}

TEST(Cost, twenty_violations_are_kept) {
  Story s;
  s.begin();
  for (std::uint64_t m = 1; m <= 50; ++m) s.publish(12000, "n2", 1, m);
  const Verdict v = s.judged("G2");
  EXPECT_EQ(v.violated, 50U);
  EXPECT_EQ(v.violations.size(), 20U);
}

TEST(Cost, nothing_happened) {
  const auto verdicts = judge(History{});
  ASSERT_EQ(verdicts.size(), 11U);
  for (const Verdict& v : verdicts) EXPECT_EQ(v.exercised + v.violated, 0U) << v.id;
}

}  // namespace
}  // namespace hf::sim
