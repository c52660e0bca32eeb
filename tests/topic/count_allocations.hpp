// How often this test binary has asked for memory.
#pragma once

#include <cstddef>

namespace hf::topic {

[[nodiscard]] std::size_t allocations();

}  // namespace hf::topic
