// The broker itself on every node, and the view inside it.
#pragma once

#include "sim/scenario/run.hpp"

namespace hf::sim {

/// Link hf::scenario_shards.
Inside shards();

}  // namespace hf::sim
