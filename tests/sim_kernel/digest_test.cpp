// The digest: sensitive to every part of an event and to order; checkpoints on time.
#include "sim/kernel/digest.hpp"

#include <gtest/gtest.h>

#include <string>

namespace hf::sim {
namespace {

std::uint64_t one(std::int64_t at, std::uint64_t target, std::uint64_t kind, std::uint64_t size,
                  std::uint64_t content) {
  Digest digest;
  digest.event(at, target, kind, size, content);
  return digest.value();
}

TEST(Digest, SeesEveryPart) {
  const auto base = one(1, 2, 3, 4, 5);
  EXPECT_EQ(base, one(1, 2, 3, 4, 5));
  EXPECT_NE(base, one(2, 2, 3, 4, 5));
  EXPECT_NE(base, one(1, 3, 3, 4, 5));
  EXPECT_NE(base, one(1, 2, 4, 4, 5));
  EXPECT_NE(base, one(1, 2, 3, 5, 5));
  EXPECT_NE(base, one(1, 2, 3, 4, 6));
}

TEST(Digest, SeesOrder) {
  Digest one_way;
  one_way.event(1, 1, 1, 1, 1);
  one_way.event(1, 2, 1, 1, 1);
  Digest other_way;
  other_way.event(1, 2, 1, 1, 1);
  other_way.event(1, 1, 1, 1, 1);
  EXPECT_NE(one_way.value(), other_way.value());
}

TEST(Digest, KeepsCheckpoints) {
  Digest digest;
  for (std::uint64_t i = 0; i < 2 * Digest::checkpoint_every; ++i) digest.event(1, 1, 1, 1, i);
  ASSERT_EQ(digest.checkpoints().size(), 2U);
  EXPECT_EQ(digest.checkpoints()[1], digest.value());
}

TEST(Digest, HashesBytesOfEveryLength) {
  std::string text;
  auto before = Digest::of(text);
  for (int i = 0; i < 40; ++i) {
    text.push_back('\0');
    const auto after = Digest::of(text);
    EXPECT_NE(before, after);
    before = after;
  }
  EXPECT_NE(Digest::of("abcdefgh1"), Digest::of("abcdefgh2"));
}

}  // namespace
}  // namespace hf::sim
