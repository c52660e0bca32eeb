// How sessions end: with the connection that is known, and with no other.
#include "tests/slot/both_ways.hpp"

namespace hf::slot::test {
namespace {

TEST(Ending, a_session_whose_connection_closed_without_expiry_is_over) {
  Maker m;
  State state = apply_all(
      {m.connect(10, false), m.subscribe(11, "a", 1), m.enqueue(12, 0), m.disconnect(13, stamp(10), 0)});
  EXPECT_FALSE(session(state).exists());
  EXPECT_FALSE(session(state).open());
  EXPECT_TRUE(state.index.empty());
  EXPECT_TRUE(state.filters.empty());
  EXPECT_EQ(state.totals.sessions, 0U);
  EXPECT_EQ(tombstones(state), 1U);
  EXPECT_TRUE(has_memory(session(state)));
  Changes changes;
  auto end = m.end(20);
  to_pb(Stamp{15, {}}, end.mutable_end()->mutable_before());
  apply(state, end, changes);
  forget(state, state.seen, 30, changes);
  EXPECT_TRUE(state.sessions.empty());
  EXPECT_TRUE(state.messages.empty());
  EXPECT_EQ(state.totals.queued, 0U);
}

TEST(Ending, a_session_that_is_over_on_one_side_goes_on_where_its_client_connected_meanwhile) {
  Maker m;
  const State state = both({m.connect(10, false), m.subscribe(11, "a", 1)}, {m.disconnect(40, stamp(10), 0)},
                           {m.connect(20, false, 2), m.subscribe(21, "b", 1, 2), m.enqueue(22, 0, 2)});
  EXPECT_TRUE(session(state).open());
  EXPECT_EQ(session(state).connect_stamp, stamp(20, 2));
  EXPECT_TRUE(state.filters.contains("a"));
  EXPECT_TRUE(state.filters.contains("b"));
  EXPECT_EQ(session(state).queue.size(), 1U);
}

/// As at a stand-in that knows nothing of it; the End is its coordinator's.
TEST(Ending, a_session_that_began_where_nobody_knew_of_one_that_had_ended_is_told_apart_from_it) {
  Maker m;
  auto told_none = m.connect(40, false, 2), told_present = m.connect(40, false, 3);
  told_present.mutable_connect()->set_session_present(true);
  const auto first = m.connect(10, false), old = m.subscribe(11, "a", 1), disconnected = m.disconnect(20, stamp(10), 0);
  const State none = both({first, old}, {disconnected}, {told_none, m.subscribe(41, "b", 1, 2)});
  EXPECT_TRUE(session(none).follows_ended());
  EXPECT_EQ(session(none).ended, stamp(20));
  Maker k;
  const State present = both({k.connect(10, false), k.subscribe(11, "a", 1)}, {k.disconnect(20, stamp(10), 0)}, {told_present});
  EXPECT_FALSE(session(present).follows_ended());
  Maker n;
  const State before = both({n.connect(10, false), n.subscribe(11, "a", 1)}, {n.disconnect(20, stamp(10), 0)}, {n.connect(15, false, 2)});
  EXPECT_FALSE(session(before).follows_ended()) << "it was made before the other's end was known to anybody";
  Maker l;
  const State parted = both({l.connect(10, false), l.subscribe(11, "a", 1)},
                           {l.disconnect(20, stamp(10), 0)}, {l.connect(40, false, 2), l.subscribe(41, "b", 1, 2)});
  Changes changes;
  State after(7);
  merge(after, parted, changes);
  auto last = l.end(50);
  to_pb(stamp(20), last.mutable_end()->mutable_before());
  apply(after, last, changes);
  EXPECT_TRUE(session(after).open());
  EXPECT_FALSE(after.filters.contains("a"));
  EXPECT_TRUE(after.filters.contains("b"));
  EXPECT_EQ(session(after).ended, Stamp{});
}

TEST(Ending, an_expiry_of_nothing_stands_against_a_later_disconnect_of_the_same_connection) {
  Maker m;
  const State state = both({m.connect(10, false)}, {m.disconnect(20, stamp(10), 0)}, {m.disconnect(30, stamp(10), 3600, 2)});
  EXPECT_FALSE(session(state).exists());
}

TEST(Ending, when_a_session_ended_is_forgotten_unless_another_is_to_be_told_apart_from_it) {
  Maker m;
  std::vector<pb::Operation> operations{m.connect(10, false), m.disconnect(20, stamp(10), 0), m.connect(40, false)};
  operations.back().mutable_connect()->set_session_present(true);
  State state = apply_all(operations);
  Changes changes;
  forget(state, state.seen, 60, changes);
  EXPECT_EQ(session(state).ended, Stamp{});
  EXPECT_EQ(tombstones(state), 0U);
  Maker n;
  State other = apply_all({n.connect(50, false), n.disconnect(60, stamp(50), 0), n.connect(70, false)});
  forget(other, other.seen, 90, changes);
  EXPECT_EQ(session(other).ended, stamp(60));
}

TEST(Ending, what_is_left_of_a_session_that_is_over_is_forgotten_where_nobody_else_knows_it) {
  Maker m;
  State state = apply_all(
      {m.connect(10, false), m.subscribe(11, "a", 1), m.enqueue(12, 0), m.disconnect(13, stamp(10), 0)});
  Changes changes;
  forget_session(state, "c", changes);
  EXPECT_TRUE(state.sessions.empty());
  EXPECT_TRUE(state.messages.empty());
}

/// As written before a row said when its session ended.
TEST(Ending, a_row_of_a_session_that_is_over_needs_not_say_so_twice) {
  Maker m;
  const State state = apply_all({m.connect(10, false), m.disconnect(20, stamp(10), 0)});
  State read(7);
  for (const auto& [key, value] : rows(state)) {
    pb::SessionRow row;
    std::string old = value;
    if (key[0] == 's' && row.ParseFromString(value)) {
      row.clear_ended();
      row.clear_ended_dot();
      old = row.SerializeAsString();
    }
    ASSERT_TRUE(decode_row(read, key, old));
  }
  ASSERT_TRUE(finish_decoding(read));
  EXPECT_EQ(describe(read), describe(state));
}

}  // namespace
}  // namespace hf::slot::test
