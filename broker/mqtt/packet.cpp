// Names of reasons and packets, the reason mapping of 3.1.1, and the copy-on-write of properties.
#include "broker/mqtt/packet.hpp"

#include <array>

#include "broker/base/assert.hpp"

namespace hf::mqtt {

std::string_view name(Version version) {
  switch (version) {
    case Version::v31: return "3.1";
    case Version::v311: return "3.1.1";
    case Version::v5: break;
  }
  return "5.0";
}

std::string_view name(Reason reason) {
  switch (reason) {
#define HF_REASON(x) \
  case Reason::x:    \
    return #x;
    HF_REASON(success)
    HF_REASON(granted_qos_1)
    HF_REASON(granted_qos_2)
    HF_REASON(disconnect_with_will_message)
    HF_REASON(no_matching_subscribers)
    HF_REASON(no_subscription_existed)
    HF_REASON(continue_authentication)
    HF_REASON(reauthenticate)
    HF_REASON(unspecified_error)
    HF_REASON(malformed_packet)
    HF_REASON(protocol_error)
    HF_REASON(implementation_specific_error)
    HF_REASON(unsupported_protocol_version)
    HF_REASON(client_identifier_not_valid)
    HF_REASON(bad_user_name_or_password)
    HF_REASON(not_authorized)
    HF_REASON(server_unavailable)
    HF_REASON(server_busy)
    HF_REASON(banned)
    HF_REASON(server_shutting_down)
    HF_REASON(bad_authentication_method)
    HF_REASON(keep_alive_timeout)
    HF_REASON(session_taken_over)
    HF_REASON(topic_filter_invalid)
    HF_REASON(topic_name_invalid)
    HF_REASON(packet_identifier_in_use)
    HF_REASON(packet_identifier_not_found)
    HF_REASON(receive_maximum_exceeded)
    HF_REASON(topic_alias_invalid)
    HF_REASON(packet_too_large)
    HF_REASON(message_rate_too_high)
    HF_REASON(quota_exceeded)
    HF_REASON(administrative_action)
    HF_REASON(payload_format_invalid)
    HF_REASON(retain_not_supported)
    HF_REASON(qos_not_supported)
    HF_REASON(use_another_server)
    HF_REASON(server_moved)
    HF_REASON(shared_subscriptions_not_supported)
    HF_REASON(connection_rate_exceeded)
    HF_REASON(maximum_connect_time)
    HF_REASON(subscription_identifiers_not_supported)
    HF_REASON(wildcard_subscriptions_not_supported)
#undef HF_REASON
  }
  return "reserved";
}

std::uint8_t connect_return_code(Reason reason) {
  if (!is_error(reason)) return 0;
  switch (reason) {
    case Reason::unsupported_protocol_version: return 1;
    case Reason::client_identifier_not_valid: return 2;
    case Reason::bad_user_name_or_password: return 4;
    case Reason::bad_authentication_method:
    case Reason::banned:
    case Reason::not_authorized: return 5;
    default: return 3;
  }
}

Reason reason_of_return_code(std::uint8_t return_code) {
  constexpr std::array reasons{Reason::success,
                               Reason::unsupported_protocol_version,
                               Reason::client_identifier_not_valid,
                               Reason::server_unavailable,
                               Reason::bad_user_name_or_password,
                               Reason::not_authorized};
  HF_ASSERT(return_code < reasons.size());
  return reasons[return_code];
}

std::string_view packet_name(std::uint8_t type) {
  constexpr std::array<std::string_view, 16> names{
      "reserved", "CONNECT", "CONNACK",     "PUBLISH",  "PUBACK",  "PUBREC",   "PUBREL",     "PUBCOMP",
      "SUBSCRIBE", "SUBACK", "UNSUBSCRIBE", "UNSUBACK", "PINGREQ", "PINGRESP", "DISCONNECT", "AUTH"};
  return type < names.size() ? names[type] : names[0];
}

PropertySet& Properties::edit() {
  if (!set_) {
    set_ = std::make_shared<PropertySet>();
  } else if (set_.use_count() > 1) {
    set_ = std::make_shared<PropertySet>(*set_);
  }
  return *set_;
}

const PropertySet& Properties::none() {
  static const PropertySet set;
  return set;
}

}  // namespace hf::mqtt
