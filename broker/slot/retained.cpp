// The retained messages of a slot, and what is derived of them.
#include "broker/slot/retained.hpp"

namespace hf::slot {

std::uint64_t retained_bytes(const pb::Message& message) {
  return message.topic().size() + message.payload().size() + message.properties().size();
}

void RetainedMessages::leave(const Map::value_type& one) {
  bytes_ -= retained_bytes(one.second.message);
  if (one.second.deleted()) deleted_.erase(one.first);
  if (const auto at = one.second.message.expires_ms(); at != 0 && !one.second.deleted()) expiring_.erase({at, one.first});
}

void RetainedMessages::put(const std::string& topic, RetainedMessage value) {
  const auto [it, fresh] = map_.try_emplace(topic);
  if (!fresh) leave(*it);
  it->second = std::move(value);
  bytes_ += retained_bytes(it->second.message);
  if (it->second.deleted()) deleted_.insert(topic);
  if (const auto at = it->second.message.expires_ms(); at != 0 && !it->second.deleted()) expiring_.emplace(at, topic);
}

void RetainedMessages::erase(std::string_view topic) {
  const auto it = map_.find(topic);
  if (it == map_.end()) return;
  leave(*it);
  map_.erase(it);
}

}  // namespace hf::slot
