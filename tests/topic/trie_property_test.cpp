// Random filters, names and histories: the room against the naive twin.
#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "broker/topic/name.hpp"
#include "broker/topic/trie.hpp"
#include "tests/topic/naive.hpp"

namespace hf::topic {
namespace {

using std::string;

/// Few levels over few words, so that filters meet names often. Empty levels and `$` included.
rc::Gen<string> text_of(std::vector<string> words) {
  const auto levels = rc::gen::container<std::vector<string>>(rc::gen::elementOf(std::move(words)));
  return rc::gen::suchThat(rc::gen::map(rc::gen::resize(4, levels),
                                        [](const std::vector<string>& parts) {
                                          string text;
                                          for (const string& part : parts)
                                            text += (text.empty() ? "" : "/") + part;
                                          return text;
                                        }),
                           [](const string& text) { return !text.empty(); });
}

rc::Gen<string> names() {
  return text_of({"", "a", "a", "$s", "longer-than-eight-bytes"});
}

/// Half of them any filter, half a name with levels widened to `+` and perhaps its end to `#`.
rc::Gen<string> filters() {
  return rc::gen::suchThat(
      rc::gen::exec([] {
        const bool from_name = *rc::gen::arbitrary<bool>();
        string text = *(from_name ? names() : text_of({"", "a", "$s", "+", "+"}));
        if (from_name) {
          string widened;
          for (const string& level : naive::split(text)) {
            widened += (widened.empty() ? "" : "/") + (*rc::gen::inRange(0, 3) == 0 ? "+" : level);
          }
          text = widened;
        }
        if (*rc::gen::inRange(0, 3) != 0) return text;
        const std::size_t slash = text.rfind('/');
        return slash == string::npos ? string("#") : text.substr(0, slash) + "/#";
      }),
      [](const string& text) { return naive::valid_filter(text); });
}

TEST(TopicProperty, MatchesAsTheNaiveTwin) {
  EXPECT_TRUE(rc::check([] {
    const string filter = *filters();
    const string name = *names();
    const bool expected = naive::matches(filter, name);
    RC_CLASSIFY(expected);
    RC_ASSERT(matches(filter, name) == expected);
  }));
}

TEST(TopicProperty, ValidAsTheNaiveTwin) {
  EXPECT_TRUE(rc::check([] {
    const auto letters = rc::gen::element('a', '/', '+', '#', '$', '\0');
    const string text = *rc::gen::resize(8, rc::gen::container<string>(letters));
    RC_ASSERT(valid_filter(text) == naive::valid_filter(text));
    const bool wild = text.find_first_of("+#") != string::npos;
    RC_ASSERT(valid_name(text) == (naive::valid_filter(text) && !wild));
  }));
}

struct Step {
  bool insert;
  string filter;
  int value;
};

std::vector<Step> draw_history() {
  std::vector<Step> history;
  const int length = *rc::gen::inRange(0, 60);
  const auto pool =
      *rc::gen::resize(12, rc::gen::nonEmpty(rc::gen::container<std::vector<string>>(filters())));
  for (int i = 0; i < length; ++i) {
    history.push_back(
        Step{*rc::gen::inRange(0, 3) != 0, *rc::gen::elementOf(pool), *rc::gen::inRange(0, 3)});
  }
  return history;
}

TEST(TopicProperty, TrieAsASetOfPairs) {
  EXPECT_TRUE(rc::check([] {
    Trie<int> trie(*rc::gen::arbitrary<std::uint64_t>());
    std::set<std::pair<string, int>> model;
    for (const Step& step : draw_history()) {
      if (step.insert) {
        RC_ASSERT(trie.insert(step.filter, step.value) ==
                  model.insert({step.filter, step.value}).second);
      } else {
        RC_ASSERT(trie.erase(step.filter, step.value) ==
                  (model.erase({step.filter, step.value}) == 1));
      }
      RC_ASSERT(trie.size() == model.size());
      RC_ASSERT(trie.empty() == model.empty());
      const string name = *names();
      std::vector<int> expected;
      for (const auto& [filter, value] : model) {
        if (naive::matches(filter, name)) expected.push_back(value);
      }
      std::vector<int> got;
      trie.match(name, [&](int value) { got.push_back(value); });
      std::sort(expected.begin(), expected.end());
      std::sort(got.begin(), got.end());
      RC_ASSERT(got == expected);
    }
    for (const auto& [filter, value] : model) RC_ASSERT(trie.erase(filter, value));
    RC_ASSERT(trie.empty());
    RC_ASSERT(trie.nodes() == 0U);
  }));
}

TEST(TopicProperty, OrderDependsOnContentOnly) {
  EXPECT_TRUE(rc::check([] {
    Trie<int> lived(1);
    std::set<std::pair<string, int>> model;
    for (const Step& step : draw_history()) {
      if (step.insert) {
        lived.insert(step.filter, step.value);
        model.insert({step.filter, step.value});
      } else {
        lived.erase(step.filter, step.value);
        model.erase({step.filter, step.value});
      }
    }
    Trie<int> fresh(2);
    for (const auto& [filter, value] : model) fresh.insert(filter, value);
    const string name = *names();
    std::vector<int> from_lived;
    std::vector<int> from_fresh;
    lived.match(name, [&](int value) { from_lived.push_back(value); });
    fresh.match(name, [&](int value) { from_fresh.push_back(value); });
    RC_ASSERT(from_lived == from_fresh);
  }));
}

}  // namespace
}  // namespace hf::topic
