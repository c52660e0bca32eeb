// The rules one by one. Node 1 writes unless said; where two nodes write, both orders must agree.
#include "broker/slot/log.hpp"
#include "tests/slot/both_ways.hpp"

namespace hf::slot::test {
namespace {

TEST(Rules, clean_connect_drops_what_was_and_starts_anew) {
  Maker m;
  const State state = apply_all(
      {m.connect(10, false), m.subscribe(11, "a", 1), m.enqueue(12, 0), m.connect(20, true)});
  EXPECT_TRUE(session(state).exists());
  EXPECT_TRUE(session(state).open());
  EXPECT_EQ(session(state).connect_stamp, stamp(20));
  EXPECT_TRUE(session(state).subscriptions.empty());
  EXPECT_TRUE(session(state).entries.empty());
  EXPECT_TRUE(state.messages.empty());
  EXPECT_TRUE(state.index.empty());
}

TEST(Rules, items_stamped_before_a_concurrent_end_are_ignored_when_they_arrive) {
  Maker m;
  const auto base = m.connect(10, false);
  const State state =
      both({base},
           {m.end(20, 1)},
           {m.subscribe(15, "a", 1, 2), m.enqueue(16, 0, 2), m.inbound(17, 5, stamp(10), 2)});
  EXPECT_FALSE(session(state).exists());
  EXPECT_TRUE(session(state).subscriptions.empty());
  EXPECT_TRUE(session(state).entries.empty());
  EXPECT_TRUE(session(state).inbound.empty());
  EXPECT_EQ(state.seen.seen({2, 1}), 3U);
}

TEST(Rules,
     items_stamped_after_a_concurrent_end_stay_without_a_session_and_the_next_end_takes_them) {
  Maker m;
  const State state = both(
      {m.connect(10, false)}, {m.end(20, 1)}, {m.subscribe(25, "a", 1, 2), m.enqueue(26, 0, 2)});
  EXPECT_FALSE(session(state).exists());
  EXPECT_EQ(session(state).subscriptions.size(), 1U);
  EXPECT_TRUE(state.index.empty());
  EXPECT_TRUE(state.filters.empty());
  EXPECT_EQ(session(state).queue.size(), 1U);
}

TEST(Rules, the_latest_connect_wins_and_its_attachments_count_for_it_only) {
  Maker m;
  const State state = both(
      {m.connect(10, false, 1)}, {m.connect(20, false, 1)}, {m.attach(30, stamp(10), false, 2)});
  EXPECT_EQ(session(state).connect_stamp, stamp(20));
  EXPECT_EQ(session(state).attach_stamp, stamp(20));
  const State attached =
      both({m.connect(40, false, 3)}, {m.attach(50, stamp(40, 3), false, 4)}, {});
  EXPECT_EQ(session(attached).connect_stamp, stamp(40, 3));
  EXPECT_EQ(session(attached).attach_stamp, stamp(50, 4));
}

TEST(Rules, an_attachment_of_an_ended_connection_is_ignored) {
  Maker m;
  EXPECT_FALSE(
      session(both({m.connect(10, false)}, {m.end(20)}, {m.attach(30, stamp(10), false, 2)}))
          .exists());
}

TEST(Rules, a_clean_attachment_cleans_as_of_its_connect) {
  Maker m;
  const State state = both({m.connect(10, false), m.subscribe(11, "old", 1)},
                           {m.connect(20, true), m.subscribe(21, "new", 1)},
                           {m.attach(30, stamp(20), true, 2)});
  ASSERT_EQ(session(state).subscriptions.size(), 1U);
  EXPECT_TRUE(session(state).subscriptions.contains("new"));
  EXPECT_EQ(session(state).attach_stamp, stamp(30, 2));
}

TEST(Rules, a_disconnect_closes_its_own_connection_and_may_change_the_expiry) {
  Maker m;
  const State closed = apply_all({m.connect(10, false), m.disconnect(11, stamp(10), 5)});
  EXPECT_TRUE(session(closed).exists());
  EXPECT_FALSE(session(closed).open());
  EXPECT_EQ(session(closed).expiry_s, 5U);
  Maker n;
  const State taken = both(
      {n.connect(10, false)}, {n.connect(20, false, 1, 77)}, {n.disconnect(25, stamp(10), 5, 2)});
  EXPECT_TRUE(session(taken).open());
  EXPECT_EQ(session(taken).expiry_s, 77U);
  EXPECT_EQ(session(taken).closed, Stamp{});
}

TEST(Rules, subscriptions_are_registers_by_stamp) {
  Maker m;
  const auto base = m.connect(10, false);
  const State gone = both({base}, {m.unsubscribe(21, "a", 1)}, {m.subscribe(20, "a", 1, 2)});
  EXPECT_FALSE(session(gone).subscriptions.at("a").present);
  EXPECT_EQ(tombstones(gone), 1U);
  EXPECT_TRUE(gone.filters.empty());
  const State there =
      both({m.connect(30, false, 3)}, {m.unsubscribe(40, "a", 3)}, {m.subscribe(41, "a", 2, 4)});
  EXPECT_EQ(session(there).subscriptions.at("a").options.qos(), 2U);
  EXPECT_EQ(there.filters.at("a"), 1U);
}

TEST(Rules, the_index_holds_what_is_not_shared) {
  Maker m;
  State state =
      apply_all({m.connect(10, false), m.subscribe(11, "$share/g/a", 1), m.subscribe(12, "a", 1)});
  EXPECT_EQ(state.index.size(), 1U);
  Changes changes;
  apply(state, m.unsubscribe(13, "a"), changes);
  EXPECT_TRUE(state.index.empty());
  EXPECT_EQ(changes.filters_removed, std::vector<std::string>{"a"});
  EXPECT_TRUE(state.filters.contains("$share/g/a"));
  apply(state, m.end(14), changes);
  EXPECT_TRUE(state.filters.empty());
}

TEST(Rules, one_payload_for_all_targets_goes_with_the_last) {
  Changes changes;
  State fresh(7);
  Maker n;
  auto op = n.enqueue(11, 0);
  op.mutable_enqueue()->add_targets()->set_client("d");
  apply(fresh, op, changes);
  ASSERT_EQ(fresh.messages.size(), 1U);
  EXPECT_EQ(fresh.messages.begin()->second.references, 2U);
  apply(fresh, n.done(12, Maker::name(op)), changes);
  EXPECT_EQ(fresh.messages.begin()->second.references, 1U);
  auto done = n.done(13, Maker::name(op));
  done.mutable_done()->set_client("d");
  apply(fresh, done, changes);
  EXPECT_TRUE(fresh.messages.empty());
  EXPECT_TRUE(fresh.sessions.empty()) << "a session with nothing in it has no record";
}

TEST(Rules, a_stale_copy_does_not_bring_a_delivered_entry_back) {
  Maker m;
  const auto connect = m.connect(10, false);
  const auto enqueue = m.enqueue(11, 0);
  const auto stale_send = m.send(12, Maker::name(enqueue), 9, stamp(10), 2);
  const State state = both({connect, enqueue}, {m.done(13, Maker::name(enqueue))}, {stale_send});
  EXPECT_TRUE(session(state).entries.empty());
}

TEST(Rules, an_identity_is_queued_once_at_its_earliest_place) {
  Maker m;
  const State state = both({m.connect(10, false)}, {m.enqueue(30, 1, 1)}, {m.enqueue(20, 1, 2)});
  ASSERT_EQ(session(state).queue.size(), 1U);
  EXPECT_EQ(session(state).queue.begin()->second->first, stamp(20, 2));
  ASSERT_EQ(state.messages.size(), 1U);
  EXPECT_EQ(state.messages.begin()->second.message.payload(), "at 20");
}

TEST(Rules, a_delivered_identity_is_remembered) {
  Maker m;
  const auto connect = m.connect(10, false);
  const auto first = m.enqueue(11, 1, 1);
  const State state =
      both({connect, first}, {m.done(12, Maker::name(1), 1)}, {m.enqueue(20, 1, 2)});
  EXPECT_TRUE(session(state).queue.empty());
  EXPECT_TRUE(state.messages.empty());
  EXPECT_TRUE(session(state).entries.at(Maker::name(1)).done);
}

TEST(Rules, an_identity_that_an_end_took_does_not_come_back_under_a_second_enqueue) {
  Maker m;
  const State state = both(
      {m.connect(10, false)}, {m.enqueue(11, 1, 1), m.connect(20, true, 1)}, {m.enqueue(30, 1, 2)});
  EXPECT_TRUE(session(state).queue.empty());
  EXPECT_TRUE(session(state).entries.at(Maker::name(1)).done);
}

TEST(Rules, the_latest_attachment_binds_the_packet_id_and_pubrec_stays) {
  Maker m;
  const auto connect = m.connect(10, false);
  const auto enqueue = m.enqueue(11, 1);
  const auto attach = m.attach(15, stamp(10), false, 1);
  const State state =
      both({connect, enqueue},
           {attach, m.send(16, Maker::name(1), 7, stamp(15)), m.recd(17, Maker::name(1))},
           {m.send(30, Maker::name(1), 8, stamp(10), 2)});
  const Entry& entry = session(state).entries.at(Maker::name(1));
  EXPECT_EQ(entry.packet_id, 7U);
  EXPECT_EQ(entry.recd, 1U);
  EXPECT_EQ(entry.last_stamp, stamp(30, 2));
}

TEST(Rules, the_latest_epoch_binds_the_packet_id_whatever_the_attachment) {
  Maker m;
  const State state = both({m.connect(10, false), m.enqueue(11, 1)},
                           {m.send(16, Maker::name(1), 7, stamp(10), 1, stamp(9, 1))},
                           {m.send(30, Maker::name(1), 8, stamp(29), 2, stamp(8, 2))});
  EXPECT_EQ(session(state).entries.at(Maker::name(1)).packet_id, 7U);
}

TEST(Rules, a_release_of_a_later_epoch_beats_the_inbound_it_follows) {
  Maker m;
  const auto connect = m.connect(10, false);
  const auto attach = m.attach(20, stamp(10), false, 2);
  const State state = both({connect}, {m.inbound(25, 4, stamp(10), 1, stamp(9))},
                           {attach, m.release(21, 4, stamp(20, 2), 2, stamp(19, 2))});
  EXPECT_TRUE(session(state).inbound_of(4)->released());
  EXPECT_EQ(session(state).inbound.size(), 1U);
}

TEST(Rules, a_client_that_has_read_that_there_is_no_session_has_no_packet_ids_of_before) {
  Maker m;
  const auto old = m.connect(10, false), held = m.inbound(25, 4, stamp(10), 1), anew = m.connect(20, false, 2);
  State state = both({}, {old, held}, {anew});
  EXPECT_NE(session(state).inbound_of(4), nullptr) << "it may not have read the CONNACK";
  state = both({}, {old, held}, {anew, m.began(21, stamp(20, 2), 2)});
  EXPECT_EQ(session(state).began, stamp(20, 2));
  EXPECT_EQ(session(state).inbound_of(4), nullptr);
  // The next CONNECT hands it on: a holder that lacks the Began has it from there.
  auto later = m.connect(30, false, 2);
  to_pb(stamp(20, 2), later.mutable_connect()->mutable_began());
  state = both({}, {old, held}, {later});
  EXPECT_EQ(session(state).inbound_of(4), nullptr);
}

TEST(Rules, one_packet_taken_on_both_sides_of_a_cut_is_named_by_the_later_epoch) {
  Maker m;
  const auto connect = m.connect(10, false);
  const auto first = m.inbound(15, 4, stamp(10), 1, stamp(9, 1));
  const auto attach = m.attach(20, stamp(10), false, 2);
  const auto second = m.inbound(25, 4, stamp(20, 2), 2, stamp(8, 2));
  const State state = both({connect}, {first}, {attach, second});
  EXPECT_EQ(session(state).inbound_of(4)->name, from_pb(first.dot()));
  // The other is of a later attachment: it would count once an end took the first.
  EXPECT_EQ(session(state).inbound.size(), 2U);
  const State ended = both({connect}, {first, m.connect(17, true)}, {attach, second});
  EXPECT_EQ(ended.sessions.at("c").inbound_of(4)->name, from_pb(second.dot()));
}

TEST(Rules, an_inbound_under_an_attachment_from_before_the_end_counts_for_nothing) {
  Maker m;
  const State state =
      both({m.connect(10, false)}, {m.connect(20, true)}, {m.inbound(25, 4, stamp(10), 2)});
  EXPECT_TRUE(session(state).inbound.empty());
}

TEST(Rules, retained_is_a_register_and_deleting_is_a_write) {
  Maker m;
  State state = both({}, {m.retained(10, "x", 1)}, {m.retained(11, "", 2)});
  EXPECT_TRUE(state.retained.at("t").message.payload().empty());
  EXPECT_EQ(tombstones(state), 1U);
  EXPECT_EQ(forget_all(state), 0U);
  EXPECT_TRUE(state.retained.empty());
}

TEST(Rules, retained_counts_what_is_held) {
  Maker m;
  State state = apply_all({m.retained(10, "four")});
  EXPECT_EQ(state.retained.messages(), 1U);
  EXPECT_EQ(state.retained.bytes(), 5U);  // "t" and "four"
  Changes changes;
  apply(state, m.retained(11, ""), changes);
  EXPECT_EQ(state.retained.messages(), 0U);
  EXPECT_EQ(state.retained.bytes(), 1U);
  apply(state, m.retained(12, "six666"), changes);
  EXPECT_EQ(state.retained.messages(), 1U);
  EXPECT_TRUE(state.retained.deleted().empty());
}

TEST(Rules, retained_goes_when_it_has_expired_by_the_horizon) {
  Maker m;
  pb::Operation op = m.retained(10, "x");
  op.mutable_retained()->mutable_message()->set_expires_ms(5000);
  State state = apply_all({op});
  Changes changes;
  forget(state, state.seen, 4999ULL << 16U, changes);
  EXPECT_FALSE(state.retained.empty());
  forget(state, state.seen, 5000ULL << 16U, changes);
  EXPECT_TRUE(state.retained.empty());
  EXPECT_TRUE(state.retained.expiring().empty());
}

TEST(Rules, retained_with_an_identity_is_remembered_until_retired) {
  Maker m;
  pb::Operation op = m.retained(10, "x");
  to_pb(Maker::name(4), op.mutable_retained()->mutable_message()->mutable_identity());
  State state = both({}, {op}, {m.retained(11, "y", 2)});
  const Session& memory = state.sessions.at(retained_writer);
  Name written = Maker::name(4);
  written.written = true;
  ASSERT_TRUE(memory.entries.contains(written));
  EXPECT_TRUE(memory.entries.at(written).done);
  EXPECT_FALSE(state.retained.at("t").message.has_identity());
  EXPECT_EQ(tombstones(state), 1U);
  Changes changes;
  pb::Operation retire = m.at(12);
  to_pb(written, retire.mutable_retire()->add_names());
  apply(state, retire, changes);
  EXPECT_FALSE(state.retired.contains(Maker::name(4))) << "its deliveries are not: hints of them may still lie somewhere";
  EXPECT_EQ(forget_all(state), 0U);
  EXPECT_TRUE(state.sessions.empty());
}

TEST(Rules, retained_messages_are_owed_until_answered) {
  Maker m;
  pb::Operation subscribe = m.subscribe(11, "t", 1);
  subscribe.mutable_subscribe()->mutable_filters(0)->set_owed(true);
  pb::Operation answered = m.at(12);
  answered.mutable_answered()->set_client("c");
  answered.mutable_answered()->set_filter("t");
  to_pb(stamp(11), answered.mutable_answered()->mutable_subscribed());
  const pb::Operation connect = m.connect(10, false);
  EXPECT_TRUE(session(apply_all({m.connect(10, false, 3), subscribe})).subscriptions.at("t").owed());
  const State state = both({connect, subscribe}, {}, {});
  EXPECT_TRUE(session(state).subscriptions.at("t").owed());
  EXPECT_FALSE(session(both({connect, subscribe}, {answered}, {})).subscriptions.at("t").owed());
  // The same filter again, later: owed again, whatever was answered before.
  pb::Operation again = m.subscribe(20, "t", 1, 2);
  again.mutable_subscribe()->mutable_filters(0)->set_owed(true);
  EXPECT_TRUE(session(both({connect, subscribe}, {answered}, {again})).subscriptions.at("t").owed());
}

/// A retained message that was read in slot 7 of topics for what was subscribed at 11.
pb::Operation reading(Maker& m, std::uint64_t time, const std::string& topic, NodeId node = 1) {
  pb::Operation operation = m.enqueue(time, 1, node);
  operation.mutable_enqueue()->mutable_message()->set_topic(topic);
  to_pb(reading_name(stamp(11), "#", topic), operation.mutable_enqueue()->mutable_message()->mutable_identity());
  auto& reading = *operation.mutable_enqueue()->mutable_reading();
  reading.set_filter("#");
  to_pb(stamp(11), reading.mutable_subscribed());
  reading.set_slot(7);
  return operation;
}

TEST(Rules, how_far_retained_messages_were_read_is_the_furthest_of_both_sides) {
  Maker m;
  pb::Operation subscribe = m.subscribe(11, "#", 2);
  subscribe.mutable_subscribe()->mutable_filters(0)->set_owed(true);
  const pb::Operation connect = m.connect(10, false);
  const pb::Operation a = reading(m, 12, "a"), b = reading(m, 12, "b", 2);
  const auto read = [](const State& state) { return session(state).subscriptions.at("#").owing->read; };
  const std::map<SlotId, std::string> furthest{{7, "b"}};
  EXPECT_EQ(read(both({connect, subscribe}, {a}, {b})), furthest);
  EXPECT_EQ(session(both({connect, subscribe}, {a}, {b})).queue.size(), 2U);
  EXPECT_EQ(session(both({connect, subscribe}, {a}, {reading(m, 13, "a", 2)})).queue.size(), 1U) << "read on both sides";
  pb::Operation answered = m.at(14);
  answered.mutable_answered()->set_client("c");
  answered.mutable_answered()->set_filter("#");
  to_pb(stamp(11), answered.mutable_answered()->mutable_subscribed());
  EXPECT_TRUE(read(both({connect, subscribe}, {a, answered}, {b})).empty());
}

TEST(Rules, that_a_retained_message_was_read_is_remembered_while_any_is_owed) {
  Maker m;
  pb::Operation subscribe = m.subscribe(11, "#", 2);
  subscribe.mutable_subscribe()->mutable_filters(0)->set_owed(true);
  State state = apply_all({m.connect(10, false, 3), subscribe, reading(m, 12, "a")});
  Changes changes;
  apply(state, m.done(13, reading_name(stamp(11), "#", "a")), changes);
  EXPECT_EQ(tombstones(state), 1U);
  apply(state, reading(m, 12, "a", 2), changes);
  EXPECT_TRUE(session(state).queue.empty()) << "it was delivered";
  EXPECT_EQ(forget_all(state), 1U) << "and may be read again";
  pb::Operation answered = m.at(14);
  answered.mutable_answered()->set_client("c");
  answered.mutable_answered()->set_filter("#");
  to_pb(stamp(11), answered.mutable_answered()->mutable_subscribed());
  apply(state, answered, changes);
  EXPECT_EQ(forget_all(state), 0U);
  EXPECT_TRUE(session(state).entries.empty()) << "nobody has to say that it is over";
}

TEST(Rules, unknown_kinds_are_seen_and_change_nothing) {
  Maker m;
  State state = apply_all({m.at(10)});
  EXPECT_EQ(state.seen.seen({1, 1}), 1U);
  EXPECT_EQ(rows(state).size(), 1U);
  EXPECT_EQ(state.dirty, std::set<std::string>{"v"});
}

TEST(Forgetting, waits_for_stable_and_for_the_horizon) {
  Maker m;
  State state = apply_all({m.connect(10, false), m.subscribe(11, "a", 1), m.unsubscribe(12, "a")});
  Changes changes;
  VersionVector stable;
  stable.raise({{1, 1}, 2});
  forget(state, stable, 100, changes);
  EXPECT_EQ(tombstones(state), 1U);
  stable.raise({{1, 1}, 3});
  forget(state, stable, 11, changes);
  EXPECT_EQ(tombstones(state), 1U);
  EXPECT_TRUE(changes.sessions.empty());
  forget(state, stable, 12, changes);
  EXPECT_EQ(tombstones(state), 0U);
}

TEST(Forgetting, an_identity_goes_once_delivered_and_retired_in_either_order) {
  for (const bool retired_first : {false, true}) {
    Maker m;
    State state = apply_all({m.connect(10, false), m.enqueue(11, 1)});
    Changes changes;
    apply(state, retired_first ? m.retire(12, 1) : m.done(12, Maker::name(1)), changes);
    EXPECT_EQ(forget_all(state), 1U);
    apply(state, retired_first ? m.done(13, Maker::name(1)) : m.retire(13, 1), changes);
    EXPECT_EQ(forget_all(state), 0U);
    EXPECT_TRUE(session(state).entries.empty());
    EXPECT_TRUE(state.retired.empty());
  }
}

TEST(Forgetting, an_ended_session_leaves_nothing_and_a_copy_with_it_does_not_bring_it_back) {
  Maker m;
  const std::vector<pb::Operation> all{m.connect(10, false), m.subscribe(11, "a", 1), m.end(12)};
  State state = apply_all(all);
  EXPECT_EQ(forget_all(state), 0U);
  EXPECT_EQ(rows(state).size(), 1U);
  Changes changes;
  merge(state, apply_all(all), changes);
  EXPECT_EQ(rows(state).size(), 1U);
  State remembering = apply_all(all);
  merge(remembering, state, changes);
  EXPECT_EQ(rows(remembering).size(), 1U);
}

TEST(Forgetting, what_a_later_epoch_overrode_goes_first_and_its_release_with_it) {
  Maker m;
  const auto connect = m.connect(10, false, 1);
  const auto attach = m.attach(30, stamp(10), false, 2);
  const auto stale = m.inbound(31, 4, stamp(30, 2), 2, stamp(8, 2));
  const auto release = m.release(21, 4, stamp(10), 1, stamp(9, 1));
  State state = apply_all({connect, attach, release, stale});
  EXPECT_EQ(tombstones(state), 2U);
  EXPECT_TRUE(session(state).inbound_of(4)->released());
  EXPECT_EQ(forget_all(state), 0U);
}

// What the second duty of forget's caller is for (README.md). `late` saw the Retire only after it
// had issued its Enqueue; the Retire is stable, all stamps up to the horizon are, and yet `early`
// forgets too soon.
TEST(Forgetting, too_soon_a_publish_comes_back_the_second_duty_prevents_it) {
  Maker m;
  const auto connect = m.connect(10, false, 1);
  const auto first = m.enqueue(11, 1, 1);
  const auto done = m.done(12, Maker::name(1), 1);
  const auto retire = m.retire(13, 1, 1);
  const auto second = m.enqueue(20, 1, 2);
  const State late = apply_all({connect, second, first, done, retire});
  State early = apply_all({connect, first, done, retire});
  Changes changes;
  forget(early, VersionVector::meet(early.seen, late.seen), 19, changes);
  apply(early, second, changes);
  EXPECT_TRUE(session(late).queue.empty());
  EXPECT_EQ(session(early).queue.size(), 1U);
}

TEST(Forgetting, the_end_before_a_live_session_goes_too) {
  Maker m;
  State state = apply_all({m.connect(10, true)});
  EXPECT_EQ(forget_all(state), 0U);
  EXPECT_EQ(session(state).end, Stamp{});
  EXPECT_TRUE(session(state).exists());
}

TEST(Log, a_reader_at_the_end_of_a_log_that_restarts_finds_itself_before_it) {
  OperationLog log;
  log.append({{1, 1}, 1}, "x");
  const std::uint64_t cursor = log.end();
  VersionVector seen;
  seen.raise({{2, 1}, 9});
  log.restart(seen);
  EXPECT_LT(cursor, log.begin());
  EXPECT_EQ(log.size(), 0U);
}

}  // namespace
}  // namespace hf::slot::test
