// Where '+', '#' and '$share/' may stand.
#include "broker/mqtt/topic_syntax.hpp"

namespace hf::mqtt {

bool is_topic_name(std::string_view topic) {
  if (topic.empty()) return false;
  for (const char c : topic) {
    if (c == '+' || c == '#') return false;
  }
  return true;
}

FilterFault filter_fault(std::string_view filter, bool shared) {
  if (shared && is_shared_filter(filter)) {
    filter.remove_prefix(7);
    const std::size_t slash = filter.find('/');
    // [MQTT-4.8.2-1], [MQTT-4.8.2-2]: a name, then '/', then a filter.
    if (slash == 0 || slash == std::string_view::npos || slash + 1 == filter.size())
      return FilterFault::share_name;
    if (!is_topic_name(filter.substr(0, slash))) return FilterFault::share_name;
    filter.remove_prefix(slash + 1);
  }
  if (filter.empty()) return FilterFault::empty;
  for (std::size_t i = 0; i < filter.size(); ++i) {
    const bool starts = i == 0 || filter[i - 1] == '/';
    const bool last = i + 1 == filter.size();
    if (filter[i] == '#' && !(starts && last)) return FilterFault::multi_level;
    if (filter[i] == '+' && !(starts && (last || filter[i + 1] == '/')))
      return FilterFault::single_level;
  }
  return FilterFault::none;
}

}  // namespace hf::mqtt
