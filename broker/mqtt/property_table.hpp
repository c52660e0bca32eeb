// Which property is what type and may stand in which packet (5.0, table 2-4).
#pragma once

#include <array>
#include <cstdint>

namespace hf::mqtt {

/// Where a property list stands. Packet types by their number, the will's list as 0.
constexpr std::uint32_t in_packet(std::uint8_t type) { return 1U << type; }
inline constexpr std::uint8_t will_place = 0;

/// For each identifier the packets it may stand in; 0 is an identifier that does not exist.
constexpr std::array<std::uint16_t, 0x2B> make_property_places() {
  constexpr std::uint16_t will = 1U << 0U, connect = 1U << 1U, connack = 1U << 2U,
                          publish = 1U << 3U, subscribe = 1U << 8U, disconnect = 1U << 14U,
                          auth = 1U << 15U, acks = 0b0000'1010'1111'0000;  // 4..7, 9, 11
  std::array<std::uint16_t, 0x2B> t{};
  const auto set = [&t](std::size_t id, unsigned places) {
    t[id] = static_cast<std::uint16_t>(places);
  };
  set(0x01, publish | will);
  set(0x02, publish | will);
  set(0x03, publish | will);
  set(0x08, publish | will);
  set(0x09, publish | will);
  set(0x0B, publish | subscribe);
  set(0x11, connect | connack | disconnect);
  set(0x12, connack);
  set(0x13, connack);
  set(0x15, connect | connack | auth);
  set(0x16, connect | connack | auth);
  set(0x17, connect);
  set(0x18, will);
  set(0x19, connect);
  set(0x1A, connack);
  set(0x1C, connack | disconnect);
  set(0x1F, connack | acks | disconnect | auth);
  set(0x21, connect | connack);
  set(0x22, connect | connack);
  set(0x23, publish);
  set(0x24, connack);
  set(0x25, connack);
  set(0x26, 0b1100'1111'1111'1111);  // all but PINGREQ and PINGRESP
  set(0x27, connect | connack);
  set(0x28, connack);
  set(0x29, connack);
  set(0x2A, connack);
  return t;
}
inline constexpr auto property_places = make_property_places();

/// Calls `f(identifier, member)` for every property of a set, in the order of identifiers.
template <class Set, class F>
void each_property(Set& set, F&& f) {
  f(0x01, set.payload_format_indicator);
  f(0x02, set.message_expiry_interval);
  f(0x03, set.content_type);
  f(0x08, set.response_topic);
  f(0x09, set.correlation_data);
  f(0x0B, set.subscription_identifiers);
  f(0x11, set.session_expiry_interval);
  f(0x12, set.assigned_client_identifier);
  f(0x13, set.server_keep_alive);
  f(0x15, set.authentication_method);
  f(0x16, set.authentication_data);
  f(0x17, set.request_problem_information);
  f(0x18, set.will_delay_interval);
  f(0x19, set.request_response_information);
  f(0x1A, set.response_information);
  f(0x1C, set.server_reference);
  f(0x1F, set.reason_string);
  f(0x21, set.receive_maximum);
  f(0x22, set.topic_alias_maximum);
  f(0x23, set.topic_alias);
  f(0x24, set.maximum_qos);
  f(0x25, set.retain_available);
  f(0x26, set.user_properties);
  f(0x27, set.maximum_packet_size);
  f(0x28, set.wildcard_subscription_available);
  f(0x29, set.subscription_identifier_available);
  f(0x2A, set.shared_subscription_available);
}

}  // namespace hf::mqtt
