// G2, G3, G5: kept, once, in order; each way to break them, and what is no breach.
#include <gtest/gtest.h>

#include "tests/sim_check/story.hpp"

namespace hf::sim {
namespace {

using Kind = Event::Kind;

struct Begun : Story {
  explicit Begun(std::uint8_t qos = 2) { begin(qos); }
};

TEST(G2, kept_and_lost) {
  Begun s;
  s.publish(12000, "n2", 1, 1);
  EXPECT_EQ(score(s, "G2"), (Score{1, 1}));
  EXPECT_EQ(s.judged("G2").violations.at(0).client, "sub");
  s.receive(12500, "n1", 1, 1);
  EXPECT_EQ(score(s, "G2"), (Score{1, 0}));
}
TEST(G2, lost_while_offline_or_across_a_crash) {
  Begun s;
  s.disconnect(8000, "sub", "n1", 1);
  s.publish(12000, "n2", 1, 1, 2);
  s.node(Kind::node_crashed, 12002, "n2");
  s.node(Kind::node_restarted, 14000, "n2");
  s.connect(61000, "sub", "n4", 2, true);
  EXPECT_EQ(score(s, "G2"), (Score{1, 1}));
}
TEST(G2, nothing_is_owed_to_a_session_that_may_have_expired_though_it_turns_up_again) {
  Begun s;
  s.disconnect(8000, "sub", "n1", 1);
  s.h.facts.clients[0].session_expiry = 5000 * ms;
  s.publish(12000, "n2", 1, 1, 2);  // in time
  s.publish(13500, "n2", 1, 2, 2);
  s.connect(14000, "sub", "n4", 2, true);
  s.publish(16000, "n2", 1, 3, 2);
  EXPECT_EQ(score(s, "G2"), (Score{2, 2}));
}
TEST(G2, one_side_may_have_ended_the_session_that_another_resumed) {
  Begun s;
  s.disconnect(8000, "sub", "n1", 1);
  s.h.facts.clients[0].session_expiry = 5000 * ms;
  s.split(12500, {{"n2"}, {"n1", "n3", "n4", "n5"}});
  s.connect(14000, "sub", "n4", 2, true);
  s.publish(16000, "n2", 1, 1, 2);  // its side had ended it
  EXPECT_EQ(score(s, "G2"), (Score{0, 0}));
  Begun in_time;
  in_time.disconnect(8000, "sub", "n1", 1);
  in_time.h.facts.clients[0].session_expiry = 7000 * ms;
  in_time.split(12500, {{"n2"}, {"n1", "n3", "n4", "n5"}});
  in_time.connect(14000, "sub", "n4", 2, true);
  in_time.publish(16000, "n2", 1, 1, 2);
  EXPECT_EQ(score(in_time, "G2"), (Score{1, 1}));
}
TEST(G2, accepted_on_the_far_side_of_a_cut) {
  Begun s;
  s.split(10000, {{"n2"}, {"n1", "n3", "n4", "n5"}});
  s.publish(15000, "n2", 1, 1);
  s.whole(30000);
  EXPECT_EQ(score(s, "G2"), (Score{1, 1})) << "the subscription was known before the cut";
}
TEST(G2, void_promises) {
  const auto none = [](const Story& s) { return score(s, "G2") == Score{0, 0}; };
  Begun unacked;
  unacked.send(12000, "n2", 1, 1);
  EXPECT_TRUE(none(unacked));
  Begun qos0(0);
  qos0.publish(12000, "n2", 1, 1);
  EXPECT_TRUE(none(qos0));
  Story cut;
  cut.split(1000, {{"n1"}, {"n2", "n3", "n4", "n5"}});
  cut.begin();
  cut.publish(12000, "n2", 1, 1);
  EXPECT_TRUE(none(cut)) << "n2 could not know";
  Begun left;
  left.publish(12000, "n2", 1, 1);
  left.unsubscribe(13000, "sub", "n1", 1, "t/+");
  EXPECT_TRUE(none(left));
  Begun cleaned;
  cleaned.publish(12000, "n2", 1, 1);
  cleaned.ask(13000, "sub", "n1", 2, true);
  EXPECT_TRUE(none(cleaned));
  Begun late;
  late.publish(98000, "n2", 1, 1);
  EXPECT_TRUE(none(late));
  Begun lazy;
  lazy.publish(12000, "n2", 1, 1);
  lazy.h.facts.clients[0].draining = false;
  EXPECT_TRUE(none(lazy));
  Story shared;
  shared.connect(5000, "sub", "n1", 1, false);
  shared.subscribe(5100, "sub", "n1", 1, "$share/g/t/+");
  shared.connect(5200, "pub", "n2", 1, false);
  shared.publish(12000, "n2", 1, 1);
  EXPECT_TRUE(none(shared));
  Begun unhealed;  // no heal, and the subscriber never came back
  unhealed.h.facts.healed_at = -1;
  unhealed.publish(12000, "n2", 1, 1);
  unhealed.disconnect(13000, "sub", "n1", 1);
  EXPECT_TRUE(none(unhealed));
}
TEST(G2, changed_subscription_starts_anew) {
  Begun s;
  s.filter(Kind::subscribe_sent, 11000, "sub", "n1", 1, "t/+", 1);
  s.publish(11500, "n2", 1, 1);  // in between: either
  s.filter(Kind::subscribed, 11600, "sub", "n1", 1, "t/+", 1);
  s.publish(12000, "n2", 1, 2);
  EXPECT_EQ(score(s, "G2"), (Score{1, 1}));
}
TEST(G2, resent_to_a_node_that_could_not_know) {
  Story s;
  s.split(1000, {{"n1", "n2"}, {"n3", "n4", "n5"}});
  s.begin();
  s.send(12000, "n2", 1, 1);
  s.disconnect(12001, "pub", "n2", 1);
  s.connect(12100, "pub", "n3", 2, false);
  s.send(12200, "n3", 2, 1, 1, true);
  s.ack(12300, "n3", 2, 1);
  EXPECT_EQ(score(s, "G2"), (Score{0, 0}));
}
TEST(G2, restarted_node_owes_after_settling_or_by_wish) {
  Begun s;
  s.disconnect(8000, "sub", "n1", 1);
  s.node(Kind::node_crashed, 10000, "n2");
  s.node(Kind::node_restarted, 11000, "n2");
  s.publish(11500, "n2", 1, 1);
  EXPECT_EQ(score(s, "G2"), (Score{0, 0}));
  s.h.facts.promise_after_restart = true;
  EXPECT_EQ(score(s, "G2"), (Score{1, 1}));
}
TEST(G2, not_applicable) {
  Begun s;
  s.publish(12000, "n2", 1, 1);
  s.h.facts.disks_lost = 2;
  const Verdict v = s.judged("G2");
  EXPECT_FALSE(v.applicable);
  EXPECT_FALSE(v.why_not.empty());
  EXPECT_EQ(v.violated, 0U);
}

TEST(G3, twice) {
  Begun s;
  s.publish(12000, "n2", 1, 1, 2);
  s.on(Kind::publish_completed, 12100, "pub", "n2", 1).number = 1;
  s.receive(12200, "n1", 1, 1, 2);
  EXPECT_EQ(score(s, "G3"), (Score{2, 0}));
  Begun hop = s;
  s.receive(12300, "n1", 1, 1, 2);
  EXPECT_EQ(score(s, "G3"), (Score{3, 1}));
  hop.disconnect(13000, "sub", "n1", 1);
  hop.connect(13100, "sub", "n3", 2, true);
  hop.receive(13200, "n3", 2, 1, 2);
  EXPECT_EQ(score(hop, "G3"), (Score{3, 1})) << "a resumed session is the same session";
  EXPECT_EQ(hop.judged("G3").violations.at(0).text.substr(0, 41),
            "sub received t/1 (pub #1) twice: from n1 ");
}
TEST(G3, what_may_come_again) {
  Begun qos1;
  qos1.publish(12000, "n2", 1, 1);
  qos1.receive(12200, "n1", 1, 1, 1);
  qos1.receive(12300, "n1", 1, 1, 1);
  EXPECT_EQ(score(qos1, "G3").violated, 0U);
  Begun lost;
  lost.publish(12000, "n2", 1, 1, 2);
  lost.receive(12200, "n1", 1, 1, 2);
  lost.disconnect(13000, "sub", "n1", 1);
  lost.connect(13100, "sub", "n3", 2, false);
  lost.receive(13200, "n3", 2, 1, 2);
  EXPECT_EQ(score(lost, "G3").violated, 0U) << "another session";
  Begun retained;
  retained.publish(12000, "n2", 1, 1, 2);
  retained.receive(12200, "n1", 1, 1, 2);
  retained.receive(12300, "n1", 1, 1, 2).retained = true;
  EXPECT_EQ(score(retained, "G3").violated, 0U);
  Begun twice = retained;
  twice.receive(12400, "n1", 1, 1, 2).retained = true;
  EXPECT_EQ(score(twice, "G3").violated, 1U) << "one SUBSCRIBE, two copies";
  retained.subscribe(12500, "sub", "n1", 1, "t/1");
  retained.receive(12600, "n1", 1, 1, 2).retained = true;
  EXPECT_EQ(score(retained, "G3").violated, 0U) << "asked for again";
  Begun takeover;  // the old connection's late delivery belongs to the old session
  takeover.publish(12000, "n2", 1, 1, 2);
  takeover.connect(12100, "sub", "n3", 2, false, true);
  takeover.receive(12200, "n1", 1, 1, 2);
  takeover.receive(12300, "n3", 2, 1, 2);
  EXPECT_EQ(score(takeover, "G3").violated, 0U);
  takeover.h.facts.qos2_waits = false;
  EXPECT_FALSE(takeover.judged("G3").applicable);
}

TEST(G5, overtaken) {
  Begun s;
  s.publish(12000, "n2", 1, 1);
  s.publish(12100, "n2", 1, 2);
  Begun good = s;
  s.receive(12200, "n1", 1, 2);
  s.receive(12300, "n1", 1, 1);
  EXPECT_EQ(score(s, "G5"), (Score{1, 1}));
  good.receive(12200, "n1", 1, 1);
  good.receive(12300, "n1", 1, 2);
  good.receive(12400, "n1", 1, 1).flag = true;  // again: not a first delivery
  EXPECT_EQ(score(good, "G5"), (Score{1, 0}));
}
TEST(G5, what_has_no_order) {
  Begun qos;
  qos.publish(12000, "n2", 1, 1, 1);
  qos.publish(12100, "n2", 1, 2, 2);
  qos.receive(12200, "n1", 1, 2, 2);
  qos.receive(12300, "n1", 1, 1, 1);
  EXPECT_EQ(score(qos, "G5"), (Score{0, 0})) << "two QoS";
  Begun hop;
  hop.publish(12000, "n2", 1, 1);
  hop.disconnect(12050, "pub", "n2", 1);
  hop.connect(12060, "pub", "n3", 2, true);
  hop.publish(12100, "n3", 2, 2);
  hop.receive(12200, "n1", 1, 2);
  hop.receive(12300, "n1", 1, 1);
  EXPECT_EQ(score(hop, "G5").violated, 0U) << "two connections of the publisher";
  Begun again;  // #2 was sent again elsewhere and overtook there
  again.publish(12000, "n2", 1, 1);
  again.send(12010, "n2", 1, 2);
  again.disconnect(12050, "pub", "n2", 1);
  again.connect(12060, "pub", "n3", 2, true);
  again.send(12100, "n3", 2, 2, 1, true);
  again.receive(12200, "n1", 1, 2);
  again.receive(12300, "n1", 1, 1);
  EXPECT_EQ(score(again, "G5").violated, 0U);
}
TEST(G5, what_a_provisional_session_had_not_asked_for_yet) {
  // The first of two messages comes last. `healed` 0: there was no cut.
  const auto overtaken = [](VirtualTime healed, VirtualTime sent, VirtualTime subscribed) {
    Story s;
    s.begin();
    s.disconnect(15000, "sub", "n1", 1);
    if (healed != 0) s.split(20000, {{"n1", "n2"}, {"n3", "n4", "n5"}});
    s.connect(23000, "sub", "n1", 2, false);
    if (subscribed < sent) s.subscribe(subscribed, "sub", "n1", 2, "t/+");
    if (healed != 0 && healed < sent) s.whole(healed);
    s.publish(sent, "n2", 1, 1);
    if (subscribed > sent) s.subscribe(subscribed, "sub", "n1", 2, "t/+");
    s.publish(28000, "n2", 1, 2);
    s.receive(28100, "n1", 2, 2);
    if (healed > sent) s.whole(healed);
    s.receive(28500, "n1", 2, 1);
    return score(s, "G5").violated;
  };
  EXPECT_EQ(overtaken(28200, 24000, 25000), 0U) << "the session before had asked for it, this one not yet";
  EXPECT_EQ(overtaken(28200, 24000, 23100), 1U) << "this one had";
  EXPECT_EQ(overtaken(23900, 24000, 25000), 0U) << "healed, but its node need not know that yet";
  EXPECT_EQ(overtaken(23900, 26500, 27000), 1U) << "healed long ago";
  EXPECT_EQ(overtaken(0, 24000, 25000), 1U) << "nothing was cut: there was no session before to merge with";
}
TEST(G5, cuts_that_move_and_hints_that_come_late) {
  Begun hint;
  hint.split(10000, {{"n2"}, {"n1", "n3", "n4", "n5"}});
  hint.publish(15000, "n2", 1, 1);
  Begun flip = hint;
  hint.whole(20000);
  hint.publish(20100, "n2", 1, 2);
  hint.receive(20200, "n1", 1, 2);
  hint.receive(20300, "n1", 1, 1);
  EXPECT_EQ(score(hint, "G5").violated, 1U) << "a hint replayed behind a newer message";
  hint.h.facts.order_across_heal = false;
  EXPECT_EQ(score(hint, "G5").violated, 0U);
  flip.split(20000, {{"n1", "n2"}, {"n3", "n4", "n5"}});
  flip.publish(20100, "n2", 1, 2);
  flip.receive(20200, "n1", 1, 2);
  flip.receive(40300, "n1", 1, 1);
  EXPECT_EQ(score(flip, "G5").violated, 0U) << "still cut, elsewhere";
}
TEST(G5, a_second_cut_takes_away_who_held_it) {
  const auto overtaken = [](bool second) {
    Begun s;
    s.split(10000, {{"n2", "n3"}, {"n1", "n4", "n5"}});
    s.publish(15000, "n2", 1, 1);
    if (second) s.split(15500, {{"n3"}, {"n1", "n2", "n4", "n5"}});
    s.whole(20000);
    s.publish(20010, "n2", 1, 2);
    s.receive(20020, "n1", 1, 2);
    s.receive(20300, "n1", 1, 1);
    return score(s, "G5").violated;
  };
  EXPECT_EQ(overtaken(true), 0U) << "n3 had it, and was away until just now";
  EXPECT_EQ(overtaken(false), 1U) << "n3 was in reach of n2 all along";
}
TEST(G5, what_a_node_acknowledged_alone_is_away_with_it) {
  const auto overtaken = [](VirtualTime crashed) {
    Begun s;
    s.split(10000, {{"n2", "n3"}, {"n1", "n4", "n5"}});
    s.publish(12000, "n2", 1, 1);
    s.whole(14000);
    s.add(Event::Kind::node_crashed, crashed, "", "n3");
    s.publish(24000, "n2", 1, 2);
    s.receive(24100, "n1", 1, 2);
    s.receive(30000, "n1", 1, 1);
    return score(s, "G5").violated;
  };
  EXPECT_EQ(overtaken(14100), 0U) << "nobody else had it";
  EXPECT_EQ(overtaken(20000), 1U) << "there was time to pass it on";
}
TEST(G5, who_acknowledged_may_not_have_known_yet_that_the_cut_was_over) {
  const auto overtaken = [](VirtualTime healed) {
    Begun s;
    s.split(10000, {{"n2", "n3"}, {"n1", "n4", "n5"}});
    s.whole(healed);
    s.publish(14000, "n2", 1, 1);
    s.add(Event::Kind::node_crashed, 14100, "", "n3");
    s.publish(24000, "n2", 1, 2);
    s.receive(24100, "n1", 1, 2);
    s.receive(30000, "n1", 1, 1);
    return score(s, "G5").violated;
  };
  EXPECT_EQ(overtaken(13900), 0U);
  EXPECT_EQ(overtaken(11500), 1U) << "it had known for long";
}

}  // namespace
}  // namespace hf::sim
