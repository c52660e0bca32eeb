// G1 and G4: sessions resumed, subscriptions obeyed; each way to break them, and what is no breach.
#include <gtest/gtest.h>

#include "tests/sim_check/story.hpp"

namespace hf::sim {
namespace {

using Kind = Event::Kind;

struct Resume : Story {
  Resume() { connect(5000, "sub", "n1", 1, false), disconnect(6000, "sub", "n1", 1); }
};

TEST(G1, held_and_lost) {
  Resume s;
  Resume lost = s;
  s.connect(9000, "sub", "n3", 2, true);
  EXPECT_EQ(score(s, "G1"), (Score{2, 0}));
  lost.connect(9000, "sub", "n3", 2, false);
  EXPECT_EQ(score(lost, "G1"), (Score{2, 1}));
  EXPECT_EQ(lost.judged("G1").violations.at(0).client, "sub");
}
TEST(G1, a_session_that_may_have_expired_is_not_promised) {
  Resume s;  // gone at 6 s
  s.h.facts.clients[0].session_expiry = 3000 * ms;
  Resume in_time = s, taken_over = s;
  s.connect(9000, "sub", "n3", 2, false);
  EXPECT_EQ(score(s, "G1"), (Score{1, 0}));
  in_time.connect(8900, "sub", "n3", 2, false);
  EXPECT_EQ(score(in_time, "G1"), (Score{2, 1}));
  taken_over.connect(7000, "sub", "n3", 2, true);
  taken_over.connect(20000, "sub", "n2", 3, false);
  EXPECT_EQ(score(taken_over, "G1"), (Score{3, 1})) << "its connection stood to the end";
}
TEST(G1, one_side_may_have_ended_the_session_that_another_resumed) {
  Resume s;  // gone at 6 s
  s.split(8000, {{"n2"}, {"n1", "n3", "n4", "n5"}});
  Resume in_time = s;
  s.h.facts.clients[0].session_expiry = 3000 * ms;
  in_time.h.facts.clients[0].session_expiry = 5000 * ms;
  for (Resume* one : {&s, &in_time}) {
    one->connect(9500, "sub", "n2", 2, true);
    one->connect(20000, "sub", "n3", 3, false);
  }
  EXPECT_EQ(score(s, "G1").violated, 0U);
  EXPECT_EQ(score(in_time, "G1").violated, 1U);
}
TEST(G1, the_last_connection_counts_and_not_one_before_that_was_told_late) {
  Story s;
  s.h.facts.clients[0].session_expiry = 3000 * ms;
  s.connect(5000, "sub", "n1", 1, false);
  s.connect(6000, "sub", "n2", 2, true);
  s.disconnect(7000, "sub", "n2", 2);
  s.disconnect(11000, "sub", "n1", 1, 0x8E);
  s.connect(11500, "sub", "n3", 3, false);
  EXPECT_EQ(score(s, "G1"), (Score{2, 0}));
}
TEST(G1, lost_with_its_node) {
  Resume s;
  s.node(Kind::node_crashed, 7000, "n1");
  s.connect(9000, "sub", "n3", 2, false);
  EXPECT_EQ(score(s, "G1"), (Score{2, 1})) << "W-1 may be away";
}
TEST(G1, void_when_w_nodes_are_away_before_it_spread) {
  Resume s;
  s.node(Kind::node_crashed, 6100, "n1");
  s.node(Kind::node_crashed, 6200, "n2");
  s.connect(9000, "sub", "n3", 2, false);
  EXPECT_EQ(score(s, "G1"), (Score{1, 0}));
}
TEST(G1, side_that_must_hold_a_replica) {
  Resume s;
  s.split(10000, {{"n1", "n2"}, {"n3", "n4", "n5"}});
  Resume small = s;
  s.connect(15000, "sub", "n3", 2, false);
  EXPECT_EQ(score(s, "G1"), (Score{2, 1})) << "three of five, three replicas: one must be there";
  small.connect(15000, "sub", "n2", 2, false);
  EXPECT_EQ(score(small, "G1"), (Score{1, 0})) << "two of five may hold none";
}
TEST(G1, fresh_cut_is_no_promise) {
  Resume s;
  s.split(14000, {{"n1", "n2"}, {"n3", "n4", "n5"}});
  s.connect(15000, "sub", "n3", 2, false);
  EXPECT_EQ(score(s, "G1"), (Score{1, 0}));
}
TEST(G1, clean_start) {
  Resume s;
  s.connect(9000, "sub", "n3", 2, false, true);
  EXPECT_EQ(score(s, "G1"), (Score{2, 0}));
  Resume lie;
  lie.connect(9000, "sub", "n3", 2, true, true);
  EXPECT_EQ(score(lie, "G1"), (Score{2, 1}));
  Resume unanswered;  // may or may not have been carried out
  unanswered.ask(9000, "sub", "n3", 2, true);
  unanswered.connect(9500, "sub", "n2", 3, false);
  EXPECT_EQ(score(unanswered, "G1"), (Score{1, 0}));
}
TEST(G1, session_out_of_nowhere) {
  Story s;
  s.connect(5000, "sub", "n1", 1, true);
  EXPECT_EQ(score(s, "G1"), (Score{1, 1}));
  Story unanswered;  // the node died with the answer
  unanswered.ask(4000, "sub", "n2", 1);
  unanswered.connect(5000, "sub", "n1", 2, true);
  EXPECT_EQ(score(unanswered, "G1"), (Score{0, 0}));
}
TEST(G1, not_applicable_and_not_persistent) {
  Resume s;
  s.connect(9000, "sub", "n3", 2, false);
  s.h.facts.disks_lost = 2;
  EXPECT_FALSE(s.judged("G1").applicable);
  s.h.facts.disks_lost = 1;
  EXPECT_TRUE(s.judged("G1").applicable);
  s.h.facts.clients[0].persistent = false;
  EXPECT_EQ(score(s, "G1"), (Score{1, 0}));
}

TEST(G4, unsubscribe_reverted) {
  Story s;
  s.begin();
  s.unsubscribe(8000, "sub", "n1", 1, "t/+");
  s.publish(12000, "n2", 1, 1);
  EXPECT_EQ(score(s, "G4"), (Score{1, 0}));
  s.receive(12500, "n1", 1, 1);
  EXPECT_EQ(score(s, "G4"), (Score{1, 1}));
}
TEST(G4, unsubscribe_with_another_filter_or_an_older_message) {
  Story s;
  s.begin();
  s.subscribe(5500, "sub", "n1", 1, "t/#");
  s.publish(7900, "n2", 1, 1);
  s.unsubscribe(8000, "sub", "n1", 1, "t/+");
  s.publish(12000, "n2", 1, 2);
  s.receive(12400, "n1", 1, 1);
  s.receive(12500, "n1", 1, 2);
  EXPECT_EQ(score(s, "G4").violated, 0U);
  s.unsubscribe(13000, "sub", "n1", 1, "t/#");
  s.receive(13500, "n1", 1, 2);
  EXPECT_EQ(score(s, "G4").violated, 0U) << "sent before";
}
TEST(G4, on_another_topic_than_it_was_published_to) {
  Story s;
  s.begin();
  s.publish(12000, "n2", 1, 1);
  s.receive(12100, "n1", 1, 1, 1, "t/2");
  EXPECT_EQ(score(s, "G4").violated, 1U);
}
TEST(G4, unsubscribed_on_the_other_side_of_a_cut) {
  Story s;
  s.begin();
  s.split(10000, {{"n1", "n4"}, {"n2", "n3", "n5"}});
  s.unsubscribe(15000, "sub", "n1", 1, "t/+");
  s.publish(16000, "n2", 1, 1);
  s.receive(16500, "n1", 1, 1);
  EXPECT_EQ(score(s, "G4"), (Score{0, 0})) << "n2 cannot know";
  s.whole(30000);
  s.publish(40000, "n2", 1, 2);
  s.receive(41000, "n1", 1, 2);
  EXPECT_EQ(score(s, "G4"), (Score{1, 1})) << "the union reverted it";
}
TEST(G4, asked_again_or_never) {
  Story s;
  s.begin();
  s.unsubscribe(8000, "sub", "n1", 1, "t/+");
  s.filter(
      Kind::subscribe_sent, 11000, "sub", "n1", 1, "t/+", 1);  // no SUBACK yet: it may be there
  s.publish(12000, "n2", 1, 1);
  s.receive(12500, "n1", 1, 1);
  EXPECT_EQ(score(s, "G4").violated, 0U);
  Story never;
  never.connect(5000, "sub", "n1", 1, false);
  never.connect(5000, "pub", "n2", 1, false);
  never.publish(12000, "n2", 1, 1);
  never.receive(12500, "n1", 1, 1);
  EXPECT_EQ(score(never, "G4").violated, 1U);
}
TEST(G4, pipelined_requests_on_one_connection) {
  Story s;
  s.begin();
  s.filter(Kind::unsubscribe_sent, 8000, "sub", "n1", 1, "t/+");
  s.filter(Kind::subscribe_sent, 8000, "sub", "n1", 1, "t/+", 1);
  s.filter(Kind::unsubscribed, 8100, "sub", "n1", 1, "t/+");
  s.filter(Kind::subscribed, 8100, "sub", "n1", 1, "t/+", 1);
  s.publish(12000, "n2", 1, 1);
  s.receive(12500, "n1", 1, 1);
  EXPECT_EQ(score(s, "G4").violated, 0U);
  EXPECT_EQ(score(s, "G2"), (Score{1, 0}));
}
TEST(G4, stale_subscribe_of_an_old_connection) {
  Story s;
  s.connect(5000, "sub", "n1", 1, false);
  s.connect(5200, "pub", "n2", 1, false);
  s.filter(Kind::subscribe_sent, 6000, "sub", "n1", 1, "t/+", 1);
  s.disconnect(6001, "sub", "n1", 1);
  s.connect(6100, "sub", "n3", 2, true);
  s.unsubscribe(6200, "sub", "n3", 2, "t/+");
  s.publish(12000, "n2", 1, 1);
  s.receive(12500, "n3", 2, 1);
  EXPECT_EQ(score(s, "G4").violated, 0U) << "the SUBSCRIBE may have arrived after the UNSUBSCRIBE";
}
TEST(G4, clean_start_ends_subscriptions) {
  Story s;
  s.begin();
  s.disconnect(6000, "sub", "n1", 1);
  s.connect(8000, "sub", "n1", 2, false, true);
  s.publish(12000, "n2", 1, 1);
  s.receive(12500, "n1", 2, 1);
  EXPECT_EQ(score(s, "G4"), (Score{1, 1}));
}
TEST(G4, subscription_lost_after_the_heal) {
  Story s;
  s.begin();
  s.split(10000, {{"n1", "n4"}, {"n2", "n3", "n5"}});
  s.subscribe(15000, "sub", "n1", 1, "t/1");
  s.whole(30000);
  s.publish(70000, "n2", 1, 1);
  EXPECT_EQ(score(s, "G4"), (Score{1, 1}));
  s.receive(70100, "n1", 1, 1);
  EXPECT_EQ(score(s, "G4"), (Score{1, 0}));
}
TEST(G4, retained_answers_are_no_deliveries) {
  Story s;
  s.begin();
  s.unsubscribe(8000, "sub", "n1", 1, "t/+");
  s.publish(12000, "n2", 1, 1);
  s.receive(12500, "n1", 1, 1).retained = true;
  EXPECT_EQ(score(s, "G4").violated, 0U);
}

/// A session without expiry says goodbye with a message waiting, and begins anew on the other side of a cut.
struct Ended : Story {
  explicit Ended(VirtualTime expiry = 0) {
    h.facts.clients[0].session_expiry = expiry;
    begin();
    split(8000, {{"n1", "n2", "n3", "n4"}, {"n5"}});
    publish(11000, "n2", 1, 1);
    on(Kind::disconnected, 14000, "sub", "n1", 1).flag = true;
    connect(20000, "sub", "n5", 2, false);
    whole(30000);
  }
};

TEST(G4, what_a_session_was_owed_that_ended_comes_in_a_later_one) {
  Ended s;
  const auto exercised = score(s, "G4").exercised;
  EXPECT_GE(exercised, 1U);
  EXPECT_EQ(score(s, "G4").violated, 0U);
  s.receive(31000, "n5", 2, 1);
  EXPECT_EQ(score(s, "G4"), (Score{exercised, 1}));
}
TEST(G4, a_session_that_was_to_last_goes_on_though_another_side_knew_nothing_of_it) {
  Ended s(3600 * 1000 * ms);
  s.receive(31000, "n5", 2, 1);
  EXPECT_EQ(score(s, "G4").violated, 0U);
}
TEST(G4, what_was_sent_again_later_may_come_in_the_later_session) {
  Ended s;
  s.h.events.pop_back();
  s.send(25000, "n2", 1, 1, 1, true);
  s.whole(30000);
  s.receive(31000, "n5", 2, 1);
  EXPECT_EQ(score(s, "G4").violated, 0U);
}

}  // namespace
}  // namespace hf::sim
