// A session with a hundred thousand messages: each operation touches its own entry only. The bound
// is loose: it tells n log n from n squared on any machine.
#include <chrono>

#include <gtest/gtest.h>

#include "tests/slot/make.hpp"

namespace hf::slot::test {
namespace {

TEST(Scale, enqueue_send_and_done_do_not_slow_down_with_the_queue) {
  constexpr std::uint64_t many = 100'000;
  const auto start = std::chrono::steady_clock::now();
  State state(7);
  Changes changes;
  Maker maker;
  apply(state, maker.connect(1, false), changes);
  std::vector<Name> names;
  for (std::uint64_t i = 0; i < many; ++i) {
    const auto op = maker.enqueue(10 + i, i % 2 == 0 ? 0 : i);
    names.push_back(i % 2 == 0 ? Maker::name(op) : Maker::name(i));
    apply(state, op, changes);
  }
  EXPECT_EQ(state.sessions.at("c").queue.size(), many);
  for (const auto& name : names) apply(state, maker.send(many * 2, name, 1, {1, {1, 1}}), changes);
  for (std::uint64_t i = 0; i < many / 2; ++i)
    apply(state, maker.done(many * 3, names[i]), changes);
  apply(state, maker.end(many * 4), changes);
  EXPECT_TRUE(state.messages.empty());
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
}

}  // namespace
}  // namespace hf::slot::test
