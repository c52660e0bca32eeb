// The default factory: every node runs the broker itself.
#pragma once

#include "sim/world/process.hpp"

namespace hf::sim {

/// Makes node::Shard. Link hf::sim_shards.
Factory shard_factory();

}  // namespace hf::sim
