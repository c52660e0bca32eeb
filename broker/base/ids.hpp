// The names of things: nodes, shards, slots, streams, writers.
#pragma once

#include <compare>
#include <cstdint>

namespace hf {

/// A member of the cluster. 0 is nobody.
using NodeId = std::uint32_t;
/// A single-threaded actor within a node.
using ShardId = std::uint16_t;
/// A hash slot, 0 .. slots-1.
using SlotId = std::uint32_t;
/// A byte stream, unique within one boot of a process, client or peer. 0 is none.
using StreamId = std::uint64_t;

/// Where an actor lives.
struct Address {
  NodeId node = 0;
  ShardId shard = 0;
  friend auto operator<=>(const Address&, const Address&) = default;
};

/// A writer: a node that restarts is a new origin. Boots of one node only ever grow.
struct Origin {
  NodeId node = 0;
  std::uint32_t boot = 0;
  friend auto operator<=>(const Origin&, const Origin&) = default;
};

}  // namespace hf
