// Topic aliases of one connection, both ways. They end with it [MQTT-3.3.2-7].
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/base/on_demand.hpp"

namespace hf::node {

/// What the client calls its topics.
class InboundAliases {
 public:
  /// `maximum` is what CONNACK said: no larger alias may come [MQTT-3.3.2-9].
  explicit InboundAliases(std::uint16_t maximum = 0) : maximum_(maximum) {}

  /// Puts the topic meant into `topic`: the one given, which the alias means from now on, or the one it means where
  /// `topic` is empty. False: the alias is out of range, or means nothing yet (0x94, or 0x82).
  [[nodiscard]] bool resolve(std::uint16_t alias, std::string& topic);
  [[nodiscard]] bool in_range(std::uint16_t alias) const { return alias != 0 && alias <= maximum_; }

 private:
  std::uint16_t maximum_;
  SparseMap<std::map<std::uint16_t, std::string>> topics_;
};

/// What we call topics towards the client: a topic gets an alias when it comes a second time, one that was not sent
/// for long gives its alias to a hotter one.
class OutboundAliases {
 public:
  /// At most `maximum` aliases [MQTT-3.1.2-26]; 0 is none [MQTT-3.1.2-27].
  explicit OutboundAliases(std::uint16_t maximum = 0) : maximum_(maximum) {}

  struct Use {
    std::uint16_t alias = 0;
    bool known = false;  ///< the client has been told: the topic may be left out
  };
  /// How to send this topic. Whatever it answers must be sent: the alias is taken as told.
  [[nodiscard]] std::optional<Use> use(std::string_view topic);

 private:
  struct Recent {
    std::string topic;
    std::uint16_t alias = 0;
  };
  struct Known {
    std::list<Recent> recent;  ///< last used first; at most twice the maximum
    std::map<std::string_view, std::list<Recent>::iterator> places;
    std::vector<std::uint16_t> free;
  };

  std::uint16_t maximum_;
  std::uint16_t given_ = 0;
  std::unique_ptr<Known> known_;  ///< from the first topic on
};

}  // namespace hf::node
