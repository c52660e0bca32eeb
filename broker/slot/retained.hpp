// The retained messages of a slot: one register a topic, with what they come to and what is to be forgotten beside.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "broker/slot/operation.pb.h"
#include "broker/slot/version_vector.hpp"

namespace hf::slot {

/// Keeps the identities of QoS 2 messages that were written: no client id holds U+001F.
inline const std::string retained_writer = "\x1fretained";

struct RetainedMessage {
  Stamp stamp;
  Dot dot;
  Stamp connected;      ///< of the publisher's CONNECT; none where unknown
  pb::Message message;  ///< without identity; an empty payload: deleted
  [[nodiscard]] bool deleted() const { return message.payload().empty(); }
};

/// By topic. Invariant: what is derived (counts, deleted, expiring) agrees with the map.
class RetainedMessages {
 public:
  using Map = std::map<std::string, RetainedMessage, std::less<>>;

  [[nodiscard]] const Map& all() const { return map_; }
  [[nodiscard]] Map::const_iterator find(std::string_view topic) const { return map_.find(topic); }
  [[nodiscard]] Map::const_iterator begin() const { return map_.begin(); }
  [[nodiscard]] Map::const_iterator end() const { return map_.end(); }
  [[nodiscard]] const RetainedMessage& at(const std::string& topic) const { return map_.at(topic); }
  [[nodiscard]] bool empty() const { return map_.empty(); }

  void put(const std::string& topic, RetainedMessage value);
  void erase(std::string_view topic);

  [[nodiscard]] std::uint64_t messages() const { return map_.size() - deleted_.size(); }
  /// Of topics, payloads and properties.
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }
  [[nodiscard]] const std::set<std::string>& deleted() const { return deleted_; }
  /// Wall ms and topic of what has an expiry, soonest first.
  [[nodiscard]] const std::set<std::pair<std::uint64_t, std::string>>& expiring() const { return expiring_; }

 private:
  void leave(const Map::value_type& one);

  Map map_;
  std::uint64_t bytes_ = 0;
  std::set<std::string> deleted_;
  std::set<std::pair<std::uint64_t, std::string>> expiring_;
};

/// What one message counts for in `bytes`.
[[nodiscard]] std::uint64_t retained_bytes(const pb::Message& message);

}  // namespace hf::slot
