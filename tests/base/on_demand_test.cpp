// What is made on demand reads as empty until then.
#include "broker/base/on_demand.hpp"

#include <map>
#include <utility>

#include <gtest/gtest.h>

namespace hf {
namespace {

using Sparse = SparseMap<std::map<int, int>>;

TEST(OnDemand, reads_as_empty_until_it_is_written_to) {
  Sparse map;
  EXPECT_TRUE(map.empty());
  EXPECT_TRUE(map.find(1) == map.end());
  EXPECT_TRUE(map.begin() == map.end());
  map.edit().emplace(1, 2);
  EXPECT_EQ(map.size(), 1U);
  EXPECT_EQ(map.at(1), 2);
  EXPECT_TRUE(Sparse().empty()) << "what all empty ones read is shared, and must stay empty";
}

TEST(OnDemand, a_copy_is_a_copy) {
  Sparse map;
  map.edit().emplace(1, 2);
  Sparse copy = map;
  copy.edit().emplace(3, 4);
  EXPECT_FALSE(map.contains(3));
  Sparse moved = std::move(map);
  EXPECT_EQ(moved.size(), 1U);
  copy = Sparse();
  EXPECT_TRUE(copy.empty());
}

TEST(OnDemand, tidy_takes_nothing_that_is_there) {
  Sparse map;
  map.edit().emplace(1, 2);
  const int* before = &map.at(1);
  map.tidy();
  EXPECT_EQ(&map.at(1), before);
  map.edit().erase(1);
  map.tidy();
  EXPECT_TRUE(map.empty());
}

struct Sized {
  int value = 0;
  [[nodiscard]] bool empty() const { return value == 0; }
};

TEST(OnDemand, costs_a_pointer) {
  EXPECT_EQ(sizeof(OnDemand<Sized>), sizeof(void*));
  OnDemand<Sized> one;
  EXPECT_EQ(one->value, 0);
  one.edit().value = 7;
  one.tidy();
  EXPECT_EQ(one->value, 7);
}

}  // namespace
}  // namespace hf
