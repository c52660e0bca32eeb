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
    topics_[alias] = topic;  // [MQTT-3.3.2-12]
    return true;
  }
  const auto it = topics_.find(alias);
  if (it == topics_.end()) return false;
  topic = it->second;
  return true;
}

std::optional<OutboundAliases::Use> OutboundAliases::use(std::string_view topic) {
  if (maximum_ == 0 || topic.size() < worth_it) return std::nullopt;
  const auto found = places_.find(topic);
  if (found == places_.end()) {
    if (recent_.size() >= std::size_t{maximum_} * 2) {  // the coldest is forgotten, and its alias free again
      if (recent_.back().alias != 0) free_.push_back(recent_.back().alias);
      places_.erase(recent_.back().topic);
      recent_.pop_back();
    }
    recent_.push_front({std::string(topic), 0});
    places_.emplace(recent_.front().topic, recent_.begin());
    return std::nullopt;
  }
  Recent& one = *found->second;
  recent_.splice(recent_.begin(), recent_, found->second);
  if (one.alias != 0) return Use{one.alias, true};
  if (!free_.empty()) {
    one.alias = free_.back();
    free_.pop_back();
  } else if (given_ < maximum_) {
    one.alias = ++given_;
  } else {
    return std::nullopt;
  }
  return Use{one.alias, false};
}

}  // namespace hf::node
