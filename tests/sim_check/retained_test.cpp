// G8: the last retained message written, from every node; each way to break it, and what is no breach.
#include <gtest/gtest.h>

#include "tests/sim_check/story.hpp"

namespace hf::sim {
namespace {

using Kind = Event::Kind;

/// pub on n2 from 5.2 s. Readers are clients of their own, in sessions of their own.
struct Retaining : Story {
  Retaining() { connect(5200, "pub", "n2", 1, false); }

  void write(VirtualTime t, std::uint64_t number, bool deletes = false, const std::string& node = "n2", std::uint64_t k = 1) {
    try_write(t, number, deletes, node, k);
    ack(t + 1, node, k, number);
  }
  void try_write(VirtualTime t, std::uint64_t number, bool deletes = false, const std::string& node = "n2", std::uint64_t k = 1) {
    send(t, node, k, number);
    h.events.back().retained = true;
    h.events.back().empty = deletes;
  }
  /// A fresh session asks at `t` and gets `number` (0: nothing), with RETAIN.
  void read(VirtualTime t, const std::string& who, const std::string& node, std::uint64_t number, std::uint8_t handling = 0,
            bool present = false) {
    connect(t, who, node, 1, present);
    subscribe(t + 1, who, node, 1, "t/+", 1);
    h.events[h.events.size() - 2].handling = handling;
    if (number != 0) got(t + 2, who, node, number).retained = true;
  }
  Event& got(VirtualTime t, const std::string& who, const std::string& node, std::uint64_t number) {
    Event& e = receive(t, node, 1, number);
    e.client = who;
    return e;
  }
};

TEST(G8, the_last_one_written_and_an_older_one) {
  Retaining s;
  s.write(12000, 1);
  s.write(13000, 2);
  Retaining older = s;
  s.read(80000, "a", "n4", 2);
  EXPECT_EQ(score(s, "G8"), (Score{1, 0}));
  older.read(80000, "a", "n4", 1);
  EXPECT_EQ(score(older, "G8"), (Score{1, 1}));
  EXPECT_EQ(older.judged("G8").violations.at(0).client, "a");
}
TEST(G8, one_of_long_before_without_its_flag) {
  Retaining s;
  s.write(12000, 1);
  s.read(80000, "a", "n4", 0);
  s.got(80002, "a", "n4", 1);
  EXPECT_EQ(score(s, "G8"), (Score{1, 1}));
}
TEST(G8, nothing_although_one_was_acknowledged) {
  Retaining s;
  s.write(12000, 1);
  s.read(80000, "a", "n4", 0);
  EXPECT_EQ(score(s, "G8"), (Score{1, 1}));
}
TEST(G8, a_live_message_answers_too) {
  Retaining s;
  s.write(12000, 1);
  s.read(30000, "a", "n4", 0);
  s.write(30002, 2);
  s.got(30003, "a", "n4", 2);
  EXPECT_EQ(score(s, "G8"), (Score{1, 0}));
}
TEST(G8, deleted_is_gone_and_does_not_return) {
  Retaining s;
  s.write(12000, 1);
  s.write(13000, 2, true);
  Retaining returned = s;
  s.read(80000, "a", "n4", 0);
  EXPECT_EQ(score(s, "G8"), (Score{1, 0}));
  returned.read(80000, "a", "n4", 1);
  EXPECT_EQ(score(returned, "G8"), (Score{1, 1}));
}
TEST(G8, of_two_sides_either_but_everywhere_the_same) {
  Retaining s;
  s.connect(5200, "sub", "n3", 1, false);
  s.split(10000, {{"n1", "n2"}, {"n3", "n4", "n5"}});
  s.write(12000, 1);
  s.on(Kind::publish_sent, 12000, "sub", "n3", 1).topic = "t/1";
  s.h.events.back().number = 7;
  s.h.events.back().qos = 1;
  s.h.events.back().retained = true;
  s.on(Kind::publish_acked, 12001, "sub", "n3", 1).number = 7;
  s.whole(30000);
  Retaining differ = s;
  s.read(80000, "a", "n1", 1);
  s.read(81000, "b", "n4", 1);
  EXPECT_EQ(score(s, "G8"), (Score{2, 0}));
  differ.read(80000, "a", "n1", 1);
  differ.read(81000, "b", "n4", 0);
  differ.got(81002, "b", "n4", 7).retained = true;
  differ.h.events.back().publisher = "sub";
  EXPECT_EQ(score(differ, "G8"), (Score{2, 1}));
}
TEST(G8, within_the_spread_of_clocks_either_may_be_last) {
  Retaining s;
  s.h.facts.clock_spread = 2000 * ms;
  s.write(12000, 1);
  s.write(13000, 2);
  s.read(80000, "a", "n4", 1);
  EXPECT_EQ(score(s, "G8"), (Score{1, 0}));
}
TEST(G8, what_was_sent_and_never_acknowledged_may_still_come) {
  Retaining s;
  s.try_write(12000, 1);
  s.write(12001, 2);
  s.read(80000, "a", "n4", 1);
  EXPECT_EQ(score(s, "G8"), (Score{1, 0}));
  Retaining closed;
  closed.try_write(12000, 1);
  closed.disconnect(12500, "pub", "n2", 1);
  closed.connect(13000, "pub", "n2", 2, true);
  closed.write(13001, 1, false, "n2", 2);
  closed.write(40000, 2, false, "n2", 2);
  closed.read(80000, "a", "n4", 1);
  EXPECT_EQ(score(closed, "G8"), (Score{1, 1})) << "by then it had had its time";
}
TEST(G8, a_client_that_takes_its_time_gets_the_rest_later) {
  Retaining s;
  s.write(12000, 1);
  s.send(12500, "n2", 1, 2, 1, false, "t/2");
  s.h.events.back().retained = true;
  s.ack(12501, "n2", 1, 2);
  s.read(80000, "a", "n4", 1);
  Retaining late = s;
  const auto rest = [](Retaining& of, VirtualTime t) {
    Event& e = of.got(t, "a", "n4", 2);
    e.topic = "t/2";
    e.retained = true;
  };
  EXPECT_EQ(score(s, "G8"), (Score{2, 1})) << "nothing came of t/2";
  rest(s, 84002);
  EXPECT_EQ(score(s, "G8"), (Score{2, 0})) << "4 s after the first";
  rest(late, 84003);
  EXPECT_EQ(score(late, "G8"), (Score{2, 1})) << "longer after it";
}
TEST(G8, twice) {
  Retaining s;
  s.write(12000, 1);
  s.read(80000, "a", "n4", 1);
  s.got(80003, "a", "n4", 1).retained = true;
  EXPECT_EQ(score(s, "G8"), (Score{1, 1}));
}
TEST(G8, handling_two_asks_for_nothing) {
  Retaining s;
  s.write(12000, 1);
  Retaining sent = s;
  s.read(80000, "a", "n4", 0, 2);
  EXPECT_EQ(score(s, "G8"), (Score{1, 0}));
  sent.read(80000, "a", "n4", 1, 2);
  EXPECT_EQ(score(sent, "G8"), (Score{1, 1}));
}
TEST(G8, not_judged) {
  const auto none = [](const Story& s) { return score(s, "G8") == Score{0, 0}; };
  Retaining resumed;
  resumed.write(12000, 1);
  resumed.read(80000, "a", "n4", 0, 0, true);
  EXPECT_TRUE(none(resumed)) << "its queue may be long";
  Retaining known;
  known.write(12000, 1);
  known.read(80000, "a", "n4", 0, 1);
  EXPECT_TRUE(none(known)) << "handling 1";
  Retaining late;
  late.write(12000, 1);
  late.read(98000, "a", "n4", 0);
  EXPECT_TRUE(none(late)) << "the run ends too soon";
  Retaining cut;
  cut.write(12000, 1);
  cut.split(29000, {{"n1", "n2"}, {"n3", "n4", "n5"}});
  cut.read(30000, "a", "n4", 0);
  EXPECT_TRUE(none(cut));
  Retaining left;
  left.write(12000, 1);
  left.read(80000, "a", "n4", 0);
  left.disconnect(81000, "a", "n4", 1);
  EXPECT_TRUE(none(left));
}

}  // namespace
}  // namespace hf::sim
