// Topic aliases of one connection, both ways.
#include "broker/node/topic_aliases.hpp"

#include <utility>

namespace hf::node {

namespace {
constexpr std::size_t worth_it = 4;  ///< the property takes three bytes: shorter topics gain nothing
}

bool InboundAliases::resolve(std::uint16_t alias, std::string& topic) {
  if (!in_range(alias)) return false;
  if (!topic.empty()) {
    topics_.edit()[alias] = topic;  // [MQTT-3.3.2-12]
    return true;
  }
  const auto it = topics_.find(alias);
  if (it == topics_.end()) return false;
  topic = it->second;
  return true;
}

std::optional<OutboundAliases::Use> OutboundAliases::use(std::string_view topic) {
  if (maximum_ == 0 || topic.size() < worth_it) return std::nullopt;
  if (!known_) known_ = std::make_unique<Known>();
  auto& [recent, places, free] = *known_;
  const auto found = places.find(topic);
  if (found == places.end()) {
    if (recent.size() >= std::size_t{maximum_} * 2) {  // the coldest is forgotten, and its alias free again
      if (recent.back().alias != 0) free.push_back(recent.back().alias);
      places.erase(recent.back().topic);
      recent.pop_back();
    }
    recent.push_front({std::string(topic), 0});
    places.emplace(recent.front().topic, recent.begin());
    return std::nullopt;
  }
  Recent& one = *found->second;
  recent.splice(recent.begin(), recent, found->second);
  if (one.alias != 0) return Use{one.alias, true};
  if (!free.empty()) {
    one.alias = free.back();
    free.pop_back();
  } else if (given_ < maximum_) {
    one.alias = ++given_;
  } else {
    return std::nullopt;
  }
  return Use{one.alias, false};
}

}  // namespace hf::node
