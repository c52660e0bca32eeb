// EXPIRY: who gets what when its time is over, or is told another time; and what other checks promise of messages and sessions that end.
#include <gtest/gtest.h>

#include "tests/sim_check/story.hpp"

namespace hf::sim {
namespace {

using Kind = Event::Kind;

/// sub on n1 has t/+ since 5.1 s; pub on n2 sends messages that last 10 s.
struct Lasting : Story {
  Lasting() {
    h.facts.clock_spread = 100 * ms;
    begin();
  }
  void sent(VirtualTime t, std::uint64_t number, std::uint8_t qos = 1, std::uint32_t lasts = 10) {
    send(t, "n2", 1, number, qos);
    h.events.back().expiry = lasts;
    if (qos > 0) ack(t + 1, "n2", 1, number);
  }
  Event& got(VirtualTime t, std::uint64_t number, std::optional<std::uint32_t> left, std::uint64_t k = 1) {
    Event& e = receive(t, "n1", k, number);
    e.expiry = left;
    return e;
  }
};
Score expiry(const Story& s) { return score(s, "EXPIRY"); }

TEST(Expiry, in_time) {
  Lasting s;
  s.sent(10000, 1);
  s.got(10010, 1, 9);
  EXPECT_EQ(expiry(s), (Score{1, 0}));
  EXPECT_EQ(score(s, "G2"), (Score{1, 0}));
  Story none;
  none.begin();
  none.publish(10000, "n2", 1, 1);
  none.receive(10010, "n1", 1, 1);
  EXPECT_TRUE(none.judged("EXPIRY").id.empty()) << "nothing expires: no verdict";
}
TEST(Expiry, counted_down) {
  for (const auto& [left, wrong] : std::vector<std::pair<std::uint32_t, std::uint64_t>>{{2, 1}, {3, 0}, {4, 0}, {5, 0}, {6, 1}, {10, 1}}) {
    Lasting s;
    s.sent(10000, 1);
    s.got(15950, 1, left);
    EXPECT_EQ(expiry(s), (Score{1, wrong})) << left;
  }
  Lasting more;
  more.sent(10000, 1);
  more.got(10010, 1, 11);
  EXPECT_EQ(expiry(more).violated, 1U) << "more than was sent";
  Lasting silent;
  silent.sent(10000, 1);
  silent.got(10010, 1, std::nullopt);
  EXPECT_EQ(expiry(silent).violated, 1U);
  silent.h.facts.clients[0].properties = false;
  EXPECT_EQ(expiry(silent).violated, 0U) << "MQTT 3.1.1 has no words for it";
}
TEST(Expiry, given_to_what_has_none) {
  Lasting s;
  s.sent(10000, 1);
  s.publish(11000, "n2", 1, 2);
  s.got(11010, 2, 5);
  EXPECT_EQ(expiry(s).violated, 1U);
}
TEST(Expiry, late) {
  Lasting s;
  s.sent(10000, 1);
  s.got(20900, 1, 0);
  EXPECT_EQ(expiry(s).violated, 0U) << "it may have been on the wire";
  Lasting late;
  late.sent(10000, 1);
  late.got(21500, 1, 0);
  EXPECT_EQ(expiry(late), (Score{1, 1}));
  Lasting again;
  again.sent(10000, 1);
  again.got(21500, 1, 0).flag = true;
  EXPECT_EQ(expiry(again).violated, 0U) << "what was begun is finished";
  Lasting stuck;
  stuck.sent(10000, 1);
  stuck.fault(18000, 20000, "link");
  stuck.got(21500, 1, 0);
  EXPECT_EQ(expiry(stuck).violated, 0U) << "nobody knows when it was written to a bad wire";
  Lasting resent;  // on another connection, and taken as a new one
  resent.send(10000, "n2", 1, 1);
  resent.h.events.back().expiry = 10;
  resent.disconnect(10500, "pub", "n2", 1);
  resent.connect(15000, "pub", "n3", 2, true);
  resent.send(15100, "n3", 2, 1, 1, true);
  resent.ack(15200, "n3", 2, 1);
  resent.got(24000, 1, 1);
  EXPECT_EQ(expiry(resent).violated, 0U);
  resent.got(27000, 1, 0);
  EXPECT_EQ(expiry(resent).violated, 1U);
  Lasting retained;
  retained.sent(10000, 1);
  retained.got(21500, 1, 0).retained = true;
  EXPECT_EQ(expiry(retained).violated, 1U);
}
TEST(Expiry, nothing_was_begun_with_who_was_not_there) {
  Lasting s;
  s.h.facts.clients[0].keep_alive = 5000 * ms;
  s.disconnect(6000, "sub", "n1", 1);
  s.sent(30000, 1);
  s.connect(50000, "sub", "n1", 2, true);
  s.got(50100, 1, 0, 2).flag = true;
  EXPECT_EQ(expiry(s), (Score{1, 1}));
}
TEST(Expiry, withheld_is_a_test) {
  Lasting s;
  s.disconnect(9000, "sub", "n1", 1);
  s.sent(10000, 1);
  s.connect(30000, "sub", "n1", 2, true);
  EXPECT_EQ(expiry(s), (Score{1, 0}));
  EXPECT_EQ(score(s, "G2"), (Score{0, 0})) << "it was over before anybody could read it";
}
TEST(Expiry, ample_time_is_a_promise) {
  Lasting s;
  s.sent(10000, 1);
  EXPECT_EQ(score(s, "G2"), (Score{1, 1})) << "10 s in calm, and it was connected";
  Lasting little;
  little.sent(10000, 1, 1, 4);
  EXPECT_EQ(score(little, "G2"), (Score{0, 0}));
  Lasting cut;
  cut.sent(10000, 1);
  cut.split(12000, {{"n1"}, {"n2", "n3", "n4", "n5"}});
  cut.whole(18000);
  EXPECT_EQ(score(cut, "G2"), (Score{0, 0})) << "too little of its time was calm";
  Lasting after;
  after.sent(10000, 1, 1, 60);
  after.split(12000, {{"n1"}, {"n2", "n3", "n4", "n5"}});
  after.whole(18000);
  EXPECT_EQ(score(after, "G2"), (Score{1, 1}));
}

/// A will that lasts 10 s: w on n3 is gone at 14 s.
struct LastingWill : Story {
  LastingWill() {
    h.facts.will_grace = 1000 * ms;
    h.facts.clients.push_back({"w", false, true, true, 2000 * ms, 3'600'000 * ms});
    begin();
    Event& sent = ask(12000, "w", "n3", 1);
    sent.topic = "t/w";
    sent.qos = 2;
    sent.expiry = 30;
    on(Kind::connected, 12010, "w", "n3", 1);
    disconnect(14000, "w", "n3", 1);
  }
  void fired(VirtualTime t, std::optional<std::uint32_t> left) {
    Event& e = receive(t, "n1", 1, 1, 2, "t/w");
    e.publisher = "will-w";
    e.expiry = left;
  }
};
TEST(Expiry, of_a_will) {
  LastingWill good;
  good.fired(17100, 30);
  EXPECT_EQ(expiry(good), (Score{1, 0}));
  LastingWill forever;
  forever.fired(17100, std::nullopt);
  EXPECT_EQ(expiry(forever), (Score{1, 1}));
  LastingWill late;
  late.fired(60000, 0);
  EXPECT_EQ(expiry(late), (Score{1, 1}));
  LastingWill seen;  // by sub at once, by another much later
  seen.fired(14100, 30);
  seen.h.facts.clients.push_back({"other", false, true, true});
  seen.fired(30000, 30);
  seen.h.events.back().client = "other";
  EXPECT_EQ(expiry(seen), (Score{2, 1})) << "it had waited since it was published";
  LastingWill lost;
  EXPECT_EQ(score(lost, "G9").violated, 1U) << "sub was there all the time";
  lost.h.events[lost.h.events.size() - 3].expiry = 5;
  EXPECT_EQ(score(lost, "G9").violated, 0U) << "it may have been over before it was due";
}
TEST(Expiry, of_a_retained_message) {
  const auto read = [](VirtualTime t, std::optional<std::uint64_t> number) {
    Lasting s;
    s.send(10000, "n2", 1, 1, 1, false, "r");
    s.h.events.back().retained = true;
    s.h.events.back().expiry = 20;
    s.ack(10100, "n2", 1, 1);
    s.disconnect(11000, "sub", "n1", 1);
    s.connect(t, "sub", "n1", 2, false, true);
    s.subscribe(t + 100, "sub", "n1", 2, "r", 1);
    if (number) {
      Event& e = s.receive(t + 200, "n1", 2, *number, 1, "r");
      e.retained = true;
      e.expiry = 30 - t / 1000;
    }
    return s;
  };
  EXPECT_EQ(score(read(15000, 1), "G8"), (Score{1, 0}));
  EXPECT_EQ(score(read(15000, std::nullopt), "G8"), (Score{1, 1}));
  EXPECT_EQ(score(read(27000, std::nullopt), "G8"), (Score{1, 0})) << "it may be over";
  EXPECT_EQ(expiry(read(33000, 1)).violated, 1U);
}

/// sub says goodbye at 10 s, and lets its session live for so long; it is back at `back`.
Story farewell(std::uint32_t lives, VirtualTime back, bool present) {
  Story s;
  s.h.facts.clients[0].session_expiry = 20'000 * ms;
  s.begin();
  Event& end = s.on(Kind::disconnected, 10000, "sub", "n1", 1);
  end.flag = true;
  end.expiry = lives;
  s.connect(back, "sub", "n1", 2, present);
  return s;
}
TEST(Farewell, shorter) {
  EXPECT_EQ(score(farewell(5, 12000, false), "G1").violated, 1U);
  EXPECT_EQ(score(farewell(5, 16000, false), "G1").violated, 0U);
  EXPECT_EQ(score(farewell(5, 16000, true), "G1").violated, 0U) << "whoever ends it may take his time";
  EXPECT_EQ(score(farewell(5, 20000, true), "G1").violated, 1U);
  EXPECT_EQ(score(farewell(5, 20000, false), "G1").violated, 0U);
  EXPECT_EQ(score(farewell(0, 10100, false), "G1").violated, 0U);
  EXPECT_EQ(score(farewell(0, 15000, true), "G1").violated, 1U);
}
TEST(Farewell, longer) {
  EXPECT_EQ(score(farewell(60, 40000, false), "G1").violated, 1U);
  EXPECT_EQ(score(farewell(60, 40000, true), "G1").violated, 0U);
  EXPECT_EQ(score(farewell(60, 71000, false), "G1").violated, 0U);
}
TEST(Farewell, nobody_need_have_heard_it) {
  const auto cut = [](std::uint32_t lives, VirtualTime back, bool present) {
    Story s = farewell(lives, back, present);
    Story again;
    again.h.facts.clients[0].session_expiry = 20'000 * ms;
    for (const Event& e : s.h.events) {
      if (e.kind == Kind::disconnected) again.split(9900, {{"n1"}, {"n2", "n3", "n4", "n5"}});
      again.h.events.push_back(e);
      if (e.kind == Kind::disconnected) again.whole(10500);
    }
    for (std::size_t i = 0; i < again.h.events.size(); ++i) again.h.events[i].number_in_run = i + 1;
    return again;
  };
  EXPECT_EQ(score(cut(60, 40000, false), "G1").violated, 0U) << "it may have lived for 20 s";
  EXPECT_EQ(score(cut(5, 25000, true), "G1").violated, 0U);
  EXPECT_EQ(score(cut(5, 12000, true), "G1").violated, 0U);
}
TEST(Farewell, of_a_node_that_told_nobody) {
  const auto dead = [](VirtualTime at) {
    Story s;
    s.h.facts.clients[0].session_expiry = 3000 * ms;
    s.begin();
    if (at > 0) s.node(Kind::node_crashed, at, "n1");
    if (at > 0) s.node(Kind::node_restarted, at + 1000, "n1");
    s.disconnect(20000, "sub", "n1", 1);
    s.connect(21000, "sub", "n2", 2, false);
    return s;
  };
  EXPECT_EQ(score(dead(0), "G1").violated, 1U);
  EXPECT_EQ(score(dead(16000), "G1").violated, 0U) << "the broker knew sooner that the connection was over";
}
TEST(Farewell, of_a_session_that_ends_nothing_is_promised) {
  Story s = farewell(0, 12000, true);
  s.publish(20000, "n2", 1, 1);
  EXPECT_EQ(score(s, "G2"), (Score{0, 0})) << "whether it has its filters still, nobody can say";
}

}  // namespace
}  // namespace hf::sim
