// Wills wait from the Connect that brought them until an operation names it, whatever becomes of their connection.
#include <string>

#include "tests/slot/both_ways.hpp"

namespace hf::slot::test {
namespace {

pb::Operation with_will(pb::Operation operation, const std::string& payload) {
  operation.mutable_connect()->mutable_will()->set_payload(payload);
  operation.mutable_connect()->set_will_delay_s(100);
  return operation;
}

/// Of Connects of this client's that `operation` makes void or fires.
pb::Operation naming(pb::Operation operation, const std::vector<Dot>& dots) {
  for (const Dot& dot : dots) {
    if (operation.has_connect()) to_pb(dot, operation.mutable_connect()->add_wills());
    if (operation.has_disconnect()) to_pb(dot, operation.mutable_disconnect()->add_wills());
    if (operation.has_end()) to_pb(dot, operation.mutable_end()->add_wills());
    if (operation.has_fire()) to_pb(dot, operation.mutable_fire()->add_wills());
  }
  return operation;
}

pb::Operation fire(pb::Operation operation, Stamp connect, const std::string& payload) {
  operation.mutable_fire()->set_client("c");
  to_pb(connect, operation.mutable_fire()->mutable_connect());
  if (!payload.empty()) operation.mutable_fire()->mutable_message()->set_payload(payload);
  return operation;
}

const Dot first_of_1{{1, 1}, 1}, first_of_2{{2, 1}, 1};

TEST(Wills, the_will_of_the_latest_connection_is_its_own) {
  Maker m;
  const State state = both({with_will(m.connect(10, false), "w")}, {}, {});
  ASSERT_NE(session(state).will(), nullptr);
  EXPECT_EQ(session(state).will()->message.payload(), "w");
  EXPECT_EQ(session(state).will()->delay_s, 60U) << "no longer than the session";
  EXPECT_FALSE(session(state).connect->has_will()) << "held once";
}

TEST(Wills, one_waits_though_a_later_connection_knew_nothing_of_its_own) {
  Maker m;
  const State state = both({}, {with_will(m.connect(10, false), "w")}, {m.connect(20, false, 2)});
  EXPECT_EQ(session(state).connect_stamp, stamp(20, 2));
  EXPECT_EQ(session(state).will(), nullptr);
  ASSERT_TRUE(session(state).wills.contains(first_of_1));
  Maker k;
  const State clean = both({}, {with_will(k.connect(10, false), "w")}, {k.connect(20, true, 2)});
  EXPECT_TRUE(session(clean).wills.contains(first_of_1));
  Maker l;
  auto ended = both({}, {with_will(l.connect(10, false), "w")}, {l.end(20, 2)});
  EXPECT_FALSE(session(ended).connect);
  EXPECT_TRUE(session(ended).wills.contains(first_of_1)) << "of no session at all";
  EXPECT_EQ(forget_all(ended), 0U);
  EXPECT_TRUE(session(ended).wills.contains(first_of_1)) << "never forgotten";
}

TEST(Wills, whoever_names_the_operation_that_brought_it_takes_it) {
  for (int kind = 0; kind < 4; ++kind) {
    Maker m;
    const auto connect = with_will(m.connect(10, false), "w");
    const auto last = kind == 0   ? m.connect(20, false, 2)
                      : kind == 1 ? m.disconnect(20, stamp(10), 30, 2)
                      : kind == 2 ? m.end(20, 2)
                                  : fire(m.at(20, 2), stamp(10), "w");
    const State state = both({connect}, {naming(last, {first_of_1})}, {m.connect(30, false, 3)});
    EXPECT_TRUE(session(state).wills.empty()) << kind;
    EXPECT_EQ(state.wills.size(), kind == 3 ? 1U : 0U) << "only a Fire is published";
    Maker k;
    const State unnamed = both({with_will(k.connect(10, false), "w")}, {kind == 3 ? fire(k.at(20, 2), stamp(10), "w") : k.connect(20, false, 2)},
                               {k.connect(30, false, 3)});
    EXPECT_FALSE(session(unnamed).wills.empty()) << kind;
  }
}

TEST(Wills, a_Fire_without_a_message_makes_it_void) {
  Maker m;
  const State state = both({with_will(m.connect(10, false), "w")}, {naming(fire(m.at(20, 2), stamp(10), ""), {first_of_1})}, {});
  EXPECT_TRUE(session(state).wills.empty());
  EXPECT_TRUE(state.wills.empty());
}

TEST(Wills, a_copy_that_came_with_a_reattachment_is_over_with_its_connection) {
  Maker m;
  const auto attached = with_will(m.attach(30, stamp(10), false, 2), "w");
  State state = both({}, {with_will(m.connect(10, false), "w"), naming(fire(m.at(20), stamp(10), "w"), {first_of_1})}, {attached});
  EXPECT_TRUE(session(state).open());
  EXPECT_EQ(session(state).will(), nullptr);
  ASSERT_TRUE(session(state).wills.contains(first_of_2)) << "until somebody names it";
  EXPECT_TRUE(session(state).wills.at(first_of_2).copy);
  Changes changes;
  apply(state, naming(fire(m.at(40, 3), stamp(10), ""), {first_of_2}), changes);
  EXPECT_TRUE(session(state).wills.empty());
  EXPECT_TRUE(changes.sessions.contains("c"));
}

TEST(Wills, a_session_that_is_forgotten_leaves_none) {
  Maker m;
  State state = both({with_will(m.connect(10, false), "w"), m.disconnect(20, stamp(10), 0)}, {}, {});
  Changes changes;
  forget_session(state, "c", changes);
  EXPECT_TRUE(state.sessions.empty());
}

}  // namespace
}  // namespace hf::slot::test
