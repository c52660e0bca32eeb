// Which values (subscribers, slots, nodes) want a topic: filters with values, matched by name.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "broker/topic/filter_tree.hpp"
#include "broker/topic/name.hpp"

namespace hf::topic {

/// A set of (filter, value). `Value` is small and has `<` and `==`.
/// Invariant: values_[n] is sorted, without doubles, and not empty exactly if a filter ends at n.
template <class Value>
class Trie {
 public:
  /// A node passes a random `seed` so that clients cannot choose colliding levels. What is visited,
  /// and in which order, does not depend on it.
  explicit Trie(std::uint64_t seed = 0) : tree_(seed) {}

  /// True if the pair is new. A malformed filter is refused: false. `$share/` must be parsed away.
  bool insert(std::string_view filter, const Value& value) {
    if (!valid_filter(filter)) return false;
    const FilterTree::Index node = tree_.add(filter);
    if (values_.size() <= node) values_.resize(node + 1);
    std::vector<Value>& here = values_[node];
    const auto place = std::lower_bound(here.begin(), here.end(), value);
    if (place != here.end() && *place == value) return false;
    here.insert(place, value);
    ++size_;
    return true;
  }

  /// True if the pair was there.
  bool erase(std::string_view filter, const Value& value) {
    const FilterTree::Index node = tree_.find(filter);
    if (node == FilterTree::none) return false;
    std::vector<Value>& here = values_[node];
    const auto place = std::lower_bound(here.begin(), here.end(), value);
    if (place == here.end() || !(*place == value)) return false;
    here.erase(place);
    --size_;
    if (here.empty()) {
      std::vector<Value>().swap(here);
      tree_.remove(node);
    }
    return true;
  }

  [[nodiscard]] bool contains(std::string_view filter, const Value& value) const {
    const FilterTree::Index node = tree_.find(filter);
    return node != FilterTree::none &&
           std::binary_search(values_[node].begin(), values_[node].end(), value);
  }

  /// Calls visit(value) for each pair whose filter matches; a value once for each such filter. The
  /// order depends on the pairs held only, not on their history. Allocates nothing. `visit` must
  /// not change the trie.
  template <class Visit>
  void match(std::string_view name, Visit&& visit) const {
    tree_.match(name, [&](FilterTree::Index node) {
      for (const Value& value : values_[node]) visit(value);
    });
  }

  [[nodiscard]] bool empty() const { return size_ == 0; }
  /// Pairs held.
  [[nodiscard]] std::size_t size() const { return size_; }
  /// Nodes in use, for metrics and for the test that erasing gives them back.
  [[nodiscard]] std::size_t nodes() const { return tree_.nodes(); }

 private:
  FilterTree tree_;
  std::vector<std::vector<Value>> values_;
  std::size_t size_ = 0;
};

}  // namespace hf::topic
