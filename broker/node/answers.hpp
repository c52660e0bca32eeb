// What may be said to a client: nothing larger than it takes, no explanations that it did not ask for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "broker/mqtt/encoder.hpp"
#include "broker/mqtt/packet.hpp"

namespace hf::node {

/// What the client's CONNECT allows.
struct Allowance {
  std::uint32_t packet_size = 0;    ///< 0: no limit
  bool problem_information = true;  ///< reason strings and user properties, beyond CONNACK and DISCONNECT
};

/// Leaves out what the client does not want [MQTT-3.1.2-29] or what makes the packet too large for it [MQTT-3.2.2-19],
/// [MQTT-3.4.2-2]. False: it is too large even so, and must not be sent [MQTT-3.1.2-24].
template <class Packet>
bool trim(Packet& packet, const Allowance& allowance, mqtt::Version version) {
  constexpr bool always = std::is_same_v<Packet, mqtt::Connack> || std::is_same_v<Packet, mqtt::Disconnect>;
  const auto forget = [&packet] {
    if (packet.properties.empty()) return;
    packet.properties.edit().reason_string.reset();
    packet.properties.edit().user_properties.clear();
  };
  if (!always && !allowance.problem_information) forget();
  if (allowance.packet_size == 0 || mqtt::encoded_size(mqtt::Packet(packet), version) <= allowance.packet_size) return true;
  forget();
  return mqtt::encoded_size(mqtt::Packet(packet), version) <= allowance.packet_size;
}

}  // namespace hf::node
