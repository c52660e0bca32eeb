// The shape a topic name or filter must have to stand in a packet; what it matches is broker/topic's.
#pragma once

#include <string_view>

namespace hf::mqtt {

/// Not empty, no '+' and no '#'. UTF-8 is checked elsewhere.
bool is_topic_name(std::string_view topic);

enum class FilterFault { none, empty, multi_level, single_level, share_name };

/// What is wrong with a filter; `shared`: "$share/" is special (5.0), not so in 3.1.1.
FilterFault filter_fault(std::string_view filter, bool shared);

/// Starts with "$share/".
inline bool is_shared_filter(std::string_view filter) { return filter.starts_with("$share/"); }

}  // namespace hf::mqtt
