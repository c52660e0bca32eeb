// What a list of rules says about a client and a topic.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "broker/access/guard.hpp"

namespace hf::access {

/// Several lists may be asked: `deny` of any beats `allow` of any.
enum class Say { nothing, allow, deny };
[[nodiscard]] Say both(Say a, Say b);

enum class Deed { publish, receive };
[[nodiscard]] Say say(const Rules& rules, Deed deed, const Who& who, std::string_view topic);
/// Subscribing to a whole filter (without its share name): allowed where some of it is, denied where all of it is.
[[nodiscard]] Say say_filter(const Rules& rules, const Who& who, std::string_view filter);
/// Receiving all that a filter matches: allowed where one rule allows all of it, denied where some of it is.
[[nodiscard]] Say say_all(const Rules& rules, const Who& who, std::string_view filter);

/// '*' stands for any text, the empty one too.
[[nodiscard]] bool fits(std::string_view pattern, std::string_view text);
/// The filter with %u and %c replaced; none where the name in question is missing or has a wildcard in it.
[[nodiscard]] std::optional<std::string> filled_in(std::string_view filter, const Who& who);

}  // namespace hf::access
