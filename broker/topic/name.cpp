// Topic names and topic filters: the rules of MQTT 5 sections 4.7 and 4.8.2, one level at a time.
#include "broker/topic/name.hpp"

#include <algorithm>

namespace hf::topic {

namespace {

/// The level that starts at `start`, up to the next `/` or the end.
std::string_view level_at(std::string_view text, std::size_t start) {
  return text.substr(start, text.find('/', start) - start);
}

bool within_limits(std::string_view text) {
  if (text.empty() || text.size() > length_max) return false;
  if (text.find('\0') != std::string_view::npos) return false;
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '/')) < levels_max;
}

}  // namespace

bool valid_name(std::string_view name) {
  return within_limits(name) && name.find_first_of("+#") == std::string_view::npos;
}

bool valid_filter(std::string_view filter) {
  if (!within_limits(filter)) return false;
  for (std::size_t at = filter.find_first_of("+#"); at != std::string_view::npos;
       at = filter.find_first_of("+#", at + 1)) {
    const bool starts_level = at == 0 || filter[at - 1] == '/';
    const bool ends_filter = at + 1 == filter.size();
    const bool ends_level = ends_filter || filter[at + 1] == '/';
    if (!starts_level || !ends_level) return false;       // [MQTT-4.7.1-2]
    if (filter[at] == '#' && !ends_filter) return false;  // [MQTT-4.7.1-1]
  }
  return true;
}

std::optional<ParsedFilter> parse_filter(std::string_view text) {
  constexpr std::string_view prefix = "$share/";
  ParsedFilter parsed{{}, text};
  if (text.starts_with(prefix)) {
    if (text.size() > length_max) return std::nullopt;
    parsed.group = level_at(text, prefix.size());
    const std::size_t slash = prefix.size() + parsed.group.size();
    if (parsed.group.empty()) return std::nullopt;  // [MQTT-4.8.2-1]
    if (slash == text.size()) return std::nullopt;  // [MQTT-4.8.2-2]
    const std::string_view barred("+#\0", 3);       // [MQTT-4.8.2-2], [MQTT-4.7.3-2]
    if (parsed.group.find_first_of(barred) != std::string_view::npos) return std::nullopt;
    parsed.filter = text.substr(slash + 1);
  }
  if (!valid_filter(parsed.filter)) return std::nullopt;
  return parsed;
}

bool matches(std::string_view filter, std::string_view name) {
  if (filter.empty() || name.empty()) return false;
  const bool wild = filter.front() == '+' || filter.front() == '#';
  if (wild && name.front() == '$') return false;  // [MQTT-4.7.2-1]
  // Starts of the next level; one past the end when the last level has been consumed.
  std::size_t in_filter = 0;
  std::size_t in_name = 0;
  while (in_filter <= filter.size()) {
    const std::string_view wanted = level_at(filter, in_filter);
    if (wanted == "#") return true;  // also the parent level: "a/#" matches "a"
    if (in_name > name.size()) return false;
    const std::string_view level = level_at(name, in_name);
    if (wanted != "+" && wanted != level) return false;
    in_filter += wanted.size() + 1;
    in_name += level.size() + 1;
  }
  return in_name > name.size();
}

}  // namespace hf::topic
