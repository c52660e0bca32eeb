// What the checks believe about reachability, calm, and topic filters.
#include "sim/check/topology.hpp"

#include <gtest/gtest.h>

#include "sim/check/topic_match.hpp"
#include "tests/sim_check/story.hpp"

namespace hf::sim {
namespace {

TEST(TopicMatch, follows_mqtt_4_7) {
  EXPECT_TRUE(filter_matches("a/+/c", "a/b/c"));
  EXPECT_TRUE(filter_matches("#", "a/b"));
  EXPECT_TRUE(filter_matches("a/#", "a"));
  EXPECT_TRUE(filter_matches("a/+", "a/"));
  EXPECT_TRUE(filter_matches("+/+", "/x"));
  EXPECT_FALSE(filter_matches("a/+", "a"));
  EXPECT_FALSE(filter_matches("a/b", "a/b/c"));
  EXPECT_FALSE(filter_matches("a/b/c", "a/b"));
  EXPECT_FALSE(filter_matches("#", "$SYS/x"));
  EXPECT_FALSE(filter_matches("+/x", "$SYS/x"));
  EXPECT_TRUE(filter_matches("$SYS/#", "$SYS/x"));
  EXPECT_EQ(without_share("$share/g/a/#"), "a/#");
}

TEST(Topology, owes_on_one_side_and_after_a_calm_while) {
  Story s;
  s.split(10000, {{"n1", "n2", "n3"}, {"n4", "n5"}});
  s.whole(20000);
  s.node(Event::Kind::node_crashed, 30000, "n2");
  s.node(Event::Kind::node_restarted, 31000, "n2");
  const Topology t(s.h);
  const auto owed = [&](const char* m, const char* n, VirtualTime t0, VirtualTime at) {
    return t.owed(t.node(m), t.node(n), t0 * ms, at * ms);
  };
  EXPECT_TRUE(owed("n1", "n4", 5000, 8000));
  EXPECT_TRUE(owed("n1", "n4", 5000, 15000)) << "known everywhere before the cut";
  EXPECT_FALSE(owed("n1", "n4", 9000, 15000)) << "not spread before the cut";
  EXPECT_TRUE(owed("n1", "n2", 13000, 15000)) << "same side, settled";
  EXPECT_FALSE(owed("n1", "n4", 13000, 15000));
  EXPECT_FALSE(owed("n1", "n2", 11000, 15000)) << "the cut was too fresh";
  EXPECT_FALSE(owed("n1", "n4", 13000, 21000));
  EXPECT_TRUE(owed("n1", "n4", 13000, 22000)) << "spread after the heal";
  EXPECT_FALSE(owed("n1", "n2", 5000, 32000)) << "n2 restarted and has to learn";
  EXPECT_TRUE(owed("n1", "n3", 5000, 32000));
  EXPECT_TRUE(owed("n1", "n2", 5000, 33000));
  EXPECT_FALSE(owed("n1", "n9", 5000, 33000));
  EXPECT_EQ(t.side_size(t.node("n4"), 15000 * ms), 2U);
  EXPECT_FALSE(t.running(t.node("n2"), 30500 * ms, 32000 * ms));
  EXPECT_TRUE(t.running(t.node("n2"), 31500 * ms, 90000 * ms));
}

TEST(Topology, grey_faults_disturb_and_client_faults_do_not) {
  Story s;
  s.fault(10000, 11000, "client drop sub");
  s.fault(20000, 21000, "p2: blackhole n1->n2");
  s.fault(30000, 31000, "f7: partition halves");
  const Topology t(s.h);
  EXPECT_TRUE(t.undisturbed(0, 19000 * ms));
  EXPECT_FALSE(t.undisturbed(19000 * ms, 20000 * ms));
  EXPECT_TRUE(t.undisturbed(21000 * ms, 90000 * ms));
}

TEST(Topology, overlapping_groups_are_sides_of_their_own) {
  Story s;
  s.split(10000, {{"n1", "n2", "n3"}, {"n3", "n4", "n5"}});
  const Topology t(s.h);
  EXPECT_TRUE(t.same_side(t.node("n1"), t.node("n3"), 11000 * ms));
  EXPECT_FALSE(t.same_side(t.node("n1"), t.node("n5"), 11000 * ms));
  EXPECT_FALSE(t.calm_at(11000 * ms));
}

}  // namespace
}  // namespace hf::sim
