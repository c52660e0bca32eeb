// Two topic filters held against each other.
#pragma once

#include <string_view>

namespace hf::access {

/// Is there a topic that both filters match?
[[nodiscard]] bool overlap(std::string_view a, std::string_view b);
/// Does `a` match every topic that `b` matches?
[[nodiscard]] bool covers(std::string_view a, std::string_view b);

}  // namespace hf::access
