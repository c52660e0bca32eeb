// Scenario files in, plain values out; every draw resolved.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "broker/base/result.hpp"
#include "sim/scenario/scenario.hpp"

namespace hf::sim {

/// `file` is for messages only. `seed` replaces the file's own. The error names the file, the path
/// within it ("clients[0].publish[1].rate"), what is wrong, and the nearest known name.
Result<Scenario> parse_scenario(std::string_view text, std::string_view file,
                                std::optional<std::uint64_t> seed = std::nullopt);

}  // namespace hf::sim
