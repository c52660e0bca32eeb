// What groups ask of slots: registers that are no filter, deals as steps of an epoch, ends in the past.
#include <gtest/gtest.h>

#include "broker/slot/apply.hpp"
#include "broker/slot/rows.hpp"
#include "tests/slot/make.hpp"

namespace hf::slot::test {
namespace {

State with(const std::vector<pb::Operation>& operations) {
  State state(7);
  Changes changes;
  for (const auto& operation : operations) apply(state, operation, changes);
  return state;
}

pb::Operation settle(pb::Operation operation, const Name& name, Outcome outcome, const Stamp& epoch) {
  auto& op = *operation.mutable_settle();
  to_pb(name, op.add_names());
  op.set_outcome(static_cast<std::uint32_t>(outcome));
  to_pb(epoch, op.mutable_epoch());
  return operation;
}

const Name deal{.identity = true, .front = false, .slot = 3, .dot = {{9, 1}, 5}};

TEST(Groups, a_register_that_is_no_filter_is_not_indexed) {
  Maker m;
  const State state = with({m.connect(10, false), m.subscribe(11, "#/member", 1), m.subscribe(12, "a/+", 1)});
  EXPECT_TRUE(state.sessions.at("c").subscriptions.at("#/member").present);
  EXPECT_EQ(state.filters.size(), 1U);
  int matched = 0;
  state.index.match("a/b", [&](const Indexed&) { ++matched; });
  EXPECT_EQ(matched, 1);
}

TEST(Groups, an_end_may_lie_in_the_past) {
  Maker m;
  const auto opened = m.connect(10, false), subscribed = m.subscribe(11, "a", 1);
  pb::Operation end = m.end(30);
  to_pb(Stamp{20, {}}, end.mutable_end()->mutable_before());
  const State over = with({opened, subscribed, end});
  EXPECT_FALSE(over.sessions.at("c").exists());
  EXPECT_TRUE(over.sessions.at("c").subscriptions.empty());
  Maker n;
  const auto first = n.connect(10, false), begun = n.connect(25, false), joined = n.subscribe(26, "a", 1);
  pb::Operation late = n.end(30);
  to_pb(Stamp{20, {}}, late.mutable_end()->mutable_before());
  const State anew = with({first, begun, joined, late});
  EXPECT_TRUE(anew.sessions.at("c").exists()) << "who joined after that moment stays";
  EXPECT_TRUE(anew.sessions.at("c").subscriptions.at("a").present);
}

TEST(Groups, the_word_of_the_latest_epoch_counts_in_any_order) {
  Maker one, two;
  const auto early = settle(one.at(50, 1), deal, Outcome::revoked, Stamp{10, {1, 1}});
  const auto later = settle(two.at(40, 2), deal, Outcome::delivered, Stamp{20, {2, 1}});
  const State here = with({early, later}), there = with({later, early});
  EXPECT_EQ(here.settled.at(deal).outcome, Outcome::delivered) << "though it was said earlier";
  EXPECT_EQ(rows(here), rows(there));
  State merged = with({early});
  Changes changes;
  merge(merged, with({later}), changes);
  EXPECT_EQ(rows(merged), rows(here));
}

TEST(Groups, how_a_deal_ended_is_forgotten_with_its_name) {
  Maker m;
  State state = with({settle(m.at(10), deal, Outcome::delivered, Stamp{5, {1, 1}})});
  Changes changes;
  forget(state, state.seen, 100, changes);
  EXPECT_TRUE(state.settled.contains(deal)) << "somebody may still ask";
  pb::Operation retire = m.at(20);
  to_pb(deal, retire.mutable_retire()->add_names());
  apply(state, retire, changes);
  forget(state, state.seen, 100, changes);
  forget(state, state.seen, 100, changes);
  EXPECT_EQ(tombstones(state), 0U);
}

}  // namespace
}  // namespace hf::slot::test
