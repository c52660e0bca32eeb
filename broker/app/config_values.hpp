// One value of the configuration from JSON: numbers in a range, durations, words; and near names.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "broker/base/result.hpp"
#include "broker/base/time.hpp"

namespace hf::app {

using Json = nlohmann::ordered_json;

/// A whole number within [low, high].
std::optional<std::uint64_t> number_in(const Json& value, std::uint64_t low, std::uint64_t high);
/// "250ms", "1.5s", "10m", "2h", "1d"; whole nanoseconds, at most 10 years. A bare number is refused.
std::optional<Duration> duration_of(const Json& value);
/// The shortest of those forms that says it exactly.
std::string duration_text(Duration duration);
/// "FILE: FIELD is VALUE; expected …".
tl::unexpected<Error> wrong_value(const std::string& source, const std::string& path, const Json& value,
                                  const std::string& expected);
/// Numbers and words of JSON as they are; of texts, lists and objects only what they are: for where a secret may stand.
Json outline(const Json& value);
/// The name with the least edits, if it is near enough to be meant.
std::string nearest(std::string_view word, const std::vector<std::string>& names);

}  // namespace hf::app
