// SUBS: identifiers, no-local, RETAIN as published, retain handling; each way to break them, and what is no breach.
#include <gtest/gtest.h>

#include "tests/sim_check/story.hpp"

namespace hf::sim {
namespace {

using Kind = Event::Kind;

/// sub on n1 from 5 s, pub on n2 from 5.2 s; no subscription yet.
struct Options : Story {
  Options() {
    connect(5000, "sub", "n1", 1, false);
    connect(5200, "pub", "n2", 1, false);
  }
  /// The SUBSCRIBE that was sent; its SUBACK came in the same millisecond.
  Event& hold(VirtualTime t, std::uint32_t identifier, const std::string& f = "t/+", const std::string& who = "sub",
              const std::string& node = "n1", std::uint64_t k = 1) {
    subscribe(t, who, node, k, f);
    Event& sent = h.events[h.events.size() - 2];
    if (identifier != 0) sent.identifiers = {identifier};
    return sent;
  }
  void get(VirtualTime t, std::uint64_t number, std::vector<std::uint32_t> identifiers, std::uint64_t k = 1) {
    receive(t, "n1", k, number).identifiers = std::move(identifiers);
  }
};

TEST(Subs, an_identifier_that_the_subscription_has) {
  Options s;
  s.hold(6000, 7);
  s.publish(12000, "n2", 1, 1);
  Options none = s, another = s, twice = s;
  s.get(12100, 1, {7});
  EXPECT_EQ(score(s, "SUBS"), (Score{1, 0}));
  none.get(12100, 1, {});
  EXPECT_EQ(score(none, "SUBS"), (Score{1, 1})) << "it is settled, so the identifier is owed";
  another.get(12100, 1, {8});
  EXPECT_EQ(score(another, "SUBS"), (Score{1, 2})) << "one too many, and one missing";
  twice.get(12100, 1, {7, 7});
  EXPECT_EQ(score(twice, "SUBS"), (Score{1, 1})) << "one subscription, one identifier";
}
TEST(Subs, one_of_each_subscription_that_matches) {
  Options s;
  s.hold(6000, 7);
  s.hold(6100, 9, "t/#");
  s.hold(6200, 0, "#");
  s.hold(6300, 11, "u/#");
  s.publish(12000, "n2", 1, 1);
  Options half = s, foreign = s;
  s.get(12100, 1, {9, 7});
  EXPECT_EQ(score(s, "SUBS"), (Score{1, 0}));
  half.get(12100, 1, {9});
  EXPECT_EQ(score(half, "SUBS"), (Score{1, 1}));
  foreign.get(12100, 1, {9, 7, 11});
  EXPECT_EQ(score(foreign, "SUBS"), (Score{1, 2})) << "of a filter that does not match, and one more than there are";
}
TEST(Subs, a_second_subscribe_changes_the_identifier) {
  Options s;
  s.hold(6000, 7);
  s.hold(20000, 8);
  s.publish(30000, "n2", 1, 1);
  Options old = s;
  s.get(30100, 1, {8});
  EXPECT_EQ(score(s, "SUBS"), (Score{1, 0}));
  old.get(30100, 1, {7});
  EXPECT_EQ(score(old, "SUBS"), (Score{1, 2})) << "the old one, without the new one";
}
TEST(Subs, what_was_published_before_may_bear_the_older_identifier) {
  for (const std::uint32_t identifier : {7U, 8U}) {
    Options s;
    s.hold(6000, 7);
    s.publish(19990, "n2", 1, 1);
    s.hold(20000, 8);
    s.get(20100, 1, {identifier});
    EXPECT_EQ(score(s, "SUBS"), (Score{1, 0})) << identifier;
  }
}
TEST(Subs, a_change_that_the_other_side_cannot_know) {
  Options s;
  s.hold(6000, 7);
  s.split(20000, {{"n1"}, {"n2", "n3", "n4", "n5"}});
  s.hold(23000, 8);
  s.publish(24000, "n2", 1, 1);
  s.whole(30000);
  s.get(31000, 1, {7});
  EXPECT_EQ(score(s, "SUBS"), (Score{1, 0}));
}
TEST(Subs, an_unanswered_request_of_before_may_still_come) {
  Options s;
  s.hold(6000, 7);
  s.filter(Kind::subscribe_sent, 12000, "sub", "n1", 1, "t/+", 2);
  s.h.events.back().identifiers = {8};
  s.disconnect(12010, "sub", "n1", 1);
  s.connect(12100, "sub", "n1", 2, true);
  s.hold(12200, 9, "t/+", "sub", "n1", 2);
  s.publish(13000, "n2", 1, 1);
  s.get(13100, 1, {8}, 2);
  EXPECT_EQ(score(s, "SUBS"), (Score{1, 0}));
}
TEST(Subs, an_unsubscribe_takes_the_identifier_away) {
  Options s;
  s.hold(6000, 7);
  s.hold(6100, 9, "t/#");
  s.unsubscribe(12000, "sub", "n1", 1, "t/#");
  s.publish(20000, "n2", 1, 1);
  Options still = s;
  s.get(20100, 1, {7});
  EXPECT_EQ(score(s, "SUBS"), (Score{1, 0}));
  still.get(20100, 1, {7, 9});
  EXPECT_GE(score(still, "SUBS").violated, 1U);
}
TEST(Subs, a_refused_subscribe_brings_no_identifier) {
  Options s;
  s.hold(6000, 7);
  s.hold(6100, 9, "t/#");
  s.h.events.back().code = 0x87;
  s.publish(20000, "n2", 1, 1);
  s.get(20100, 1, {7, 9});
  EXPECT_GE(score(s, "SUBS").violated, 1U);
}
TEST(Subs, a_copy_through_a_group_bears_its_identifier_only) {
  Options s;
  s.hold(6000, 7);
  s.hold(6100, 9, "$share/g/t/+");
  s.publish(12000, "n2", 1, 1);
  s.get(12100, 1, {7});
  s.get(12101, 1, {9});
  EXPECT_EQ(score(s, "SUBS"), (Score{2, 0}));
}

TEST(Subs, through_the_only_filter_there_is_it_bears_the_identifier_whenever_it_was_sent) {
  for (const char* filter : {"t/+", "$share/g/t/+"}) {
    Options s;
    s.hold(6000, 7, filter);
    s.hold(12000, 7, filter);
    s.split(12001, {{"n1"}, {"n2", "n3", "n4", "n5"}});
    s.publish(12010, "n2", 1, 1);
    Options retained = s;
    s.get(12100, 1, {});
    EXPECT_EQ(score(s, "SUBS"), (Score{1, 1})) << filter;
    retained.receive(12100, "n1", 1, 1).retained = true;
    EXPECT_GE(score(retained, "SUBS").violated, 1U) << filter;
  }
  Options changed;
  changed.hold(6000, 7);
  changed.split(11000, {{"n1"}, {"n2", "n3", "n4", "n5"}});
  changed.hold(12000, 0);
  changed.publish(12010, "n2", 1, 1);
  changed.get(12100, 1, {});
  EXPECT_EQ(score(changed, "SUBS"), (Score{1, 0})) << "it may have none by now";
}

/// pub holds t/+ itself.
struct Own : Options {
  explicit Own(bool loud) {
    hold(6000, 7, "t/+", "pub", "n2").no_local = true;
    if (loud) hold(6100, 0, "t/#", "pub", "n2");
    publish(12000, "n2", 1, 1);
    Event& e = receive(12100, "n2", 1, 1);
    e.client = "pub";
    if (!loud) e.identifiers = {7};
  }
};
TEST(Subs, its_own_message_through_no_local_only) {
  EXPECT_EQ(score(Own(false), "SUBS"), (Score{1, 1}));
  EXPECT_EQ(score(Own(true), "SUBS"), (Score{1, 0})) << "the other filter let it through, and it has no identifier";
}
TEST(Subs, the_messages_of_others_through_no_local) {
  Options s;
  s.hold(6000, 0).no_local = true;
  s.publish(12000, "n2", 1, 1);
  s.get(12100, 1, {});
  EXPECT_EQ(score(s, "SUBS"), (Score{1, 0}));
}

/// What comes with or without RETAIN, published with or without, through one subscription.
std::uint64_t flag_violations(bool published, bool received, bool as_published, std::uint8_t handling) {
  Options s;
  Event& sent = s.hold(6000, 0);
  sent.as_published = as_published;
  sent.handling = handling;
  s.hold(6100, 3, "other");  // an option of some kind: the client is judged
  s.send(12000, "n2", 1, 1);
  s.h.events.back().retained = published;
  s.ack(12001, "n2", 1, 1);
  s.receive(12100, "n1", 1, 1).retained = received;
  return score(s, "SUBS").violated;
}
TEST(Subs, retain_as_published) {
  EXPECT_EQ(flag_violations(true, true, true, 2), 0U);
  EXPECT_EQ(flag_violations(true, false, true, 2), 1U) << "it was to have the flag";
  EXPECT_EQ(flag_violations(true, false, false, 0), 0U);
  EXPECT_EQ(flag_violations(false, true, true, 0), 1U) << "it was published without";
  EXPECT_EQ(flag_violations(false, false, true, 0), 0U);
}
TEST(Subs, with_retain_for_who_asked_for_nothing_retained) {
  EXPECT_EQ(flag_violations(true, true, false, 2), 1U);
  EXPECT_EQ(flag_violations(true, true, false, 1), 0U) << "it may be what is retained";
  EXPECT_EQ(flag_violations(true, true, false, 0), 0U);
}

/// A retained message is there; who holds the filter asks again, and gets it (or not) 100 ms later.
Options asked_again(std::uint8_t handling, bool answered) {
  Options s;
  s.hold(6000, 0).handling = handling;
  s.send(7000, "n2", 1, 1);
  s.h.events.back().retained = true;
  s.ack(7001, "n2", 1, 1);
  s.receive(7100, "n1", 1, 1);
  s.hold(20000, 0).handling = handling;
  if (answered) s.receive(20100, "n1", 1, 1).retained = true;
  return s;
}
TEST(Subs, asked_again_with_handling_1) {
  EXPECT_EQ(score(asked_again(1, false), "SUBS"), (Score{2, 0}));
  EXPECT_EQ(score(asked_again(1, true), "SUBS"), (Score{3, 1}));
}
TEST(Subs, asked_again_while_not_all_was_calm_or_by_another_filter) {
  Options s = asked_again(1, true);
  s.h.events.insert(s.h.events.begin() + 8, s.h.events.back());
  s.h.events[8] = Event{};
  s.h.events[8].kind = Kind::node_crashed;
  s.h.events[8].node = "n3";
  s.h.events[8].at = 15000 * ms;
  EXPECT_EQ(score(s, "SUBS").violated, 0U) << "its session may have been lost meanwhile";
  Options both = asked_again(1, false);
  both.hold(20050, 0, "t/1");
  both.receive(20100, "n1", 1, 1).retained = true;
  EXPECT_EQ(score(both, "SUBS").violated, 0U) << "the answer to the other one";
}
TEST(Subs, nothing_is_judged_where_nobody_asked_for_any_option) {
  Story s;
  s.begin();
  s.publish(12000, "n2", 1, 1);
  s.receive(12100, "n1", 1, 1);
  EXPECT_EQ(s.judged("SUBS").id, "");
}

}  // namespace
}  // namespace hf::sim
