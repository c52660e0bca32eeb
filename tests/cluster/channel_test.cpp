// What one end of a channel holds for a peer that takes it, and for one that does not.
#include "broker/cluster/channel.hpp"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace hf::cluster
