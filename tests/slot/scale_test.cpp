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

TEST(Scale, forgetting_does_not_look_at_sessions_without_memory) {
  constexpr std::uint64_t many = 200'000;
  State state(7);
  Changes changes;
  Maker maker;
  for (std::uint64_t i = 0; i < many; ++i) {
    auto& session = state.sessions["c" + std::to_string(i)];
    session.connect.emplace();
    session.connect_stamp = {1, {1, 1}};
  }
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < 2000; ++i) {
    forget(state, state.seen, ~std::uint64_t{0}, changes);
    EXPECT_EQ(tombstones(state), 0U);
  }
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(10));
  apply(state, maker.end(5), changes);
  EXPECT_TRUE(state.remembering.contains("c"));
}

}  // namespace
}  // namespace hf::slot::test
