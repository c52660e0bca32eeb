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

TEST(Access, is_no_verdict_without_rules) {
  Story s;
  s.begin();
  EXPECT_EQ(s.judged("ACL").id, "");
}

}  // namespace
}  // namespace hf::sim
