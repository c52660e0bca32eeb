// THE property: whatever was issued where, cut, streamed, transferred and forgotten, all holders
// end equal, and equal to one broker that saw the operations in stamp order.
#include <array>

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "tests/slot/model.hpp"
#include "tests/slot/world.hpp"

namespace hf::slot::test {
namespace {

using Numbers = std::array<std::uint8_t, 5>;

/// Long histories of few clients: rapidcheck's own sizes are for short ones.
std::vector<World::Step> steps() {
  std::vector<World::Step> out;
  for (const Numbers& n : *rc::gen::resize(1000, rc::gen::arbitrary<std::vector<Numbers>>()))
    out.push_back({n[0], n[1], n[2], n[3], n[4]});
  return out;
}

void equal_rows(const World& world) {
  for (const Holder& holder : world.holders)
    if (rows(holder.state) != rows(world.holders.front().state))
      RC_FAIL("holders differ:\n" + describe(world.holders.front().state) + "---\n" +
              describe(holder.state));
}

void equal_meaning(const World& world) {
  const auto meant = expected(world.operations);
  for (const Holder& holder : world.holders) RC_ASSERT(visible(holder.state) == meant);
}

void run(bool forgetting) {
  World world(*rc::gen::element<std::size_t>(1, 2, 3, 3, 4, 5), *rc::gen::element(1U, 2U, 3U));
  for (const auto& step : steps()) {
    if (step.what % 100 >= 97 && !forgetting) continue;
    world.step(step);
  }
  world.heal();
  for (Holder& holder : world.holders) World::check(holder);
  equal_meaning(world);
  if (!forgetting) equal_rows(world);
  world.drain();
  for (Holder& holder : world.holders) World::check(holder);
  equal_meaning(world);
  equal_rows(world);
  RC_ASSERT(tombstones(world.holders.front().state) == 0U);
  RC_TAG(world.operations.size() / 40 * 40);
}

TEST(Convergence, all_holders_end_as_one_broker_would) {
  ASSERT_TRUE(rc::check("without forgetting until the end", [] { run(false); }));
}

TEST(Convergence, forgetting_at_safe_moments_changes_nothing) {
  ASSERT_TRUE(rc::check("forgetting anywhere", [] { run(true); }));
}

TEST(Convergence, merge_is_idempotent_and_commutes) {
  ASSERT_TRUE(rc::check([] {
    World world(3);
    for (const auto& step : steps())
      if (step.what % 100 < 97) world.step(step);
    State ab(7), ba(7);
    Changes changes;
    merge(ab, world.holders[0].state, changes);
    merge(ab, world.holders[1].state, changes);
    merge(ab, world.holders[2].state, changes);
    merge(ba, world.holders[2].state, changes);
    merge(ba, world.holders[1].state, changes);
    merge(ba, world.holders[0].state, changes);
    RC_ASSERT(rows(ab) == rows(ba));
    merge(ab, world.holders[1].state, changes);
    RC_ASSERT(rows(ab) == rows(ba));
  }));
}

}  // namespace
}  // namespace hf::slot::test
