// Connections as an operator sees them.
#include "broker/node/front.hpp"
#include "broker/node/parts.hpp"

namespace hf::node {

const Connection* Front::of_client(std::string_view client) const {
  if (parts_.phase != ShardParts::Phase::serving) return nullptr;
  const auto home = by_home_.find(parts_.slots.slot_of(client));
  if (home == by_home_.end()) return nullptr;
  for (const StreamId stream : home->second) {
    const auto it = connections_.find(stream);
    if (it != connections_.end() && it->second->client == client && it->second->phase == Connection::Phase::open)
      return it->second.get();
  }
  return nullptr;
}

bool Front::disconnect(std::string_view client) {
  const Connection* known = of_client(client);
  if (known == nullptr) return false;
  fail(*find(known->stream), mqtt::Reason::administrative_action, "");
  return true;
}

bool Front::counted(Inspection::Direction direction) {
  ++(direction == Inspection::Direction::in ? parts_.counters.packets_in : parts_.counters.packets_out);
  return parts_.traces.on();
}

void Front::show(const Connection& connection, Inspection::Direction direction, const mqtt::Packet& packet) const {
  const auto* connect = std::get_if<mqtt::Connect>(&packet);  // before it is taken, it has no name
  parts_.traces.tell(connect != nullptr ? connect->client_id : connection.client, direction, packet);
}

}  // namespace hf::node
