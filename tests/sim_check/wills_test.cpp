// G9: promised wills; and each way to publish one that must not be.
#include <gtest/gtest.h>

#include "tests/sim_check/story.hpp"

namespace hf::sim {
namespace {

using Kind = Event::Kind;

/// sub on n1 has t/+ since 5.1 s; w connects to n3 at 12 s with a will to t/w, and is told something at 13 s.
struct Willed : Story {
  explicit Willed(VirtualTime delay_ms = 0, std::uint8_t qos = 2, VirtualTime grace_ms = 5000) {
    h.facts.will_grace = grace_ms * ms;
    h.facts.clients.push_back({"w", false, true, true, 2000 * ms, 3'600'000 * ms});
    begin(qos);
    connect_with_will(12000, "n3", 1, false, delay_ms);
    told(13000);
  }
  void connect_with_will(VirtualTime t, const std::string& n, std::uint64_t k, bool present, VirtualTime delay_ms = 0, bool clean = false) {
    Event& sent = ask(t, "w", n, k, clean);
    sent.topic = "t/w";
    sent.qos = 2;
    sent.delay = delay_ms * ms;
    on(Kind::connected, t, "w", n, k).flag = present;
  }
  void told(VirtualTime t) { filter(Kind::subscribed, t, "w", "n3", 1, "own/w", 1); }
  void gone(VirtualTime t) { disconnect(t, "w", "n3", 1); }
  void goodbye(VirtualTime t) { on(Kind::disconnected, t, "w", "n3", 1).flag = true; }
  void fired(VirtualTime t, std::uint8_t qos = 2, std::uint64_t k = 1) {
    Event& e = receive(t, "n1", 1, k, qos, "t/w");
    e.publisher = "will-w";
  }
};
Score g9(const Story& s) { return score(s, "G9"); }

TEST(G9, a_client_that_is_gone) {
  Willed kept;
  kept.gone(14000);
  kept.fired(15000);
  EXPECT_EQ(g9(kept), (Score{2, 0})) << "one receipt, one promise";
  Willed lost;
  lost.gone(14000);
  EXPECT_EQ(g9(lost), (Score{1, 1}));
  Willed node;  // whichever nodes died with it
  node.gone(14000);
  node.node(Kind::node_crashed, 14000, "n3");
  node.node(Kind::node_restarted, 40000, "n3");
  EXPECT_EQ(g9(node), (Score{1, 1}));
  Willed late;
  late.gone(98000);
  EXPECT_EQ(g9(late), (Score{0, 0})) << "the run ended before it was due";
  Willed unsettled;
  unsettled.split(14000, {{"n3"}, {"n1", "n2", "n4", "n5"}});
  unsettled.gone(14500);
  unsettled.connect_with_will(15000, "n4", 2, true);
  unsettled.disconnect(16000, "w", "n4", 2);
  EXPECT_EQ(g9(unsettled).violated, 2U) << "those are all there whom it needs";
}
TEST(G9, came_back) {
  Willed soon;
  soon.gone(14000);
  soon.connect_with_will(15000, "n4", 2, true);
  EXPECT_EQ(g9(soon), (Score{1, 1})) << "without a delay it is due all the same";
  soon.fired(15100);
  EXPECT_EQ(g9(soon), (Score{2, 0}));
  Willed meanwhile;
  meanwhile.gone(14000);
  meanwhile.split(14500, {{"n3"}, {"n1", "n2", "n4", "n5"}});
  meanwhile.connect_with_will(15000, "n4", 2, true);
  meanwhile.whole(20000);
  EXPECT_EQ(g9(meanwhile).violated, 1U) << "though its node could not be asked";
  meanwhile.fired(21000);
  EXPECT_EQ(g9(meanwhile).violated, 0U);
}
TEST(G9, delay) {
  Willed early(10000);
  early.gone(14000);
  early.fired(18000);
  EXPECT_EQ(g9(early).violated, 1U);
  Willed good(10000);
  good.gone(14000);
  good.fired(24100);
  EXPECT_EQ(g9(good), (Score{2, 0}));
  Willed ended(10000);
  ended.gone(14000);
  ended.connect_with_will(15000, "n4", 2, false, 10000, true);
  ended.fired(15100);
  EXPECT_EQ(g9(ended).violated, 0U) << "a clean start ends the session";
  Willed resumed(10000);
  resumed.gone(14000);
  resumed.connect_with_will(15000, "n4", 2, true, 10000);
  EXPECT_EQ(g9(resumed), (Score{1, 0}));
  resumed.fired(25000);
  EXPECT_EQ(g9(resumed), (Score{2, 1}));
}
TEST(G9, goodbye) {
  Willed left;
  left.goodbye(20000);
  EXPECT_EQ(g9(left), (Score{1, 0}));
  left.fired(20100);
  EXPECT_EQ(g9(left), (Score{2, 1}));
  Willed crashed;  // perhaps its node died before it heard
  crashed.goodbye(20000);
  crashed.node(Kind::node_crashed, 20100, "n3");
  crashed.fired(20500);
  EXPECT_EQ(g9(crashed).violated, 0U);
  Willed back;  // its node died under it, and was back before the client had noticed
  back.node(Kind::node_crashed, 14000, "n3");
  back.node(Kind::node_restarted, 14500, "n3");
  back.fired(15000);
  back.goodbye(20000);
  EXPECT_EQ(g9(back).violated, 0U);
}
TEST(G9, still_connected) {
  const auto cut = [](VirtualTime length) {
    Willed s;
    s.split(15000, {{"n3"}, {"n1", "n2", "n4", "n5"}});
    s.whole(15000 + length);
    s.fired(15000 + length);
    s.told(15000 + length + 8000);
    s.gone(90000);
    return s;
  };
  EXPECT_EQ(g9(cut(2000)).violated, 1U);
  EXPECT_EQ(g9(cut(6000)).violated, 0U) << "longer than the grace";
  Willed quiet;
  quiet.split(15000, {{"n3"}, {"n1", "n2", "n4", "n5"}});
  quiet.whole(17000);
  quiet.told(25000);
  EXPECT_EQ(g9(quiet), (Score{1, 0})) << "a short cut that it lived through";
  Willed twice;  // two cuts in short succession may look like one
  twice.split(15000, {{"n3"}, {"n1", "n2", "n4", "n5"}});
  twice.whole(18000);
  twice.split(18100, {{"n3"}, {"n1", "n2", "n4", "n5"}});
  twice.whole(21000);
  twice.fired(21000);
  twice.told(29000);
  EXPECT_EQ(g9(twice).violated, 0U);
  Willed over;  // taken over: the last words were on their way
  over.connect_with_will(14000, "n4", 2, true);
  over.fired(14100);
  over.told(14200);
  EXPECT_EQ(g9(over).violated, 0U);
}
TEST(G9, twice) {
  Willed exactly;
  exactly.gone(14000);
  exactly.fired(15000);
  exactly.fired(15500);
  EXPECT_EQ(g9(exactly).violated, 1U);
  Willed plain(0, 1);
  plain.gone(14000);
  plain.fired(15000, 1);
  plain.fired(15500, 1);
  EXPECT_EQ(g9(plain).violated, 1U) << "unasked, on one connection, and nothing happened";
  Willed again(0, 1);
  again.gone(14000);
  again.fired(15000, 1);
  again.node(Kind::node_crashed, 15100, "n4");
  again.fired(15500, 1);
  EXPECT_EQ(g9(again).violated, 0U) << "QoS 1 may come again";
  Willed other;
  other.gone(14000);
  other.fired(15000);
  other.connect_with_will(30000, "n4", 2, true);
  other.disconnect(31000, "w", "n4", 2);
  other.fired(32000, 2, 2);
  EXPECT_EQ(g9(other).violated, 0U) << "another connection's";
}

}  // namespace
}  // namespace hf::sim
