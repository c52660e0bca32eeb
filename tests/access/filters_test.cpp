// Two filters held against each other: by example, and against all names over a small alphabet.
#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "broker/access/filters.hpp"
#include "broker/topic/name.hpp"

namespace hf::access {
namespace {

TEST(Filters, overlap) {
  EXPECT_TRUE(overlap("a/b", "a/b"));
  EXPECT_TRUE(overlap("a/+", "+/b"));
  EXPECT_TRUE(overlap("a/#", "a"));
  EXPECT_TRUE(overlap("a", "a/#"));
  EXPECT_TRUE(overlap("#", "a/b/c"));
  EXPECT_TRUE(overlap("a/#", "+/b/c"));
  EXPECT_TRUE(overlap("/a", "+/a"));
  EXPECT_FALSE(overlap("a/b", "a/c"));
  EXPECT_FALSE(overlap("a/+", "a/b/c"));
  EXPECT_FALSE(overlap("a", "a/+"));
  EXPECT_FALSE(overlap("a/", "a"));
  EXPECT_FALSE(overlap("#", "$SYS/#"));
  EXPECT_FALSE(overlap("$SYS/a", "+/a"));
  EXPECT_TRUE(overlap("$SYS/#", "$SYS/+/x"));
}

TEST(Filters, cover) {
  EXPECT_TRUE(covers("#", "a/+/#"));
  EXPECT_TRUE(covers("a/#", "a"));
  EXPECT_TRUE(covers("a/#", "a/#"));
  EXPECT_TRUE(covers("a/+", "a/b"));
  EXPECT_TRUE(covers("+/+", "a/+"));
  EXPECT_FALSE(covers("a", "a/#"));
  EXPECT_FALSE(covers("a/+", "a/#"));
  EXPECT_FALSE(covers("a/b", "a/+"));
  EXPECT_FALSE(covers("#", "$SYS/a"));
  EXPECT_FALSE(covers("a/+", "a"));
}

/// Every name of up to four of these levels: "c" and "$c" stand for all that no filter spells out.
const std::vector<std::string>& names() {
  static const std::vector<std::string> all = [] {
    std::vector<std::string> out, last{{}};
    for (int depth = 1; depth <= 4; ++depth) {
      std::vector<std::string> next;
      for (const std::string& before : last)
        for (const char* level : {"", "a", "b", "c", "$a", "$c"}) next.push_back(depth == 1 ? level : before + "/" + level);
      for (const std::string& name : next)
        if (topic::valid_name(name)) out.push_back(name);
      last = std::move(next);
    }
    return out;
  }();
  return all;
}

/// Up to three levels, so that a name of four tells `#` from any filter without it.
rc::Gen<std::string> filters() {
  return rc::gen::exec([] {
    const int depth = *rc::gen::element(1, 2, 3, 3);
    std::string out;
    for (int i = 0; i < depth; ++i) {
      if (i != 0) out += "/";
      out += *rc::gen::element<std::string>("", "a", "b", "$a", "+", "+");
    }
    if (*rc::gen::element(0, 1, 2) == 0) out = out.substr(0, out.rfind('/') + 1) + "#";
    return out.empty() ? std::string("#") : out;
  });
}

RC_GTEST_PROP(Filters, overlap_where_a_name_matches_both, ()) {
  const std::string a = *filters(), b = *filters();
  RC_TAG(overlap(a, b));
  RC_ASSERT(overlap(a, b) == std::any_of(names().begin(), names().end(), [&](const std::string& name) {
              return topic::matches(a, name) && topic::matches(b, name);
            }));
}

RC_GTEST_PROP(Filters, cover_where_every_name_that_matches_one_matches_the_other, ()) {
  const std::string a = *filters(), b = *filters();
  RC_TAG(covers(a, b));
  RC_ASSERT(covers(a, b) == std::all_of(names().begin(), names().end(), [&](const std::string& name) {
              return topic::matches(a, name) || !topic::matches(b, name);
            }));
}

}  // namespace
}  // namespace hf::access
