// What `+`, `#`, `$` and `$share/` mean to a user; the checks' own reading of MQTT 4.7 and 4.8.
#pragma once

#include <string_view>

namespace hf::sim {

/// Does a plain filter (no $share) match the topic?
bool filter_matches(std::string_view filter, std::string_view topic);

bool is_shared(std::string_view filter);

/// `$share/group/a/b` -> `a/b`; others as they are.
std::string_view without_share(std::string_view filter);

}  // namespace hf::sim
