// What one end of a channel holds for a peer that takes it, and for one that does not.
#include "broker/cluster/channel.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <utility>

#include "broker/cluster/frame.pb.h"

namespace hf::cluster {
namespace {

constexpr std::uint64_t limit = 10'000;
constexpr Duration timeout = 1s;

struct Ends : testing::Test {
  Ends() {
    one.reset(11);
    two.reset(22);
    carry();
  }
  /// What either has to say reaches the other, until both are quiet.
  void carry() {
    for (bool any = true; any;) {
      any = false;
      for (const auto& [from, to] : {std::pair{&one, &two}, std::pair{&two, &one}})
        for (wire::Channel frame; from->next_frame(now, timeout, 0, frame); frame.Clear()) {
          arrived += to->receive(now, frame, 33).messages.size();
          any = true;
        }
    }
  }
  /// What it says is lost.
  static void say(Channel& end, Instant at) {
    for (wire::Channel frame; end.next_frame(at, timeout, 0, frame);) frame.Clear();
  }
  void send(int count) {
    for (int i = 0; i < count; ++i) one.send(Bytes(std::string(968, 'x')));  // 1000 with its overhead
  }
  static constexpr Channel::Limits limits{.open_every = 100ms, .ack_within = 25ms, .max_outbox_bytes = limit};
  Instant now{Duration(1h)};
  Channel one{1, 1, 2, limits}, two{2, 1, 1, limits};
  std::size_t arrived = 0;
};

TEST_F(Ends, of_which_one_takes_what_it_is_sent_have_room_for_a_burst) {
  ASSERT_TRUE(one.established());
  send(160);
  EXPECT_FALSE(one.overflowed());
  now += 50ms;
  two.tick(now);
  carry();
  EXPECT_EQ(arrived, 160U);
  send(161);
  EXPECT_TRUE(one.overflowed()) << "and no more than that";
}

TEST_F(Ends, of_which_one_takes_nothing_have_room_for_the_limit) {
  send(11);
  say(one, now);
  one.tick(now + timeout - 1ms);
  EXPECT_FALSE(one.overflowed());
  one.tick(now + timeout);
  EXPECT_TRUE(one.overflowed());
}

TEST_F(Ends, of_which_one_takes_nothing_queue_no_more_than_the_limit) {
  send(10);
  say(one, now);
  one.tick(now + timeout);
  EXPECT_FALSE(one.overflowed());
  say(one, now + timeout);
  send(1);
  EXPECT_TRUE(one.overflowed());
}

/// A link that carries so much, and keeps the rest in a queue; acknowledgements come back at once.
struct Link {
  double bytes_a_second = 0;
  Duration latency{};
  static constexpr Channel::Limits limits{.open_every = 100ms, .ack_within = 25ms, .max_outbox_bytes = std::uint64_t{8} << 20U};
  Channel one{1, 1, 2, limits}, two{2, 1, 1, limits};
  Instant now{Duration(1h)}, free_at{};
  std::deque<std::pair<Instant, wire::Channel>> under_way;
  Duration longest{};
  std::size_t arrived = 0;

  Link(double rate, Duration one_way) : bytes_a_second(rate), latency(one_way) {
    one.reset(11);
    two.reset(22);
    run_for(1s);
  }
  void run_for(Duration duration) {
    for (const Instant end = now + duration; now < end; now += 1ms) {
      one.tick(now);
      two.tick(now);
      for (; !under_way.empty() && under_way.front().first <= now; under_way.pop_front())
        arrived += two.receive(now, under_way.front().second, 33).messages.size();
      for (wire::Channel frame; two.next_frame(now, timeout, 0, frame); frame.Clear()) one.receive(now, frame, 44);
      for (wire::Channel frame; one.next_frame(now, timeout, 0, frame); frame.Clear()) {
        free_at = std::max(free_at, now) + Duration(static_cast<std::int64_t>(static_cast<double>(frame.batch().size()) / bytes_a_second * 1e9));
        longest = std::max(longest, free_at - now);
        under_way.emplace_back(free_at + latency, frame);
      }
    }
  }
  void send(int count) {
    for (int i = 0; i < count; ++i) ASSERT_TRUE(one.send(Bytes(std::string(100'000, 'x'))));
  }
};

/// Else heartbeats and acknowledgements would lie behind it, and each side take the other for gone.
TEST(Window, lets_a_slow_link_queue_for_a_part_of_the_time_out) {
  Link link(2'000'000, 1ms);
  link.send(200);  // ten seconds of it
  link.run_for(11s);
  EXPECT_EQ(link.arrived, 200U);
  EXPECT_EQ(link.one.retransmits(), 0U);
  EXPECT_LT(link.longest, 600ms);
}

TEST(Window, of_a_fast_link_grows_and_of_one_that_was_idle_begins_anew) {
  Link link(1e9, 20ms);
  for (int i = 0; i < 10; ++i) {
    link.send(100);
    link.run_for(250ms);
    EXPECT_EQ(link.arrived, static_cast<std::size_t>(100 * (i + 1)));
  }
  link.run_for(2s);
  link.bytes_a_second = 2'000'000;
  link.longest = {};
  link.send(200);
  link.run_for(11s);
  EXPECT_EQ(link.arrived, 1200U);
  EXPECT_LT(link.longest, 600ms);
}

TEST(Window, shrinks_while_a_link_that_became_slower_is_made_use_of) {
  Link link(1e9, 20ms);
  const auto keep_busy = [&](int halves_of_a_second) {
    for (int i = 0; i < halves_of_a_second; ++i) {
      while (link.one.outbox_bytes() < 6'000'000) link.send(1);
      link.run_for(500ms);
    }
  };
  for (int i = 0; i < 10; ++i) {
    link.send(100);
    link.run_for(250ms);
  }
  link.bytes_a_second = 2'000'000;
  keep_busy(30);
  link.longest = {};
  keep_busy(30);
  EXPECT_LT(link.longest, 600ms);
  EXPECT_EQ(link.one.retransmits(), 0U);
}

/// Whose repetition is acknowledged before it can have arrived; and whose way has become longer.
TEST(Window, grows_again_after_a_stall_and_on_a_longer_way) {
  Link link(1e9, 80ms);
  link.send(10);
  link.run_for(1s);
  const Duration before = link.latency;
  link.latency = 1050ms;
  link.send(10);
  link.run_for(1s);
  link.latency = before;
  link.run_for(5s);
  const auto time_of = [&](int messages) {
    const std::size_t all = link.arrived + static_cast<std::size_t>(messages);
    const Instant begun = link.now;
    link.send(messages);
    while (link.arrived < all && link.now - begun < 60s) link.run_for(10ms);
    return link.now - begun;
  };
  EXPECT_LT(time_of(800), 3s) << "64 KiB in 80 ms would take 100 s";
  link.latency = 240ms;
  for (int i = 0; i < 3; ++i) time_of(400);
  link.run_for(25s);
  time_of(100);
  EXPECT_LT(time_of(800), 6s);
}

/// Though the link carries it for longer than the time-out.
TEST(Window, of_a_large_message_is_sent_once) {
  Link link(2'000'000, 1ms);
  ASSERT_TRUE(link.one.send(Bytes(std::string(6'000'000, 'x'))));
  link.run_for(5s);
  EXPECT_EQ(link.arrived, 1U);
  EXPECT_EQ(link.one.retransmits(), 0U);
}

}  // namespace
}  // namespace hf::cluster
