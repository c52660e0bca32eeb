// Gates, claims and catching up between holders of one slot. Messages and disks move when the test says so.
#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <memory>
#include <utility>

#include "broker/replica/slot_replica.hpp"

namespace hf::replica {
namespace {

slot::Stamp claim_at(std::uint64_t time, NodeId node) { return {time, {node, 1}}; }

/// Three holders of slot 7, all of them replicas; two make a write.
class Holders {
 public:
  Holders() {
    for (NodeId id = 1; id <= 3; ++id) {
      holders_[id] = std::make_unique<SlotReplica>(7, Origin{id, 1}, false, Mutant{});
      holders_[id]->set_quorum({{1, 2, 3}, 3, 2});
    }
  }
  SlotReplica& at(NodeId id) { return *holders_.at(id); }

  slot::Dot write(NodeId id, std::uint64_t time) {
    slot::pb::Operation operation;
    operation.mutable_retained()->mutable_message()->set_topic("t" + std::to_string(time));
    operation.mutable_retained()->mutable_message()->set_payload("p");
    slot::Changes changes;
    return at(id).append(std::move(operation), {time, {id, 1}}, changes);
  }
  void follow(NodeId who, NodeId source, bool coordinating) {
    Outbox out;
    at(who).follow(source, coordinating, out);
    post(who, out);
  }
  /// What is on the way from one to another arrives, and what answers it sets out.
  void deliver(NodeId from, NodeId to, std::size_t count = SIZE_MAX) {
    auto& way = ways_[{from, to}];
    for (; count > 0 && !way.empty(); --count) {
      Outbox out;
      const pb::ReplicaMessage message = std::move(way.front());
      way.pop_front();
      EXPECT_FALSE(at(to).receive(from, message, true, 1, out).bad);
      post(to, out);
    }
  }
  /// True: there was more than that.
  bool stream(NodeId id, std::size_t room = SIZE_MAX) {
    Outbox out;
    const bool more = at(id).stream([room](NodeId) { return room; }, out);
    post(id, out);
    return more;
  }
  /// Its disk has all that is there.
  void sync(NodeId id) {
    env::Batch batch;
    Outbox out;
    if (const auto stored = at(id).take_batch(batch)) at(id).durable(*stored, 1, out);
    post(id, out);
  }
  void settle() {
    for (int round = 0; round < 6; ++round)
      for (NodeId id = 1; id <= 3; ++id) {
        sync(id);
        stream(id);
        for (NodeId to = 1; to <= 3; ++to) deliver(id, to);
      }
  }
  /// Node 1 decides, and node 3 has just made a later claim.
  void claimed_by_1_then_3() {
    at(1).claim(claim_at(10, 1));
    for (const NodeId other : {2U, 3U}) {
      follow(other, 1, false);
      follow(1, other, true);
    }
    settle();
    EXPECT_TRUE(at(1).decides());
    at(3).claim(claim_at(30, 3));
  }
  /// How many gates open.
  std::size_t fire(NodeId id) {
    SlotReplica::CopiesOfGates copies{};
    const auto fired = at(id).take_fired(copies);
    for (const auto& then : fired) then();
    return fired.size();
  }

 private:
  void post(NodeId from, Outbox& out) {
    for (auto& [to, message] : out) ways_[{from, to}].push_back(std::move(message));
    out.clear();
  }
  std::map<NodeId, std::unique_ptr<SlotReplica>> holders_;
  std::map<std::pair<NodeId, NodeId>, std::deque<pb::ReplicaMessage>> ways_;
};

TEST(SlotReplica, a_gate_opens_once_as_many_disks_have_it_as_make_a_write) {
  Holders all;
  all.at(1).claim(claim_at(10, 1));
  all.follow(2, 1, false);
  all.settle();
  bool open = false;
  all.at(1).when_stored(all.write(1, 20), false, [&] { open = true; });
  all.sync(1);
  EXPECT_EQ(all.fire(1), 0U) << "one disk";
  all.stream(1);
  all.deliver(1, 2);
  all.deliver(2, 1);
  EXPECT_EQ(all.fire(1), 0U) << "the other has it in memory only";
  all.sync(2);
  all.deliver(2, 1);
  EXPECT_EQ(all.fire(1), 1U);
  EXPECT_TRUE(open);
}

TEST(SlotReplica, who_knows_of_no_other_in_reach_has_its_own_disk_to_wait_for) {
  Holders all;
  all.at(1).set_quorum({{1, 2, 3}, 1, 2});
  all.at(1).claim(claim_at(10, 1));
  all.at(1).when_stored(all.write(1, 20), false, [] {});
  EXPECT_EQ(all.fire(1), 0U);
  all.sync(1);
  EXPECT_EQ(all.fire(1), 1U);
}

TEST(SlotReplica, a_majoritys_gate_waits_for_promises_of_this_claim) {
  Holders all;
  all.at(1).claim(claim_at(10, 1));
  all.follow(2, 1, false);
  all.at(1).when_stored(all.write(1, 20), true, [] {});
  all.settle();
  EXPECT_EQ(all.fire(1), 0U) << "two disks have it, and one has promised";
  all.follow(1, 2, true);
  all.settle();
  EXPECT_EQ(all.fire(1), 1U);
}

/// Node 2 has promised, and has the step on its disk; but what it had stored before that is still on its way here.
TEST(SlotReplica, a_majoritys_gate_waits_for_what_a_majority_had_before_the_claim) {
  Holders all;
  all.write(2, 5);
  all.sync(2);
  all.at(1).claim(claim_at(10, 1));
  all.follow(2, 1, false);
  all.follow(1, 2, true);
  all.deliver(2, 1);
  all.deliver(1, 2);
  all.deliver(2, 1);
  ASSERT_FALSE(all.at(1).synced(2, true));
  all.at(1).when_stored(all.write(1, 20), true, [] {});
  all.sync(1);
  all.stream(1);
  all.deliver(1, 2);
  all.sync(2);
  all.deliver(2, 1);
  EXPECT_FALSE(all.at(1).decides());
  EXPECT_EQ(all.fire(1), 0U);
  all.stream(2);
  all.deliver(2, 1);
  EXPECT_TRUE(all.at(1).decides());
  EXPECT_EQ(all.fire(1), 1U);
}

TEST(SlotReplica, who_is_overtaken_by_a_later_claim_decides_nothing_any_more) {
  Holders all;
  all.claimed_by_1_then_3();
  all.follow(3, 2, true);
  all.follow(2, 3, false);
  for (int i = 0; i < 3; ++i) {
    all.sync(2), all.sync(3);
    all.deliver(3, 2), all.deliver(2, 3);
  }
  EXPECT_TRUE(all.at(3).decides());
  all.at(1).when_stored(all.write(1, 40), true, [] {});
  all.settle();
  EXPECT_TRUE(all.at(1).fenced());
  EXPECT_EQ(all.fire(1), 0U);
}

/// Node 2 has the step on its disk since the claim before, and the promise of this one in memory only.
TEST(SlotReplica, a_promise_counts_once_it_is_on_the_disk) {
  Holders all;
  all.at(1).claim(claim_at(10, 1));
  all.follow(2, 1, false);
  all.follow(1, 2, true);
  all.settle();
  const slot::Dot step = all.write(1, 15);
  all.settle();
  ASSERT_TRUE(all.at(1).decides());
  all.at(1).claim(claim_at(20, 1));
  all.sync(1);
  all.follow(1, 2, true);
  all.deliver(1, 2);
  all.deliver(2, 1);
  ASSERT_TRUE(all.at(1).synced(2, true));
  all.at(1).when_stored(step, true, [] {});
  EXPECT_EQ(all.fire(1), 0U);
  all.settle();
  EXPECT_EQ(all.fire(1), 1U);
}

/// Its own majority may not have heard of the later one yet.
TEST(SlotReplica, who_knows_of_a_later_claim_decides_nothing_any_more) {
  Holders all;
  all.claimed_by_1_then_3();
  all.sync(3);
  all.deliver(3, 1);
  EXPECT_TRUE(all.at(1).fenced());
  EXPECT_FALSE(all.at(1).decides());
}

TEST(SlotReplica, gates_open_in_the_order_in_which_they_were_made) {
  Holders all;
  all.at(1).claim(claim_at(10, 1));
  all.follow(2, 1, false);
  all.settle();
  std::string order;
  all.at(1).when_stored(all.write(1, 20), false, [&] { order += 'a'; });
  all.at(1).when_stored(all.write(1, 21), false, [&] { order += 'b'; });
  all.settle();
  EXPECT_EQ(all.fire(1), 2U);
  EXPECT_EQ(order, "ab");
}

TEST(SlotReplica, a_holder_far_behind_gets_the_state_and_then_the_log) {
  Holders all;
  for (std::uint64_t time = 1; time <= 50; ++time) all.write(1, time);
  all.sync(1);
  slot::Changes changes;
  all.at(1).forget(all.at(1).state().seen, 0, changes);  // the log goes: all have it, it thinks
  ASSERT_EQ(all.at(1).log().size(), 0U);
  all.follow(2, 1, false);
  all.settle();
  all.write(1, 60);
  all.settle();
  EXPECT_EQ(slot::rows(all.at(2).state()), slot::rows(all.at(1).state()));
}

TEST(SlotReplica, a_reader_is_sent_no_more_than_there_is_room_for) {
  Holders holders;
  holders.follow(2, 1, false);
  holders.deliver(2, 1);
  for (std::uint64_t time = 1; time <= 100; ++time) holders.write(1, time);
  EXPECT_TRUE(holders.stream(1, 0));
  EXPECT_TRUE(holders.stream(1, 1));
  holders.deliver(1, 2);
  EXPECT_EQ(holders.at(2).log().size(), 1U);
  EXPECT_TRUE(holders.stream(1, 500));
  holders.deliver(1, 2);
  EXPECT_GT(holders.at(2).log().size(), 5U);
  EXPECT_LT(holders.at(2).log().size(), 30U);
  EXPECT_FALSE(holders.stream(1));
  holders.deliver(1, 2);
  EXPECT_EQ(holders.at(2).log().size(), 100U);
}

TEST(SlotReplica, who_is_sent_something_has_heard_from_its_source) {
  Holders holders;
  holders.write(1, 1);
  holders.follow(2, 1, false);
  EXPECT_FALSE(holders.at(2).heard_from(1));
  holders.deliver(2, 1);
  holders.deliver(1, 2);
  EXPECT_TRUE(holders.at(2).heard_from(1));
  EXPECT_FALSE(holders.at(2).heard_from(1)) << "since then";
  holders.stream(1);
  holders.deliver(1, 2);
  EXPECT_TRUE(holders.at(2).heard_from(1));
  EXPECT_FALSE(holders.at(2).heard_from(3)) << "which it does not follow";
}

TEST(SlotReplica, what_it_stored_it_is_again_after_a_start) {
  Holders all;
  all.at(1).claim(claim_at(10, 1));
  all.write(1, 20);
  env::Batch batch;
  ASSERT_TRUE(all.at(1).take_batch(batch));
  SlotReplica again(7, {1, 2}, false, Mutant{});
  const std::string rows = row_prefix(7), logs = log_prefix(7);
  for (const auto& change : batch.changes) {
    bool good = true;
    if (change.kind != env::Batch::Change::Kind::put) continue;
    if (change.key.starts_with(rows)) good = again.load_row(change.key.substr(rows.size()), change.value);
    if (change.key.starts_with(logs)) good = again.load_log(from_big_endian(change.key.substr(logs.size())), change.value);
    if (change.key == promise_key(7)) good = again.load_promise(change.value);
    EXPECT_TRUE(good) << change.key;
  }
  ASSERT_TRUE(again.finish_loading());
  EXPECT_EQ(slot::rows(again.state()), slot::rows(all.at(1).state()));
  EXPECT_EQ(again.promised(), claim_at(10, 1));
  EXPECT_EQ(again.log().size(), 1U);
}

}  // namespace
}  // namespace hf::replica
