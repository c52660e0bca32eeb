// Who wants to see the packets of which client.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "broker/mqtt/describe.hpp"
#include "broker/node/inspection.hpp"

namespace hf::node {

class Traces {
 public:
  [[nodiscard]] bool on() const { return !sinks_.empty(); }
  bool add(std::string_view client, Inspection::Sink sink) {
    if (sinks_.size() >= Inspection::traces_max && !sinks_.contains(client)) return false;
    sinks_.insert_or_assign(std::string(client), std::move(sink));
    return true;
  }
  void remove(std::string_view client) {
    if (const auto it = sinks_.find(client); it != sinks_.end()) sinks_.erase(it);
  }
  void tell(std::string_view client, Inspection::Direction direction, const mqtt::Packet& packet) const {
    if (const auto it = sinks_.find(client); it != sinks_.end()) it->second(direction, mqtt::describe(packet));
  }

 private:
  std::map<std::string, Inspection::Sink, std::less<>> sinks_;
};

}  // namespace hf::node
