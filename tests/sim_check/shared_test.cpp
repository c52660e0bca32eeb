// G10: to one member of the group, to none, to two; each reason why that may be, and what the other judges leave to it.
#include <gtest/gtest.h>

#include "tests/sim_check/story.hpp"

namespace hf::sim {
namespace {

using Kind = Event::Kind;
constexpr const char* group_filter = "$share/g/t/+";

/// Two persistent members on n1 and n3, a publisher on n2; calm and settled.
struct Shared : Story {
  explicit Shared(std::uint8_t qos = 2) {
    for (const char* id : {"a", "b"}) h.facts.clients.push_back({id, false, true, true});
    connect(5000, "a", "n1", 1, false);
    subscribe(5100, "a", "n1", 1, group_filter, qos);
    connect(5110, "b", "n3", 1, false);
    subscribe(5120, "b", "n3", 1, group_filter, qos);
    connect(5200, "pub", "n2", 1, false);
  }
  void get(VirtualTime t, const std::string& client, std::uint64_t connection, std::uint8_t qos, std::uint64_t number = 1) {
    Event& e = receive(t, client == "a" ? "n1" : "n3", connection, number, qos);
    e.client = client;
  }
};

TEST(G10, one_member_is_enough_and_none_is_a_loss) {
  Shared s;
  s.publish(12000, "n2", 1, 1);
  EXPECT_EQ(score(s, "G10"), (Score{1, 1}));
  s.get(12500, "b", 1, 1);
  EXPECT_EQ(score(s, "G10"), (Score{1, 0}));
  EXPECT_EQ(score(s, "G2"), (Score{0, 0})) << "G2 promises nothing of shared subscriptions";
}
TEST(G10, what_may_be_over_is_owed_only_to_who_had_time) {
  const auto lasting = [](std::uint32_t lasts) {
    Shared s;
    s.send(12000, "n2", 1, 1);
    s.h.events.back().expiry = lasts;
    s.ack(12001, "n2", 1, 1);
    return s;
  };
  EXPECT_EQ(score(lasting(60), "G10"), (Score{1, 1}));
  EXPECT_EQ(score(lasting(6), "G10"), (Score{0, 0})) << "it may have been dealt to a member that was gone";
}
TEST(G10, lost_though_its_first_member_is_gone_for_good) {
  Shared s;
  s.publish(12000, "n2", 1, 1);
  s.disconnect(12100, "a", "n1", 1);
  s.h.facts.clients[2].draining = false;
  EXPECT_EQ(score(s, "G10"), (Score{1, 1}));
}
TEST(G10, two_members_got_a_message_of_qos_2) {
  Shared s;
  s.publish(12000, "n2", 1, 1, 2);
  s.get(12500, "a", 1, 2);
  s.disconnect(12600, "a", "n1", 1);
  s.get(13000, "b", 1, 2);
  EXPECT_EQ(score(s, "G10"), (Score{1, 1})) << "no reason is good enough at QoS 2";
}
TEST(G10, the_same_member_got_a_message_of_qos_2_again) {
  Shared s;
  s.publish(12000, "n2", 1, 1, 2);
  s.get(12500, "a", 1, 2);
  s.get(12600, "a", 1, 2);
  EXPECT_EQ(score(s, "G10"), (Score{1, 1}));
}
TEST(G10, the_same_member_got_it_again_in_another_session) {
  Shared s;
  s.publish(12000, "n2", 1, 1, 2);
  s.get(12500, "a", 1, 2);
  s.disconnect(12600, "a", "n1", 1);
  s.connect(13000, "a", "n1", 2, false);  // on a side without replicas, say
  s.disconnect(13100, "a", "n1", 2);
  s.connect(14000, "a", "n1", 3, true);
  s.get(14500, "a", 3, 2);
  EXPECT_EQ(score(s, "G10").violated, 0U) << "it had forgotten what it held";
}
TEST(G10, two_members_got_what_its_publisher_sent_again) {
  for (const std::uint8_t qos : {std::uint8_t{1}, std::uint8_t{2}}) {
    Shared s(1);
    s.send(12000, "n2", 1, 1, qos);
    s.get(12500, "a", 1, 1);
    s.disconnect(12600, "pub", "n2", 1);
    s.connect(12700, "pub", "n2", 2, true);
    s.send(12800, "n2", 2, 1, qos, true);
    s.ack(12900, "n2", 2, 1);
    s.get(13000, "b", 1, 1);
    EXPECT_EQ(score(s, "G10"), (Score{1, qos - 1U})) << "of QoS 2 it is known by its identity, QoS " << +qos;
  }
}
TEST(G10, two_members_got_a_message_of_qos_1_while_all_was_well) {
  Shared s;
  s.publish(12000, "n2", 1, 1);
  s.get(12500, "a", 1, 1);
  s.get(13000, "b", 1, 1);
  EXPECT_EQ(score(s, "G10"), (Score{1, 1}));
}
TEST(G10, qos_1_may_come_again) {
  const auto held = [](const Story& s) { return score(s, "G10") == Score{1, 0}; };
  Shared ended;
  ended.publish(12000, "n2", 1, 1);
  ended.get(12500, "a", 1, 1);
  ended.disconnect(12600, "a", "n1", 1);
  ended.get(13000, "b", 1, 1);
  EXPECT_TRUE(held(ended)) << "the first one's connection had ended";
  Shared same;
  same.publish(12000, "n2", 1, 1);
  same.get(12500, "a", 1, 1);
  same.get(12600, "a", 1, 1);
  EXPECT_TRUE(held(same)) << "sent again to the same member";
  Shared cut;
  cut.publish(12000, "n2", 1, 1);
  cut.get(12500, "a", 1, 1);
  cut.split(12600, {{"n1"}, {"n2", "n3", "n4", "n5"}});
  cut.get(16000, "b", 1, 1);
  cut.whole(30000);
  EXPECT_TRUE(held(cut)) << "its node was out of reach before the acknowledgement was known";
}
TEST(G10, void_promises) {
  const auto none = [](const Story& s) { return score(s, "G10") == Score{0, 0}; };
  Shared unacked;
  unacked.send(12000, "n2", 1, 1);
  EXPECT_TRUE(none(unacked));
  Shared qos0(0);
  qos0.publish(12000, "n2", 1, 1);
  EXPECT_TRUE(none(qos0));
  Shared left;
  left.publish(12000, "n2", 1, 1);
  left.unsubscribe(13000, "a", "n1", 1, group_filter);
  left.unsubscribe(13000, "b", "n3", 1, group_filter);
  EXPECT_TRUE(none(left));
  Shared ended;  // what `a` had been sent at QoS 2 goes with its session
  ended.publish(12000, "n2", 1, 1, 2);
  ended.ask(13000, "a", "n1", 2, true);
  EXPECT_TRUE(none(ended));
  Shared both;  // a member that has another filter too: its receipts tell nothing
  both.subscribe(6000, "a", "n1", 1, "t/#");
  both.publish(12000, "n2", 1, 1);
  EXPECT_TRUE(none(both));
}
TEST(G10, a_session_that_ends_takes_no_message_of_qos_1_with_it) {
  Shared s;
  s.publish(12000, "n2", 1, 1);
  s.ask(13000, "a", "n1", 2, true);
  EXPECT_EQ(score(s, "G10"), (Score{1, 1}));
}
TEST(G10, other_judges_leave_groups_alone) {
  Shared s;
  s.publish(12000, "n2", 1, 1);
  s.publish(12100, "n2", 1, 2);
  s.get(12500, "a", 1, 1, 2);
  s.get(12600, "a", 1, 1, 1);
  EXPECT_EQ(score(s, "G5"), (Score{0, 0})) << "order is promised to subscribers, not to groups";
  Shared both;
  both.subscribe(6000, "a", "n1", 1, "t/#");
  both.publish(12000, "n2", 1, 1, 2);
  both.get(12500, "a", 1, 2);
  both.get(12600, "a", 1, 2);
  EXPECT_EQ(both.judged("G3").violated, 0U) << "once through the group, once for itself";
}

}  // namespace
}  // namespace hf::sim
