// G13 and what it lets G2 and G6 let pass: limits kept, losses counted, refusals deserved; each way to break them.
#include <gtest/gtest.h>

#include "tests/sim_check/story.hpp"

namespace hf::sim {
namespace {

using Kind = Event::Kind;
using Full = RunFacts::FullQueue;

/// Three nodes, so that nobody stands in; two messages fit into a queue.
struct Limited : Story {
  explicit Limited(Full full = Full::drop_newest) {
    h.facts.nodes = {"n1", "n2", "n3"};
    h.facts.limits.declared = true;
    h.facts.limits.queued = h.facts.limits.fits = 2;
    h.facts.limits.full = full;
    h.facts.limits.stand_ins = false;
    begin();
  }
  void count(std::uint64_t dropped) { h.facts.dropped = h.facts.dropped_full = dropped; }
  void publish_all(VirtualTime t, std::uint64_t first, std::uint64_t last) {
    for (std::uint64_t n = first; n <= last; ++n, t += 10) publish(t, "n2", 1, n);
  }
  void receive_all(VirtualTime t, std::uint64_t first, std::uint64_t last) {
    for (std::uint64_t n = first; n <= last; ++n) receive(t, "n1", 1, n);
  }
  Event& abandon(VirtualTime t, std::uint64_t number, std::uint8_t code, const std::string& topic = "t/1") {
    Event& e = on(Kind::publish_abandoned, t, "pub", "n2", 1);
    e.number = number;
    e.code = code;
    e.topic = topic;
    return e;
  }
  void answer(VirtualTime t, const std::string& filter, std::uint8_t code) {
    filter_sent(t, filter);
    Event& e = on(Kind::subscribed, t + 1, "sub", "n1", 1);
    e.topic = filter;
    e.code = code;
  }
  void filter_sent(VirtualTime t, const std::string& name) { filter(Kind::subscribe_sent, t, "sub", "n1", 1, name, 1); }
  void sample(VirtualTime t, std::uint64_t connections, std::uint64_t queued) {
    h.samples.push_back({t * ms, "n1", connections, queued, 100 * queued, "sub", "sub"});
  }
};

TEST(G13, is_no_verdict_without_declared_limits) {
  Limited s;
  EXPECT_EQ(s.judged("G13").id, "G13");
  s.h.facts.limits.declared = false;
  EXPECT_EQ(s.judged("G13").id, "");
}

/// Three messages while nothing is read: two fit, the third may be lost.
TEST(G13, a_loss_that_the_policy_covers_is_counted) {
  Limited s;
  s.publish_all(12000, 1, 3);
  s.receive_all(30000, 1, 2);
  s.count(1);
  EXPECT_EQ(score(s, "G2"), (Score{2, 0}));
  EXPECT_EQ(score(s, "G13"), (Score{1, 0}));
  s.count(0);
  EXPECT_EQ(score(s, "G2"), (Score{3, 1})) << "nobody says that it dropped anything";
  EXPECT_EQ(score(s, "G13"), (Score{1, 1}));
}

/// Of 100 bytes for who takes `takes`, not received; `dropped` were counted as too large.
Score lost_for_its_size(std::uint32_t takes, std::uint64_t dropped) {
  Story s;
  s.begin();
  s.publish(12000, "n2", 1, 1);
  s.h.events[s.h.events.size() - 2].size = 100;
  s.h.facts.clients[0].packet_max = takes;
  s.h.facts.dropped = s.h.facts.dropped_too_large = dropped;
  return score(s, "G2");
}
TEST(G2, a_loss_of_what_is_larger_than_the_client_takes) {
  EXPECT_EQ(lost_for_its_size(90, 1), (Score{0, 0}));
  EXPECT_EQ(lost_for_its_size(105, 1), (Score{0, 0})) << "with an identifier it may be larger";
  EXPECT_EQ(lost_for_its_size(113, 1), (Score{1, 1})) << "it fits whatever is added";
  EXPECT_EQ(lost_for_its_size(0, 1), (Score{1, 1})) << "it takes any";
  EXPECT_EQ(lost_for_its_size(90, 0), (Score{1, 1})) << "nothing was dropped";
}
TEST(G2, a_loss_is_not_excused_by_what_was_dropped_at_qos_0) {
  Story s;
  s.begin();
  s.publish(12000, "n2", 1, 1);
  s.h.facts.dropped = s.h.facts.dropped_qos_0 = 5;
  EXPECT_EQ(score(s, "G2"), (Score{1, 1}));
}

TEST(G13, a_loss_where_there_was_room_is_none_of_the_policy) {
  Limited s;
  s.publish(12000, "n2", 1, 1);
  s.receive(12100, "n1", 1, 1);
  s.publish(40000, "n2", 1, 2);
  s.receive(40100, "n1", 1, 2);
  s.publish(40200, "n2", 1, 3);
  s.count(5);
  s.h.facts.limits.topic_length = 5;
  for (const std::uint64_t n : {4U, 5U, 6U}) s.send(40100, "n2", 1, n, 1, false, "t/long");  // never in the queue
  EXPECT_EQ(score(s, "G2"), (Score{3, 1}));
  EXPECT_EQ(score(s, "G13"), (Score{1, 0})) << "it was counted";
}

TEST(G13, the_oldest_may_be_lost_to_what_comes_later) {
  for (const Full full : {Full::drop_oldest, Full::drop_newest}) {
    Limited s(full);
    s.publish(12000, "n2", 1, 1);
    s.publish_all(20000, 2, 3);
    s.receive_all(30000, 2, 3);
    s.count(1);
    EXPECT_EQ(score(s, "G2").violated, full == Full::drop_oldest ? 0U : 1U);
  }
}

TEST(G13, where_the_publisher_is_told_nothing_acknowledged_is_lost) {
  Limited s(Full::reject);
  s.publish_all(12000, 1, 3);
  s.receive_all(30000, 1, 2);
  s.count(1);
  EXPECT_EQ(score(s, "G2"), (Score{3, 1}));
  s.h.facts.limits.stand_ins = true;
  EXPECT_EQ(score(s, "G2"), (Score{2, 0})) << "a stand-in cannot know that the queue is full";
}

TEST(G13, a_refusal_for_want_of_room) {
  Limited s(Full::reject);
  s.publish_all(12000, 1, 2);
  s.receive_all(30000, 1, 2);
  s.send(12100, "n2", 1, 3);
  s.abandon(12110, 3, 0x97);
  s.count(1);
  EXPECT_EQ(score(s, "G6").violated, 0U);
  EXPECT_EQ(score(s, "G13"), (Score{1, 0}));
  Limited uncounted = s;
  uncounted.count(0);
  EXPECT_EQ(score(uncounted, "G13"), (Score{1, 1}));
  Limited room = s;
  room.h.facts.limits.fits = 3;
  EXPECT_EQ(score(room, "G6").violated, 1U) << "three fit";
  s.h.facts.limits.full = Full::drop_newest;
  EXPECT_EQ(score(s, "G6").violated, 1U) << "nobody is to be told";
}

TEST(G13, topics_and_filters) {
  Limited s;
  s.h.facts.limits.topic_length = 5;
  s.h.facts.limits.topic_levels = 2;
  s.send(12000, "n2", 1, 1, 1, false, "t/long");
  s.abandon(12010, 1, 0x90, "t/long");
  s.answer(13000, "a/b/c", 0x8F);
  EXPECT_EQ(score(s, "G13"), (Score{2, 0}));
  EXPECT_EQ(score(s, "G6").violated, 0U);
  Limited reaches = s;
  reaches.receive(14000, "n1", 1, 1, 1, "t/long");
  EXPECT_EQ(score(reaches, "G13"), (Score{3, 1}));
  Limited granted = s;
  granted.answer(14000, "a/b/c", 1);
  EXPECT_EQ(score(granted, "G13"), (Score{3, 1}));
  s.send(15000, "n2", 1, 2, 1, false, "t/2");
  s.abandon(15010, 2, 0x90, "t/2");
  s.answer(16000, "a/b", 0x8F);
  EXPECT_EQ(score(s, "G13"), (Score{4, 2})) << "both are within the limits";
}

TEST(G13, subscriptions) {
  Limited s;  // holds t/+
  s.h.facts.limits.subscriptions = 2;
  s.answer(12000, "a", 1);
  s.answer(13000, "b", 0x97);
  EXPECT_EQ(score(s, "G13"), (Score{1, 0}));
  Limited more = s;
  more.answer(14000, "c", 1);
  EXPECT_EQ(score(more, "G13"), (Score{2, 1}));
  Limited gone = s;
  gone.unsubscribe(14000, "sub", "n1", 1, "a");
  gone.answer(15000, "c", 1);
  EXPECT_EQ(score(gone, "G13"), (Score{1, 0}));
  s.split(14000, {{"n1"}, {"n2", "n3"}});
  s.answer(15000, "c", 1);
  EXPECT_EQ(score(s, "G13"), (Score{1, 0})) << "a coordinator that does not know of the others";
  Limited early;
  early.h.facts.limits.subscriptions = 2;
  early.answer(12000, "a", 0x97);
  EXPECT_EQ(score(early, "G13"), (Score{1, 1})) << "there was room";
}

TEST(G13, connections_and_queues_seen_from_inside) {
  Limited s;
  s.h.facts.limits.connections = 3;
  s.sample(11000, 2, 1);
  EXPECT_EQ(score(s, "G13"), (Score{0, 0}));
  s.sample(12000, 3, 2);
  EXPECT_EQ(score(s, "G13"), (Score{2, 0}));
  Limited more = s;
  more.sample(13000, 4, 3);
  EXPECT_EQ(score(more, "G13"), (Score{4, 2}));
  s.split(13000, {{"n1"}, {"n2", "n3"}});
  s.sample(14000, 3, 6);
  EXPECT_EQ(score(s, "G13"), (Score{4, 0})) << "each side took two, or was a third";
  s.sample(15000, 3, 7);
  EXPECT_EQ(score(s, "G13"), (Score{6, 1}));
}

TEST(G13, answers_come_no_faster_than_a_client_may_publish) {
  for (const bool fast : {false, true}) {
    Limited s;
    s.h.facts.limits.fits = 100;
    s.h.facts.limits.publish_rate = 1;
    s.h.facts.limits.publish_burst = 3;
    for (std::uint64_t n = 1; n <= 15; ++n) s.send(6000, "n2", 1, n);  // connected at 5.2 s
    for (std::uint64_t n = 1; n <= 5; ++n) s.ack(fast ? 6000 : 7000, "n2", 1, n);
    s.receive_all(8000, 1, 5);
    EXPECT_EQ(score(s, "G13"), (Score{5, fast ? 1U : 0U}));
  }
}

TEST(G13, a_connect_refused) {
  struct Row {
    std::uint8_t code;
    std::uint64_t connections;
    std::uint32_t rate;
    std::uint64_t exercised, violated;
  };
  for (const Row& row : {Row{0x97, 1, 0, 1, 0}, Row{0x97, 2, 0, 0, 1}, Row{0x9F, 9, 1, 1, 0}, Row{0x9F, 9, 0, 0, 1}, Row{0x97, 9, 1, 0, 1}}) {
    Limited s;  // sub is connected to n1
    s.h.facts.limits.connections = row.connections;
    s.h.facts.limits.connect_rate = row.rate;
    s.h.facts.limits.connect_burst = 2;
    s.ask(7000, "third", "n1", 1);
    s.on(Kind::refused, 7010, "third", "n1", 1).code = row.code;
    EXPECT_EQ(score(s, "G13").exercised, row.exercised) << int{row.code};
    EXPECT_EQ(score(s, "G6").violated, row.violated) << int{row.code};
  }
}

TEST(G13, what_one_coordinator_had_no_room_for_may_come_late) {
  const auto overtaken = [](std::uint64_t fits, std::uint64_t dropped) {
    Limited s(Full::reject);
    s.h.facts.limits.fits = fits;
    s.publish_all(12000, 1, 3);
    s.receive_all(12100, 2, 3);
    s.receive_all(12300, 1, 1);
    s.count(dropped);
    return score(s, "G5").violated;
  };
  EXPECT_EQ(overtaken(2, 1), 0U);
  EXPECT_EQ(overtaken(2, 0), 1U) << "nothing was dropped";
  EXPECT_EQ(overtaken(100, 1), 1U) << "there was room";
}

}  // namespace
}  // namespace hf::sim
