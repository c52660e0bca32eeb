// The trie against tables and extremes: order, counting, pruning, depth, no allocation.
#include "broker/topic/trie.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/topic/count_allocations.hpp"

namespace hf::topic {
namespace {

using std::string;

std::vector<int> matched(const Trie<int>& trie, std::string_view name) {
  std::vector<int> values;
  trie.match(name, [&](int value) { values.push_back(value); });
  return values;
}

TEST(Trie, InsertAndEraseTellWhatChanged) {
  Trie<int> trie;
  EXPECT_TRUE(trie.empty());
  EXPECT_TRUE(trie.insert("a/+", 1));
  EXPECT_FALSE(trie.insert("a/+", 1));
  EXPECT_TRUE(trie.insert("a/+", 2));
  EXPECT_FALSE(trie.insert("a/#/b", 1)) << "malformed filters are refused";
  EXPECT_FALSE(trie.insert("", 1));
  EXPECT_EQ(trie.size(), 2U);
  EXPECT_TRUE(trie.contains("a/+", 2));
  EXPECT_FALSE(trie.erase("a/+", 3));
  EXPECT_FALSE(trie.erase("a", 1)) << "a node on the way is not a filter";
  EXPECT_FALSE(trie.erase("a/b", 1));
  EXPECT_TRUE(trie.erase("a/+", 1));
  EXPECT_FALSE(trie.erase("a/+", 1));
  EXPECT_TRUE(trie.erase("a/+", 2));
  EXPECT_TRUE(trie.empty());
}

TEST(Trie, OrderIsExactThenHashThenLiteralThenPlus) {
  const std::vector<string> filters = {"a/b", "#", "a/#", "a/b/#", "a/+", "+/b", "+/+", "+/#"};
  Trie<int> forwards(1);
  Trie<int> backwards(2);
  for (std::size_t i = 0; i < filters.size(); ++i) {
    forwards.insert(filters[i], static_cast<int>(i));
    const std::size_t j = filters.size() - 1 - i;
    backwards.insert(filters[j], static_cast<int>(j));
  }
  const std::vector<int> expected = {0, 1, 2, 3, 4, 7, 5, 6};
  EXPECT_EQ(matched(forwards, "a/b"), expected);
  EXPECT_EQ(matched(backwards, "a/b"), expected) << "neither history nor seed shows";
}

TEST(Trie, AValueComesOnceForEachFilter) {
  Trie<int> trie;
  trie.insert("a", 7);
  trie.insert("+", 7);
  EXPECT_EQ(matched(trie, "a"), (std::vector<int>{7, 7}));
}

TEST(Trie, DollarNamesHideFromLeadingWildcards) {  // [MQTT-4.7.2-1]
  Trie<int> trie;
  trie.insert("#", 1);
  trie.insert("+/x", 2);
  trie.insert("$SYS/#", 3);
  trie.insert("$SYS/+", 4);
  trie.insert("$SYS/x", 5);
  EXPECT_EQ(matched(trie, "$SYS/x"), (std::vector<int>{5, 3, 4}));
  EXPECT_EQ(matched(trie, "$SYS"), (std::vector<int>{3}));
  EXPECT_EQ(matched(trie, "/x"), (std::vector<int>{1, 2}));
}

TEST(Trie, ErasingGivesNodesBack) {
  Trie<int> trie;
  trie.insert("a/b/+", 1);
  trie.insert("a/b/c/d/#", 2);
  trie.insert("x/y/z", 3);
  EXPECT_EQ(trie.nodes(), 7U) << "an exact filter is one node, a wildcard filter one a level";
  trie.erase("a/b/c/d/#", 2);
  EXPECT_EQ(trie.nodes(), 4U);
  trie.erase("a/b/+", 1);
  EXPECT_EQ(trie.nodes(), 1U);
  trie.erase("x/y/z", 3);
  EXPECT_EQ(trie.nodes(), 0U);
  EXPECT_EQ(matched(trie, "a/b/c"), std::vector<int>{});
}

TEST(Trie, DeepTopicsNeedNoStack) {
  const string name(60000, '/');
  string deep;
  for (std::size_t i = 1; i < levels_max; ++i) deep += "+/";
  Trie<int> trie;
  EXPECT_TRUE(trie.insert(deep + "#", 1));
  EXPECT_FALSE(trie.insert(deep + "+/#", 2)) << "one level too many";
  EXPECT_TRUE(trie.insert(string(levels_max - 2, '/') + "#", 3));
  EXPECT_TRUE(trie.insert(string(100, '/'), 4));
  EXPECT_EQ(matched(trie, name), (std::vector<int>{3, 1}));
  EXPECT_TRUE(trie.erase(deep + "#", 1));
  EXPECT_TRUE(trie.erase(string(levels_max - 2, '/') + "#", 3));
  EXPECT_TRUE(trie.erase(string(100, '/'), 4));
  EXPECT_EQ(trie.nodes(), 0U);
}

TEST(Trie, ManyFiltersGrowAndShrink) {
  Trie<int> trie(42);
  constexpr int many = 20000;
  for (int i = 0; i < many; ++i) {
    EXPECT_TRUE(trie.insert("device/" + std::to_string(i) + "/+", i));
    EXPECT_TRUE(trie.insert("device/" + std::to_string(i) + "/command", i));
  }
  EXPECT_EQ(trie.size(), 2U * many);
  for (int i = 0; i < many; i += 97) {
    EXPECT_EQ(matched(trie, "device/" + std::to_string(i) + "/command"), (std::vector<int>{i, i}));
  }
  for (int i = 0; i < many; ++i) {
    EXPECT_TRUE(trie.erase("device/" + std::to_string(i) + "/+", i));
    EXPECT_TRUE(trie.erase("device/" + std::to_string(i) + "/command", i));
  }
  EXPECT_TRUE(trie.empty());
  EXPECT_EQ(trie.nodes(), 0U);
}

TEST(Trie, MatchAllocatesNothing) {
  Trie<int> trie;
  for (const char* filter : {"a/b/c", "a/+/c", "#", "+/+/+", "a/b/#", "a/b/c/#"}) {
    trie.insert(filter, 1);
  }
  int seen = 0;
  const std::size_t before = allocations();
  trie.match("a/b/c", [&](int value) { seen += value; });
  trie.match("a/a-level-much-longer-than-any-small-string-buffer/c", [&](int v) { seen += v; });
  EXPECT_EQ(allocations(), before);
  EXPECT_EQ(seen, 9);
}

}  // namespace
}  // namespace hf::topic
