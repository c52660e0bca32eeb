// A run's result as JSON, for machines.
#pragma once

#include <cstdint>
#include <string>

#include "sim/scenario/run.hpp"

namespace hf::reports {

/// Everything the text says, with machine and build named, and the resolved scenario.
std::string to_json(const sim::RunResult& result, const std::string& resolved, std::int64_t wall_ns,
                    const std::string& machine, const std::string& build);

}  // namespace hf::reports
