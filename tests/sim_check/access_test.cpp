// Rights: what a client may not have is not promised, and is a breach when it comes.
#include <gtest/gtest.h>

#include "tests/sim_check/story.hpp"

namespace hf::sim {
namespace {

struct Ruled : Story {
  Ruled() {
    h.facts.clients = {{.id = "sub", .user = "reader"}, {.id = "pub", .user = "writer"}};
    h.facts.rights = {rule("reader", "t/#", false, true), rule("writer", "t/#", true, false)};
    begin();
  }
  static RunFacts::Right rule(std::string user, std::string filter, bool publish, bool receive, bool allow = true) {
    return {std::move(user), {}, allow, publish, receive, std::move(filter)};
  }
};

TEST(Access, what_is_allowed_is_promised_and_kept) {
  Ruled s;
  s.publish(12000, "n2", 1, 1);
  EXPECT_EQ(score(s, "G2"), (Score{1, 1}));
  s.receive(12500, "n1", 1, 1);
  EXPECT_EQ(score(s, "G2"), (Score{1, 0}));
  EXPECT_EQ(score(s, "ACL"), (Score{0, 0})) << "nothing that a right would stop";
}

TEST(Access, what_is_denied_to_the_receiver) {
  for (const bool by_default : {true, false}) {
    Ruled s;
    if (by_default)
      s.h.facts.rights[0].filter = "t/2";
    else
      s.h.facts.rights.push_back(Ruled::rule("read*", "+/1", false, true, false));
    s.publish(12000, "n2", 1, 1);
    EXPECT_EQ(score(s, "G2"), (Score{0, 0}));
    EXPECT_EQ(score(s, "ACL"), (Score{1, 0}));
    s.receive(12500, "n1", 1, 1);
    EXPECT_EQ(score(s, "ACL"), (Score{1, 1}));
    EXPECT_EQ(s.judged("ACL").violations.at(0).client, "sub");
  }
}

TEST(Access, what_its_publisher_may_not_publish) {
  Ruled s;
  s.h.facts.rights[1].filter = "t/%c/%u";
  s.publish(12000, "n2", 1, 1);
  EXPECT_EQ(score(s, "G2"), (Score{0, 0}));
  EXPECT_EQ(score(s, "ACL"), (Score{1, 0}));
  s.receive(12500, "n1", 1, 1);
  EXPECT_EQ(score(s, "ACL"), (Score{1, 1}));
  Ruled own;
  own.h.facts.rights[1].filter = "t/%c/%u";
  own.h.facts.rights[0].client = "s*b";
  own.subscribe(5300, "sub", "n1", 1, "t/pub/+");
  own.send(12000, "n2", 1, 1, 1, false, "t/pub/writer");
  own.ack(12001, "n2", 1, 1);
  EXPECT_EQ(score(own, "G2"), (Score{1, 1})) << "its own names in the filter";
}

TEST(Access, a_rule_of_a_user_is_not_for_the_anonymous) {
  Ruled s;
  s.h.facts.clients[0].user = "";
  s.publish(12000, "n2", 1, 1);
  EXPECT_EQ(score(s, "G2"), (Score{0, 0}));
  EXPECT_EQ(score(s, "ACL"), (Score{1, 0}));
}

/// sub may not be let in, pub may.
struct Logins : Story {
  Logins() { h.facts.clients = {{.id = "sub", .user = "reader", .admitted = false}, {.id = "pub", .user = "writer"}}; }
  void refuse(VirtualTime t, const std::string& client, std::uint64_t k, std::uint8_t code) {
    ask(t, client, "n1", k);
    on(Event::Kind::refused, t + 10, client, "n1", k).code = code;
    disconnect(t + 10, client, "n1", k, code);
  }
  void authenticate(VirtualTime t, bool wrong) {
    Event& e = on(Event::Kind::reauthenticate_sent, t, "pub", "n1", 1);
    e.flag = wrong;
    e.text = "reader";
  }
};

TEST(Logins, an_impostor_is_refused_and_that_counts) {
  Logins s;
  s.refuse(5000, "sub", 1, 0x86);
  s.refuse(6000, "sub", 2, 0x87);
  s.refuse(7000, "sub", 3, 0x9F);
  EXPECT_EQ(score(s, "ACL"), (Score{2, 0})) << "too many a second says nothing of the login";
  EXPECT_EQ(score(s, "G6").violated, 1U) << "the third is another judge's business";
}

TEST(Logins, an_impostor_that_is_let_in) {
  Logins s;
  s.connect(5000, "sub", "n1", 1, false);
  EXPECT_EQ(score(s, "ACL"), (Score{1, 1}));
  EXPECT_EQ(s.judged("ACL").violations.at(0).client, "sub");
}

TEST(Logins, a_good_login_that_is_refused) {
  Logins s;
  s.refuse(5000, "pub", 1, 0x86);
  EXPECT_EQ(score(s, "ACL"), (Score{1, 1}));
  Logins will;
  will.refuse(5000, "pub", 1, 0x87);
  will.h.events[0].topic = "will/1";
  EXPECT_EQ(score(will, "ACL"), (Score{0, 0})) << "the will may be what is not authorized";
}

TEST(Logins, of_a_client_that_the_scenario_does_not_know) {
  Logins s;
  s.refuse(5000, "probe", 1, 0x87);
  s.connect(6000, "probe", "n1", 2, false);
  EXPECT_EQ(score(s, "ACL"), (Score{0, 0}));
}

TEST(Logins, an_authentication_anew) {
  Logins good;
  good.connect(5000, "pub", "n1", 1, false);
  good.authenticate(6000, false);
  good.on(Event::Kind::reauthenticated, 6010, "pub", "n1", 1);
  EXPECT_EQ(score(good, "ACL"), (Score{1, 0}));
  good.disconnect(6500, "pub", "n1", 1, 0x87);
  EXPECT_EQ(score(good, "ACL"), (Score{2, 1})) << "sent away for nothing";
  Logins wrong;
  wrong.connect(5000, "pub", "n1", 1, false);
  wrong.authenticate(6000, true);
  wrong.disconnect(6010, "pub", "n1", 1, 0x87);
  EXPECT_EQ(score(wrong, "ACL"), (Score{1, 0}));
  Logins taken;
  taken.connect(5000, "pub", "n1", 1, false);
  taken.authenticate(6000, true);
  taken.on(Event::Kind::reauthenticated, 6010, "pub", "n1", 1).flag = true;
  EXPECT_EQ(score(taken, "ACL"), (Score{1, 1}));
}

TEST(Logins, an_authentication_anew_that_nobody_answers) {
  Logins s;
  s.connect(5000, "pub", "n1", 1, false);
  EXPECT_EQ(score(s, "G6"), (Score{1, 0}));
  s.authenticate(12000, false);
  EXPECT_EQ(score(s, "G6"), (Score{2, 1}));
  s.on(Event::Kind::reauthenticated, 12010, "pub", "n1", 1);
  EXPECT_EQ(score(s, "G6"), (Score{2, 0}));
}

TEST(Access, is_no_verdict_without_rules) {
  Story s;
  s.begin();
  EXPECT_EQ(s.judged("ACL").id, "");
}

}  // namespace
}  // namespace hf::sim
