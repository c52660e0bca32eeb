// The shape of a set of filters: numbered nodes, found by name without allocation or recursion.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hf::topic {

/// Invariants:
///  1. Nodes 0 and 1 always exist. Below `wild_root` hang filters with wildcards, a node a level;
///     below `exact_root` filters without, a node a filter (one lookup matches a whole name).
///  2. Every other live node ends a filter or has a child: removal prunes upwards.
///  3. `edges_` holds each literal child once, at most 3/4 full; it is only ever asked for one key,
///     never iterated, so neither its order nor its seed shows outside.
///  4. A child's `parent` is its parent: a walk needs no stack, it climbs back.
class FilterTree {
 public:
  using Index = std::uint32_t;
  static constexpr Index none = 0;  ///< no filter ends at node 0, so it also means nothing

  /// `seed` keys the hash table against strangers who choose levels that collide.
  explicit FilterTree(std::uint64_t seed);

  /// The node at which a valid filter ends, made if need be. Numbers are small and reused.
  Index add(std::string_view filter);
  /// The node at which the filter ends, or `none`.
  [[nodiscard]] Index find(std::string_view filter) const;
  /// Forgets the filter that ends at `node`, and the nodes only it needed.
  void remove(Index node);

  /// Calls visit(node) for each filter that matches: the exact one first, then depth first, at each
  /// node `#` before literal before `+`. The order depends on the set of filters only.
  template <class Visit>
  void match(std::string_view name, Visit&& visit) const;

  /// Live nodes, roots not counted.
  [[nodiscard]] std::size_t nodes() const { return nodes_.size() - free_count_ - 2; }

 private:
  static constexpr Index wild_root = 0;
  static constexpr Index exact_root = 1;

  struct Node {
    std::string level;           ///< the text of the edge from the parent
    std::uint64_t hash = 0;      ///< of (parent, level), if a literal child
    Index parent = none;         ///< the next free node, if this one is free
    Index plus = none;           ///< child for `+`
    Index hash_sign = none;      ///< child for `#`
    std::uint32_t literals = 0;  ///< children in edges_
    bool ends = false;           ///< a filter ends here
  };

  [[nodiscard]] std::uint64_t hash_of(Index parent, std::string_view level) const;
  [[nodiscard]] Index literal(Index parent, std::string_view level) const;
  [[nodiscard]] Index child(Index parent, std::string_view level) const;
  Index make_child(Index parent, std::string_view level);
  Index take_node();
  void drop_node(Index node);
  void put_edge(Index node);
  void drop_edge(Index node);
  void grow_edges();

  std::vector<Node> nodes_;
  std::vector<Index> edges_;  ///< open addressing, linear probing; `none` is an empty cell
  std::size_t edge_count_ = 0;
  Index free_ = none;
  std::size_t free_count_ = 0;
  std::uint64_t seed_;
};

template <class Visit>
void FilterTree::match(std::string_view name, Visit&& visit) const {
  if (name.empty()) return;
  if (nodes_[exact_root].literals != 0) {
    if (const Index node = literal(exact_root, name); node != none) visit(node);
  }
  const bool hidden = name.front() == '$';  // [MQTT-4.7.2-1]: no wildcard in the first level
  Index node = wild_root;
  std::size_t next = 0;  // where the next level starts; size() + 1 when all are consumed
  for (;;) {
    const Node& here = nodes_[node];
    const bool wildcards = !(hidden && node == wild_root);
    if (wildcards && here.hash_sign != none) visit(here.hash_sign);
    Index down = none;
    if (next > name.size()) {
      if (here.ends) visit(node);
    } else if (here.literals != 0 || (wildcards && here.plus != none)) {
      const std::size_t end = name.find('/', next);
      const std::string_view level = name.substr(next, end - next);
      if (here.literals != 0) down = literal(node, level);
      if (down == none && wildcards) down = here.plus;
      if (down != none) next += level.size() + 1;
    }
    // Nothing below: climb to the nearest parent whose `+` is still to be tried.
    while (down == none) {
      if (node == wild_root) return;
      const Index up = nodes_[node].parent;
      const Index plus = nodes_[up].plus;
      if (node != plus && plus != none && !(hidden && up == wild_root)) {
        down = plus;
      } else {
        node = up;
        // The level just left ends before next - 1; an empty first level starts at 0 as well.
        next = next < 2 ? 0 : name.rfind('/', next - 2) + 1;
      }
    }
    node = down;
  }
}

}  // namespace hf::topic
