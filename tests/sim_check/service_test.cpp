// G6, G7, G11: served, one connection, converged; each way to break them, and what is no breach.
#include <gtest/gtest.h>

#include "tests/sim_check/story.hpp"

namespace hf::sim {
namespace {

using Kind = Event::Kind;

struct Begun : Story {
  Begun() { begin(); }
};
constexpr std::uint64_t base = 3;  // requests of begin(), all answered

TEST(G6, unanswered) {
  Begun connect;
  connect.ask(12000, "other", "n3", 1);
  EXPECT_EQ(score(connect, "G6"), (Score{base + 1, 1}));
  Begun subscribe;
  subscribe.filter(Kind::subscribe_sent, 12000, "sub", "n1", 1, "u", 1);
  EXPECT_EQ(score(subscribe, "G6"), (Score{base + 1, 1}));
  Begun publish;
  publish.send(12000, "n2", 1, 1);
  EXPECT_EQ(score(publish, "G6"), (Score{base + 1, 1}));
  publish.ack(20000, "n2", 1, 1);
  EXPECT_EQ(score(publish, "G6"), (Score{base + 1, 1})) << "too late";
  Begun small;  // the smallest side too
  small.split(10000, {{"n2"}, {"n1", "n3", "n4", "n5"}});
  small.send(12000, "n2", 1, 1);
  EXPECT_EQ(score(small, "G6"), (Score{base + 1, 1}));
}
TEST(G6, refused) {
  Begun busy;
  busy.ask(12000, "other", "n3", 1);
  busy.on(Kind::refused, 12100, "other", "n3", 1).code = 0x88;
  EXPECT_EQ(score(busy, "G6"), (Score{base + 1, 1}));
  Begun wrong;
  wrong.ask(12000, "other", "n3", 1);
  wrong.on(Kind::refused, 12100, "other", "n3", 1).code = 0x87;
  EXPECT_EQ(score(wrong, "G6"), (Score{base, 0}));
  wrong.h.facts.refuses_by_choice = true;
  EXPECT_FALSE(wrong.judged("G6").applicable);
}
TEST(G6, not_judged) {
  const auto none = [](const Story& s) { return score(s, "G6") == Score{base, 0}; };
  Begun crashed;
  crashed.send(12000, "n2", 1, 1);
  crashed.node(Kind::node_crashed, 13000, "n2");
  EXPECT_TRUE(none(crashed));
  Begun left;
  left.send(12000, "n2", 1, 1);
  left.disconnect(13000, "pub", "n2", 1);
  EXPECT_TRUE(none(left));
  Begun taken_over;  // its client connects anew, to a node that is gone
  taken_over.filter(Kind::subscribe_sent, 12000, "sub", "n1", 1, "u", 1);
  taken_over.on(Kind::left, 12100, "sub", "n1", 1);
  EXPECT_TRUE(none(taken_over));
  Begun gave_up = Begun();
  gave_up.ask(12000, "other", "n3", 1);
  gave_up.disconnect(12500, "other", "n3", 1);
  EXPECT_TRUE(none(gave_up));
  Begun grey;
  grey.fault(11000, 20000, "slow_disk n2");
  grey.send(12000, "n2", 1, 1);
  EXPECT_EQ(score(grey, "G6"), (Score{base, 0}));
  Begun qos2;
  qos2.split(10000, {{"n2"}, {"n1", "n3", "n4", "n5"}});
  qos2.send(12000, "n2", 1, 1, 2);
  EXPECT_TRUE(none(qos2));
  Begun cut;
  cut.split(10000, {{"n2"}, {"n1", "n3", "n4", "n5"}});
  cut.h.events.back().clients_cut = true;
  cut.send(12000, "n2", 1, 1);
  EXPECT_TRUE(none(cut));
  Begun end;
  end.send(98000, "n2", 1, 1);
  EXPECT_TRUE(none(end));
  Begun changing;  // another node dies meanwhile: one more detection time
  changing.send(12000, "n2", 1, 1);
  changing.node(Kind::node_crashed, 13000, "n3");
  changing.ack(16500, "n2", 1, 1);
  EXPECT_EQ(score(changing, "G6"), (Score{base + 1, 0}));
}

struct Taken : Story {
  Taken() {
    connect(5000, "sub", "n1", 1, false);
    connect(12000, "sub", "n3", 2, true);
  }
};

TEST(G7, two_live) {
  Taken s;
  EXPECT_EQ(score(s, "G7"), (Score{1, 1}));
  Taken slow = s;
  s.disconnect(12100, "sub", "n1", 1, 0x8E);
  EXPECT_EQ(score(s, "G7"), (Score{1, 0}));
  slow.disconnect(20000, "sub", "n1", 1, 0x8E);
  EXPECT_EQ(score(slow, "G7"), (Score{1, 1}));
}
TEST(G7, across_a_cut_after_the_heal) {
  Story s;
  s.connect(5000, "sub", "n1", 1, false);
  s.split(10000, {{"n1", "n2"}, {"n3", "n4", "n5"}});
  s.connect(15000, "sub", "n3", 2, true);
  Story never = s;
  never.h.facts.ended_at = 30000 * ms;
  EXPECT_EQ(score(never, "G7"), (Score{0, 0})) << "the cut lasts";
  s.whole(30000);
  EXPECT_EQ(score(s, "G7"), (Score{1, 1}));
  s.disconnect(33000, "sub", "n1", 1, 0x8E);
  EXPECT_EQ(score(s, "G7"), (Score{1, 0}));
}
TEST(G7, the_latest_lost) {
  Taken s;
  s.disconnect(12100, "sub", "n3", 2, 0x8E);
  EXPECT_EQ(score(s, "G7").violated, 1U);
  Taken replaced;
  replaced.disconnect(12050, "sub", "n1", 1, 0x8E);
  replaced.connect(12080, "sub", "n4", 3, true);
  replaced.disconnect(12100, "sub", "n3", 2, 0x8E);
  EXPECT_EQ(score(replaced, "G7").violated, 0U);
}
TEST(G7, what_died_with_its_node_is_no_breach) {
  for (const VirtualTime crash : {8000, 12500}) {
    Story s;
    s.connect(5000, "sub", "n1", 1, false);
    if (crash < 12000) s.node(Kind::node_crashed, crash, "n1");
    s.connect(12000, "sub", "n3", 2, true);
    if (crash > 12000) s.node(Kind::node_crashed, crash, "n1");
    s.node(Kind::node_restarted, crash + 1000, "n1");
    EXPECT_EQ(score(s, "G7"), (Score{0, 0})) << "nobody told the client of the power loss at " << crash << " ms";
  }
}
TEST(G7, paused_node_is_no_breach_until_it_wakes) {
  Taken s;
  s.node(Kind::node_paused, 12500, "n1");
  s.node(Kind::node_resumed, 40000, "n1");
  s.disconnect(41000, "sub", "n1", 1, 0x8E);
  EXPECT_EQ(score(s, "G7").violated, 0U);
}

struct Converged : Story {
  Converged() {
    for (const char* node : {"n1", "n2", "n3"})
      h.copies.push_back({node, 7, true, 42, 0, 0, 0, "a\nb\n"});
  }
};

TEST(G11, each_leftover) {
  Converged s;
  EXPECT_EQ(score(s, "G11"), (Score{1, 0}));
  Converged differ;
  differ.h.copies[2].digest = 43;
  differ.h.copies[2].text = "a\nc\n";
  const Verdict v = differ.judged("G11");
  ASSERT_EQ(v.violated, 1U);
  EXPECT_EQ(v.violations[0].text,
            "slot 7: replicas n1 and n3 differ: line 2: n1 has `b`, n3 has `c`");
  Converged tail, hints, tombstones, missing, stray;
  tail.h.copies[0].log_tail = 1;
  hints.h.copies[0].hints = 1;
  tombstones.h.copies[0].tombstones = 1;
  missing.h.copies.pop_back();
  stray.h.copies.push_back({"n4", 7, false, 42, 0, 0, 0, ""});
  for (const Story* bad : {&tail, &hints, &tombstones, &missing, &stray})
    EXPECT_EQ(score(*bad, "G11"), (Score{1, 1}));
  missing.h.facts.nodes = {"n1", "n2"};
  EXPECT_EQ(score(missing, "G11"), (Score{1, 0})) << "two nodes hold two copies";
  EXPECT_EQ(score(Story(), "G11"), (Score{0, 0}));
}

}  // namespace
}  // namespace hf::sim
