// What `+`, `#`, `$` and `$share/` mean to a user; the checks' own reading of MQTT 4.7 and 4.8.
#include "sim/check/topic_match.hpp"

namespace hf::sim {
namespace {

/// Takes the first level off `rest`; `more` tells whether another follows.
std::string_view take_level(std::string_view& rest, bool& more) {
  const auto slash = rest.find('/');
  const auto level = rest.substr(0, slash);
  more = slash != std::string_view::npos;
  rest = more ? rest.substr(slash + 1) : std::string_view();
  return level;
}

}  // namespace

bool is_shared(std::string_view filter) {
  return filter.substr(0, 7) == "$share/";
}

std::string_view without_share(std::string_view filter) {
  if (!is_shared(filter)) return filter;
  const auto slash = filter.find('/', 7);
  return slash == std::string_view::npos ? std::string_view() : filter.substr(slash + 1);
}

bool filter_matches(std::string_view filter, std::string_view topic) {
  if (filter.empty() || topic.empty()) return false;
  // [MQTT-4.7.2-1]: a wildcard in the first level never matches a topic that starts with $.
  if (topic.front() == '$' && (filter.front() == '+' || filter.front() == '#')) return false;
  bool more_filter = true, more_topic = true;
  while (more_filter && more_topic) {
    const auto f = take_level(filter, more_filter);
    if (f == "#") return true;
    const auto t = take_level(topic, more_topic);
    if (f != "+" && f != t) return false;
  }
  if (more_topic) return false;
  return !more_filter || filter == "#";  // `a/#` matches `a`
}

}  // namespace hf::sim
