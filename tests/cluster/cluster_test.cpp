// The cluster in a toy network: channels under kills, cuts and restarts; refusals; hostile bytes.
#include "broker/cluster/cluster.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "broker/cluster/frame.hpp"
#include "broker/cluster/frame.pb.h"
#include "tests/cluster/toy_net.hpp"

namespace hf::cluster {
namespace {

void expect_no_faults(const ToyNet& net) {
  for (const auto& fault : net.faults) ADD_FAILURE() << fault;
}

TEST(Cluster, everyone_is_up_within_half_a_second) {
  ToyNet net(7);
  net.run(500ms);
  EXPECT_TRUE(net.all_up());
  EXPECT_TRUE(net.nodes[1].cluster->direct(7));
  EXPECT_EQ(net.nodes[3].cluster->boot_of(5), 1U);
  expect_no_faults(net);
}

TEST(Cluster, one_member_alone_is_quiet) {
  ToyNet net(1);
  EXPECT_EQ(net.nodes[1].cluster->deadline(), std::nullopt);
  EXPECT_EQ(net.nodes[1].cluster->view(), std::vector<NodeId>{1});
}

TEST(Cluster, a_turns_messages_share_one_frame) {
  ToyNet net(2);
  net.run(1s);
  const auto before = net.sends;
  net.send_many(1, 2, 1000, 10);
  EXPECT_EQ(net.sends, before + 1);
  net.run(100ms);
  EXPECT_EQ(net.delivered, 1000U);
  EXPECT_EQ(net.nodes[1].cluster->outbox_bytes(2), 0U);
  EXPECT_LE(net.sends, before + 4);
  expect_no_faults(net);
}

TEST(Cluster, idle_costs_heartbeats_only) {
  ToyNet net(2);
  net.run(2s);
  const auto sends = net.sends;
  const auto bytes = net.bytes_moved;
  net.run(10s);
  EXPECT_LE(net.sends - sends, 2 * 51U);
  EXPECT_LE(net.bytes_moved - bytes, 2 * 51U * 20);
}

TEST(Cluster, a_killed_stream_is_invisible) {
  ToyNet net(2);
  net.run(1s);
  for (int i = 0; i < 20; ++i) {
    net.send_many(1, 2, 50, 100);
    net.send_many(2, 1, 50, 100);
    net.kill_streams(1, 2);
    net.run(300ms);
    EXPECT_TRUE(net.all_arrived()) << "sent again with the new stream, not by time-out";
  }
  net.run(1s);
  EXPECT_EQ(net.delivered, 2000U);
  EXPECT_EQ(net.nodes[1].downs[2] + net.nodes[2].downs[1], 0);
  EXPECT_TRUE(net.all_arrived());
  expect_no_faults(net);
}

TEST(Cluster, a_partial_cut_is_no_partition) {
  ToyNet net(3);
  net.run(1s);
  net.partition(1, 2);
  for (int i = 0; i < 50; ++i) {
    net.send(1, 2);
    net.send(2, 1);
    net.run(100ms);
  }
  EXPECT_FALSE(net.nodes[1].cluster->direct(2));
  EXPECT_EQ(net.nodes[1].downs[2] + net.nodes[2].downs[1], 0);
  EXPECT_GT(net.nodes[3].cluster->counters().relayed, 0U);
  EXPECT_EQ(net.delivered, 100U);
  net.heal();
  net.run(3s);
  EXPECT_TRUE(net.nodes[1].cluster->direct(2));
  EXPECT_TRUE(net.all_arrived());
  expect_no_faults(net);
}

TEST(Cluster, who_never_met_meets_through_a_relay) {
  ToyNet net(3);
  net.partition(1, 2);
  net.run(2s);
  EXPECT_TRUE(net.all_up());
  expect_no_faults(net);
}

TEST(Cluster, a_relay_lost_is_replaced) {
  ToyNet net(4);
  net.run(1s);
  net.partition(1, 2);
  net.run(2s);
  net.partition(1, 3);
  for (int i = 0; i < 40; ++i) {
    net.send(1, 2);
    net.run(100ms);
  }
  EXPECT_EQ(net.nodes[1].downs[2] + net.nodes[2].downs[1], 0);
  EXPECT_GT(net.nodes[4].cluster->counters().relayed, 0U);
  EXPECT_TRUE(net.all_arrived());
  expect_no_faults(net);
}

TEST(Cluster, a_one_way_cut_ends_the_link_on_both_sides) {
  for (const bool other_way : {false, true}) {
    ToyNet net(2);
    net.run(1s);
    net.cut.insert(other_way ? std::pair<NodeId, NodeId>{2, 1} : std::pair<NodeId, NodeId>{1, 2});
    net.run(1500ms);
    EXPECT_FALSE(net.nodes[1].cluster->direct(2));
    EXPECT_FALSE(net.nodes[2].cluster->direct(1));
    EXPECT_EQ(net.nodes[1].downs[2], 1);
    EXPECT_EQ(net.nodes[2].downs[1], 1);
    net.heal();
    net.run(4s);
    EXPECT_TRUE(net.all_up());
    expect_no_faults(net);
  }
}

TEST(Cluster, silence_of_a_dead_node_is_a_down_within_detection_time) {
  ToyNet net(4);
  net.run(1s);
  for (NodeId id = 1; id <= 3; ++id) net.partition(id, 4);
  net.run(1500ms);
  for (NodeId id = 1; id <= 3; ++id) {
    EXPECT_EQ(net.nodes[id].cluster->view(), (std::vector<NodeId>{1, 2, 3}));
  }
  EXPECT_EQ(net.nodes[4].cluster->view(), std::vector<NodeId>{4});
  net.heal();
  net.run(4s);
  EXPECT_TRUE(net.all_up());
  expect_no_faults(net);
}

TEST(Cluster, a_restart_is_down_and_up_with_the_new_boot) {
  ToyNet net(3);
  net.run(1s);
  net.send(1, 2);
  net.boot(2);
  net.run(1s);
  EXPECT_EQ(net.nodes[1].downs[2], 1);
  EXPECT_EQ(net.nodes[1].ups[2], 2);
  EXPECT_EQ(net.nodes[1].cluster->boot_of(2), 2U);
  EXPECT_TRUE(net.all_up());
  EXPECT_TRUE(net.send(1, 2) && net.send(2, 1));
  net.run(1s);
  EXPECT_TRUE(net.all_arrived());
  expect_no_faults(net);
}

TEST(Cluster, who_was_long_away_is_back_as_soon_as_it_knocks) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed)  // of the backoffs
    for (const NodeId away : {1U, 3U}) {             // who dials, and who is dialled
      ToyNet net(3, seed);
      net.run(1s);
      net.kill(away);
      net.run(20s);
      net.boot(away);
      net.run(110ms);
      EXPECT_TRUE(net.all_up()) << away << ", seed " << seed;
      expect_no_faults(net);
    }
}

TEST(Cluster, neighbours_know_soon_whom_they_reach_through_each_other) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    ToyNet net(3, seed);
    net.kill(3);
    net.partition(1, 2);
    net.run(5s);
    net.boot(3);
    net.run(110ms);
    EXPECT_TRUE(net.all_up()) << "1 and 2 have met through 3, seed " << seed;
    expect_no_faults(net);
  }
}

TEST(Cluster, a_wiped_node_may_have_any_boot) {
  ToyNet net(2);
  net.nodes[2].boot = 7;
  net.boot(2);
  net.run(1s);
  net.nodes[2].boot = 0;
  net.boot(2);
  net.run(5s);
  EXPECT_TRUE(net.all_up());
  EXPECT_EQ(net.nodes[1].cluster->boot_of(2), 1U);
  expect_no_faults(net);
}

TEST(Cluster, an_outbox_has_a_limit) {
  ToyNet net(2);
  net.outbox = 10000;
  net.boot(1);
  net.run(2s);
  net.partition(1, 2);
  for (int i = 0; i < 200; ++i) net.send(1, 2, 1000);
  net.run(10ms);
  EXPECT_EQ(net.nodes[1].downs[2], 1);
  EXPECT_EQ(net.nodes[1].cluster->counters().overflows, 1U);
  net.heal();
  net.run(5s);
  EXPECT_TRUE(net.all_up());
  expect_no_faults(net);
}

TEST(Cluster, a_burst_beyond_the_limit_gets_through_to_a_peer_that_takes_it) {
  ToyNet net(2);
  net.outbox = 10000;
  net.boot(1);
  net.run(2s);
  net.send_many(1, 2, 100, 1000);
  net.run(1s);
  EXPECT_EQ(net.nodes[1].downs[2], 0);
  EXPECT_TRUE(net.all_arrived());
  EXPECT_EQ(net.nodes[1].cluster->outbox_bytes(2), 0U);
  expect_no_faults(net);
}

TEST(Cluster, a_peer_whose_end_was_reset_is_found_out_though_idle) {
  ToyNet net(2);
  net.outbox = 10000;
  net.boot(1);
  net.run(2s);
  net.send_many(1, 2, 200, 1000);  // overflows in one turn, over a sound link
  net.run(1s);
  EXPECT_EQ(net.nodes[1].downs[2], 1);
  EXPECT_EQ(net.nodes[2].downs[1], 1);
  EXPECT_TRUE(net.all_up() && net.send(1, 2) && net.send(2, 1));
  net.run(1s);
  EXPECT_TRUE(net.all_arrived());
  expect_no_faults(net);
}

TEST(Cluster, a_restart_behind_a_relay_is_found_out) {
  ToyNet net(3);
  net.run(1s);
  net.partition(1, 2);
  net.run(3s);
  net.boot(2);
  net.run(900ms);
  EXPECT_EQ(net.nodes[1].downs[2], 1);
  EXPECT_TRUE(net.all_up() && net.send(1, 2) && net.send(2, 1));
  net.run(1s);
  EXPECT_TRUE(net.all_arrived());
  expect_no_faults(net);
}

TEST(Cluster, a_clock_too_far_ahead_is_refused_and_reported_once) {
  ToyNet net(3);
  net.nodes[3].wall_offset = 20000;
  net.boot(3);
  net.run(10s);
  EXPECT_EQ(net.nodes[1].cluster->view(), (std::vector<NodeId>{1, 2}));
  EXPECT_EQ(net.nodes[3].cluster->view(), (std::vector<NodeId>{3}));
  EXPECT_EQ(net.nodes[1].log.size(), 1U);
  EXPECT_NE(net.nodes[1].log.at(0).find("ahead"), std::string::npos);
  net.nodes[3].wall_offset = 5000;
  net.run(4s);
  EXPECT_TRUE(net.all_up());
  expect_no_faults(net);
}

TEST(Cluster, strangers_are_told_of_once_a_minute) {
  ToyNet net(2);
  net.run(1s);
  for (int i = 0; i < 3; ++i) net.junk(net.stranger(1), "GET / HTTP/1.1\r\n\r\n");
  ASSERT_EQ(net.nodes[1].log.size(), 1U);
  EXPECT_TRUE(net.nodes[1].log[0].starts_with("a stranger at the peer port, 192.0.2.1:1, refused: frame of ")) << net.nodes[1].log[0];
  net.run(61s);
  net.junk(net.stranger(1), "GET / HTTP/1.1\r\n\r\n");
  ASSERT_EQ(net.nodes[1].log.size(), 2U);
  EXPECT_TRUE(net.nodes[1].log[1].ends_with(" (and 2 others since the last of these lines)")) << net.nodes[1].log[1];
  expect_no_faults(net);
}

TEST(Cluster, a_peer_with_other_slots_is_refused) {
  ToyNet net(3);
  net.adjust[3] = [](Settings& settings) { settings.slots = 32; };
  net.boot(3);
  net.run(10s);
  EXPECT_EQ(net.nodes[1].cluster->view(), (std::vector<NodeId>{1, 2}));
  EXPECT_EQ(net.nodes[3].cluster->view(), (std::vector<NodeId>{3}));
  ASSERT_EQ(net.nodes[3].log.size(), 2U) << "one a peer";
  EXPECT_EQ(net.nodes[3].log[0].substr(1 + net.nodes[3].log[0].find(' ', 5)),
            "refused: its cluster.slots is 64, here it is 32: expected the same on every node");
  net.adjust.clear();
  net.boot(3);
  net.run(4s);
  EXPECT_TRUE(net.all_up());
}

TEST(Cluster, other_members_and_replicas_are_told) {
  ToyNet net(3);
  net.adjust[2] = [](Settings& settings) { settings.replicas = 2; };
  net.adjust[3] = [](Settings& settings) { settings.members.erase(settings.members.begin() + 1); };
  net.boot(2);
  net.boot(3);
  net.run(4s);
  EXPECT_EQ(net.nodes[1].log, (std::vector<std::string>{
      "peer 2 has cluster.replicas 2, here it is 3: expected the same on every node",
      "peer 3 has the members 1, 3; here they are 1, 2, 3: expected the same on every node"}));
}

/// As an old copy of its disk would: a second process under the boot number of the first.
TEST(Cluster, a_boot_number_is_one_processs) {
  for (const NodeId again : {NodeId{1}, NodeId{2}}) {  // who dials, and who is dialled
    ToyNet net(2);
    net.run(1s);
    ASSERT_TRUE(net.all_up());
    --net.nodes[again].boot;
    net.boot(again);
    net.run(5s);
    const NodeId other = 3 - again;
    EXPECT_EQ(net.nodes[other].cluster->view(), std::vector<NodeId>{other});
    EXPECT_EQ(net.nodes[again].cluster->view(), std::vector<NodeId>{again});
    ASSERT_EQ(net.nodes[other].log.size(), 1U);
    EXPECT_NE(net.nodes[other].log[0].find("its boot number 1 was another process's"), std::string::npos) << net.nodes[other].log[0];
    ASSERT_EQ(net.nodes[again].log.size(), 1U);
    EXPECT_NE(net.nodes[again].log[0].find("knows another process under this node's boot number 1"), std::string::npos);
    net.boot(again);
    net.run(5s);
    EXPECT_TRUE(net.all_up()) << "the next start has a number of its own";
  }
}

TEST(Cluster, large_traffic_flows_both_ways) {
  ToyNet net(3);
  net.run(1s);
  net.partition(1, 2);
  net.run(2s);
  for (int i = 0; i < 30; ++i) {
    net.send_many(1, 2, 200, 1000);
    net.send_many(2, 1, 200, 1000);
    net.run(100ms);
  }
  net.run(2s);
  EXPECT_EQ(net.delivered, 12000U);
  EXPECT_TRUE(net.all_arrived());
  expect_no_faults(net);
}

TEST(Cluster, fifo_exactly_once_whatever_happens_and_all_up_after_the_heal) {
  EXPECT_TRUE(rc::check([] {
    const auto n = *rc::gen::inRange<NodeId>(2, 6);
    ToyNet net(n, *rc::gen::arbitrary<std::uint64_t>());
    net.latency = std::chrono::milliseconds(*rc::gen::inRange(1, 40));
    const auto any = [n] { return *rc::gen::inRange<NodeId>(1, n + 1); };
    const int steps = *rc::gen::inRange(0, 60);
    for (int i = 0; i < steps; ++i) {
      const NodeId a = any(), b = any();
      switch (*rc::gen::inRange(0, 12)) {
        case 0: net.cut.insert({a, b}); break;
        case 1: net.partition(a, b); break;
        case 2: net.cut.erase({a, b}), net.cut.erase({b, a}); break;
        case 3: net.kill_streams(a, b); break;
        case 4: if (*rc::gen::inRange(0, 4) == 0) net.boot(a); break;
        case 5: net.heal(); break;
        default: break;
      }
      for (NodeId from = 1; from <= n; ++from) {
        for (NodeId to = 1; to <= n; ++to) {
          if (from != to) net.send_many(from, to, static_cast<int>(from * to % 5), 20);
        }
      }
      net.run(std::chrono::milliseconds(*rc::gen::weightedOneOf<int>(
          {{4, rc::gen::inRange(0, 100)}, {2, rc::gen::inRange(100, 3000)}})));
    }
    net.heal();
    net.run(6s);
    for (const auto& fault : net.faults) RC_FAIL(fault);
    RC_ASSERT(net.all_up());
    RC_ASSERT(net.all_arrived());
  }));
}

TEST(Cluster, a_strangers_bytes_change_nothing) {
  EXPECT_TRUE(rc::check([](const std::vector<std::string>& pieces) {
    ToyNet net(2);
    net.run(500ms);
    const StreamId s = net.stranger(1);
    const StreamId t = net.stranger(2);
    for (const auto& piece : pieces) {
      if (!piece.empty()) net.junk(s, piece);
      net.junk(t, encode_frame(std::string_view(piece)));
    }
    net.run(3s);
    RC_ASSERT(!net.open(s) && !net.open(t));
    RC_ASSERT(net.all_up() && net.faults.empty());
    RC_ASSERT(net.nodes[1].downs[2] == 0);
  }));
}

TEST(Cluster, junk_on_a_members_stream_is_survived) {
  EXPECT_TRUE(rc::check([](const std::vector<std::string>& pieces) {
    ToyNet net(3);
    net.run(500ms);
    for (const auto& piece : pieces) {
      net.junk_between(1, 2, encode_frame(std::string_view(piece)));
      if (!piece.empty()) net.junk_between(3, 1, piece);
      net.run(20ms);
    }
    net.run(4s);
    RC_ASSERT(net.all_up() && net.faults.empty());
  }));
}

std::string draw_body() {
  const auto id = rc::gen::inRange<std::uint32_t>(0, 5);
  const auto number = rc::gen::weightedOneOf<std::uint64_t>(
      {{3, rc::gen::inRange<std::uint64_t>(0, 4)}, {1, rc::gen::arbitrary<std::uint64_t>()}});
  wire::Body body;
  if (*rc::gen::arbitrary<bool>()) {
    auto& beat = *body.mutable_heartbeat();
    beat.set_heard_ms(static_cast<std::uint32_t>(*number));
    beat.set_graph(*rc::gen::arbitrary<bool>());
    for (int i = *rc::gen::inRange(0, 5); i > 0; --i) beat.add_up_node(*id);
    for (int i = *rc::gen::inRange(0, 5); i > 0; --i) beat.add_lost_node(*id);
    for (int i = *rc::gen::inRange(0, 5); i > 0; --i) {
      beat.add_lost_heard_ms(static_cast<std::uint32_t>(*number));
    }
  }
  for (int i = *rc::gen::inRange(0, 5); i > 0; --i) {
    auto& part = *body.add_channels();
    part.set_from(*id);
    part.set_to(*id);
    part.set_kind(static_cast<wire::Channel::Kind>(*rc::gen::inRange(0, 4)));
    part.set_from_session(*number);
    part.set_to_session(*number);
    part.set_ack(*number);
    part.set_first(*number);
    part.set_batch(*rc::gen::arbitrary<std::string>());
  }
  return encode_frame(body);
}

TEST(Cluster, well_formed_nonsense_between_members_heals) {
  EXPECT_TRUE(rc::check([] {
    ToyNet net(4, *rc::gen::arbitrary<std::uint64_t>());
    net.run(500ms);
    for (int i = *rc::gen::inRange(0, 30); i > 0; --i) {
      const auto to = *rc::gen::inRange<NodeId>(1, 5), from = *rc::gen::inRange<NodeId>(1, 5);
      if (to != from) net.junk_between(to, from, draw_body());
      for (NodeId a = 1; a <= 4; ++a) net.send(a, a % 4 + 1);
      net.run(std::chrono::milliseconds(*rc::gen::inRange(0, 100)));
    }
    net.run(6s);
    for (const auto& fault : net.faults) RC_FAIL(fault);
    RC_ASSERT(net.all_up());
    for (NodeId a = 1; a <= 4; ++a) RC_ASSERT(net.send(a, a % 4 + 1));
    net.run(2s);
    RC_ASSERT(net.all_arrived());
  }));
}

TEST(Cluster, forty_nodes_meet_and_idle_cheaply) {
  ToyNet net(40);
  net.run(2s);
  EXPECT_TRUE(net.all_up());
  const auto sends = net.sends;
  net.run(10s);
  EXPECT_LE(net.sends - sends, 40 * 39 * 51U);
  expect_no_faults(net);
}

}  // namespace
}  // namespace hf::cluster
