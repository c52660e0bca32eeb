// Rows from a damaged disk or a hostile peer: never a crash, and what is accepted is a state that
// works.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "tests/slot/make.hpp"
#include "tests/slot/world.hpp"

namespace hf::slot::test {
namespace {

using Rows = std::vector<std::pair<std::string, std::string>>;

/// If the rows are accepted: it encodes, merges both ways, applies and forgets without breaking an
/// assert.
void use(const Rows& all) {
  State state(7);
  for (const auto& [key, value] : all) (void)decode_row(state, key, value);
  if (!finish_decoding(state)) return;
  RC_TAG("accepted");
  (void)describe(state);
  for (const auto& [key, value] : all) (void)encode_row(state, key);
  State other(7);
  Changes changes;
  Maker maker;
  for (const auto& op :
       {maker.connect(10, true, 77), maker.enqueue(11, 1, 77), maker.subscribe(12, "a", 1, 77)})
    apply(other, op, changes);
  merge(other, state, changes);
  merge(state, other, changes);
  forget(state, state.seen, ~std::uint64_t{0}, changes);
  (void)tombstones(state);
  (void)rows(state);
}

Rows some_rows() {
  World world(2);
  for (const auto& n :
       *rc::gen::resize(200, rc::gen::arbitrary<std::vector<std::array<std::uint8_t, 5>>>()))
    world.step({n[0], n[1], n[2], n[3], n[4]});
  return rows(world.holders[0].state);
}

TEST(Rows, arbitrary_bytes_never_crash) {
  ASSERT_TRUE(rc::check([](const std::vector<std::pair<std::string, std::string>>& random) {
    Rows all = random;
    static const std::string kinds = "vsueilmrtwd";
    for (auto& [key, value] : all)  // get past the first letter, and past the NUL
      if (!key.empty() && *rc::gen::arbitrary<bool>())
        key = kinds[static_cast<unsigned char>(key[0]) % kinds.size()] + key + '\0' + std::string(23, '\1');
    use(all);
  }));
}

TEST(Rows, damaged_rows_never_crash) {
  ASSERT_TRUE(rc::check([] {
    Rows all = some_rows();
    for (int i = 0; i < 3 && !all.empty(); ++i) {
      auto& [key, value] = all[*rc::gen::resize(100, rc::gen::arbitrary<unsigned>()) % all.size()];
      std::string& text = *rc::gen::arbitrary<bool>() ? value : key;
      const unsigned at = *rc::gen::resize(100, rc::gen::arbitrary<unsigned>());
      switch (*rc::gen::inRange(0, 4)) {
        case 0:
          text = text.substr(0, at % (text.size() + 1));
          break;
        case 1:
          all.erase(all.begin() + static_cast<long>(at % all.size()));
          break;
        default:
          if (!text.empty()) text[at % text.size()] = *rc::gen::arbitrary<char>();
      }
    }
    use(all);
  }));
}

TEST(Rows, each_row_by_its_key_and_none_for_others) {
  ASSERT_TRUE(rc::check([] {
    State state(7);
    const Rows all = some_rows();
    for (const auto& [key, value] : all) RC_ASSERT(decode_row(state, key, value));
    RC_ASSERT(finish_decoding(state));
    RC_ASSERT(state.dirty.empty());
    for (const auto& [key, value] : all) RC_ASSERT(encode_row(state, key) == value);
    RC_ASSERT(rows(state) == all);
  }));
  EXPECT_EQ(encode_row(State(7), "v"), std::nullopt);
  EXPECT_EQ(encode_row(State(7), ""), std::nullopt);
  EXPECT_EQ(encode_row(State(7), "snobody"), std::nullopt);
}

TEST(Rows, contradictions_are_refused) {
  Maker maker;
  const State state = apply_all({maker.connect(10, true), maker.enqueue(11, 0)});
  for (const char missing : {'m', 'e'}) {
    State partial(7);
    for (const auto& [key, value] : rows(state)) {
      if (key[0] == missing) continue;
      ASSERT_TRUE(decode_row(partial, key, value));
    }
    EXPECT_FALSE(finish_decoding(partial)) << missing;
  }
}

}  // namespace
}  // namespace hf::slot::test
