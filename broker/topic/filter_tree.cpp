// The shape of a set of filters: nodes in one vector, literal edges in one seeded hash table.
#include "broker/topic/filter_tree.hpp"

#include <cstring>

#include "broker/base/assert.hpp"
#include "broker/base/hash.hpp"

namespace hf::topic {

namespace {

constexpr std::size_t edges_min = 16;

bool is_exact(std::string_view filter) {
  return filter.find_first_of("+#") == std::string_view::npos;
}

}  // namespace

FilterTree::FilterTree(std::uint64_t seed)
    : nodes_(2), edges_(edges_min, none), seed_(mix64(seed)) {}

// Each block goes through a bijection keyed by all before it: whoever does not know the seed cannot
// make two levels meet. Little and big endian machines differ in it, which shows nowhere.
std::uint64_t FilterTree::hash_of(Index parent, std::string_view level) const {
  std::uint64_t hash = mix64(seed_ ^ (std::uint64_t{parent} << 32U) ^ level.size());
  for (; level.size() >= 8; level.remove_prefix(8)) {
    std::uint64_t block = 0;
    std::memcpy(&block, level.data(), 8);
    hash = mix64(hash ^ block);
  }
  std::uint64_t rest = 0;
  for (const char c : level) rest = (rest << 8U) | static_cast<unsigned char>(c);
  return mix64(hash ^ rest);
}

FilterTree::Index FilterTree::literal(Index parent, std::string_view level) const {
  const std::uint64_t hash = hash_of(parent, level);
  const std::size_t mask = edges_.size() - 1;
  for (std::size_t cell = hash & mask; edges_[cell] != none; cell = (cell + 1) & mask) {
    const Node& node = nodes_[edges_[cell]];
    if (node.hash == hash && node.parent == parent && node.level == level) return edges_[cell];
  }
  return none;
}

FilterTree::Index FilterTree::child(Index parent, std::string_view level) const {
  if (level == "+") return nodes_[parent].plus;
  if (level == "#") return nodes_[parent].hash_sign;
  return literal(parent, level);
}

FilterTree::Index FilterTree::find(std::string_view filter) const {
  Index node = none;
  if (is_exact(filter)) {
    node = literal(exact_root, filter);
  } else {
    node = wild_root;
    for (std::size_t next = 0; next <= filter.size();) {
      const std::string_view level = filter.substr(next, filter.find('/', next) - next);
      node = child(node, level);
      if (node == none) return none;
      next += level.size() + 1;
    }
  }
  return nodes_[node].ends ? node : none;
}

FilterTree::Index FilterTree::add(std::string_view filter) {
  Index node = wild_root;
  if (is_exact(filter)) {
    node = literal(exact_root, filter);
    if (node == none) node = make_child(exact_root, filter);
  } else {
    for (std::size_t next = 0; next <= filter.size();) {
      const std::string_view level = filter.substr(next, filter.find('/', next) - next);
      const Index below = child(node, level);
      node = below != none ? below : make_child(node, level);
      next += level.size() + 1;
    }
  }
  nodes_[node].ends = true;
  return node;
}

void FilterTree::remove(Index node) {
  HF_ASSERT(node > exact_root && nodes_[node].ends);
  nodes_[node].ends = false;
  while (node > exact_root) {
    const Node& here = nodes_[node];
    if (here.ends || here.literals != 0 || here.plus != none || here.hash_sign != none) return;
    const Index parent = here.parent;
    drop_node(node);
    node = parent;
  }
}

FilterTree::Index FilterTree::make_child(Index parent, std::string_view level) {
  const Index node = take_node();
  nodes_[node].parent = parent;
  if (level == "+") {
    nodes_[parent].plus = node;
  } else if (level == "#") {
    nodes_[parent].hash_sign = node;
  } else {
    nodes_[node].level = level;
    nodes_[node].hash = hash_of(parent, level);
    ++nodes_[parent].literals;
    if ((edge_count_ + 1) * 4 > edges_.size() * 3) grow_edges();
    put_edge(node);
    ++edge_count_;
  }
  return node;
}

FilterTree::Index FilterTree::take_node() {
  if (free_ == none) {
    HF_ASSERT(nodes_.size() < UINT32_MAX);
    nodes_.emplace_back();
    return static_cast<Index>(nodes_.size() - 1);
  }
  const Index node = free_;
  free_ = nodes_[node].parent;
  --free_count_;
  nodes_[node] = Node{};
  return node;
}

void FilterTree::drop_node(Index node) {
  Node& parent = nodes_[nodes_[node].parent];
  if (parent.plus == node) {
    parent.plus = none;
  } else if (parent.hash_sign == node) {
    parent.hash_sign = none;
  } else {
    drop_edge(node);
    --parent.literals;
    --edge_count_;
  }
  nodes_[node] = Node{};
  nodes_[node].parent = free_;
  free_ = node;
  ++free_count_;
}

void FilterTree::put_edge(Index node) {
  const std::size_t mask = edges_.size() - 1;
  std::size_t cell = nodes_[node].hash & mask;
  while (edges_[cell] != none) cell = (cell + 1) & mask;
  edges_[cell] = node;
}

// Backward-shift deletion (Knuth 6.4, algorithm R): no tombstones, so probes never grow stale.
void FilterTree::drop_edge(Index node) {
  const std::size_t mask = edges_.size() - 1;
  std::size_t hole = nodes_[node].hash & mask;
  while (edges_[hole] != node) hole = (hole + 1) & mask;
  for (std::size_t cell = (hole + 1) & mask; edges_[cell] != none; cell = (cell + 1) & mask) {
    const std::size_t home = nodes_[edges_[cell]].hash & mask;
    if (((cell - home) & mask) < ((cell - hole) & mask)) continue;  // it may not move before home
    edges_[hole] = edges_[cell];
    hole = cell;
  }
  edges_[hole] = none;
}

void FilterTree::grow_edges() {
  std::vector<Index> old(edges_.size() * 2, none);
  old.swap(edges_);
  for (const Index node : old) {
    if (node != none) put_edge(node);
  }
}

}  // namespace hf::topic
