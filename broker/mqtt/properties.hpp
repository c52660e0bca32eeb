// The 27 properties of MQTT 5.0 (section 2.2.2.2), absent at the cost of one null pointer.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace hf::mqtt {

using UserProperty = std::pair<std::string, std::string>;

/// Every property there is; which of them a packet may carry is the codec's business.
struct PropertySet {
  std::optional<std::uint8_t> payload_format_indicator;         ///< 0x01, 0 or 1
  std::optional<std::uint32_t> message_expiry_interval;         ///< 0x02, seconds
  std::optional<std::string> content_type;                      ///< 0x03
  std::optional<std::string> response_topic;                    ///< 0x08
  std::optional<std::string> correlation_data;                  ///< 0x09, binary
  std::vector<std::uint32_t> subscription_identifiers;          ///< 0x0B, 1 .. 268435455
  std::optional<std::uint32_t> session_expiry_interval;         ///< 0x11, seconds
  std::optional<std::string> assigned_client_identifier;        ///< 0x12
  std::optional<std::uint16_t> server_keep_alive;               ///< 0x13, seconds
  std::optional<std::string> authentication_method;             ///< 0x15
  std::optional<std::string> authentication_data;               ///< 0x16, binary
  std::optional<bool> request_problem_information;              ///< 0x17
  std::optional<std::uint32_t> will_delay_interval;             ///< 0x18, seconds
  std::optional<bool> request_response_information;             ///< 0x19
  std::optional<std::string> response_information;              ///< 0x1A
  std::optional<std::string> server_reference;                  ///< 0x1C
  std::optional<std::string> reason_string;                     ///< 0x1F
  std::optional<std::uint16_t> receive_maximum;                 ///< 0x21, not 0
  std::optional<std::uint16_t> topic_alias_maximum;             ///< 0x22
  std::optional<std::uint16_t> topic_alias;                     ///< 0x23, not 0
  std::optional<std::uint8_t> maximum_qos;                      ///< 0x24, 0 or 1
  std::optional<bool> retain_available;                         ///< 0x25
  std::vector<UserProperty> user_properties;                    ///< 0x26, in order
  std::optional<std::uint32_t> maximum_packet_size;             ///< 0x27, not 0
  std::optional<bool> wildcard_subscription_available;          ///< 0x28
  std::optional<bool> subscription_identifier_available;        ///< 0x29
  std::optional<bool> shared_subscription_available;            ///< 0x2A

  friend bool operator==(const PropertySet&, const PropertySet&) = default;
};

/// A property set that copies in constant time and is written through `edit()` only.
///
///     if (packet.properties->topic_alias) ...
///     packet.properties.edit().reason_string = "quota";
///
/// Invariants: 1. what one holder edits no other holder sees. 2. `->` always points at a set.
/// A value of this type belongs to one thread, its copies included: no locks stand behind it.
class Properties {
 public:
  /// Nothing was ever set. (A set whose members were all cleared again is empty on the wire, too.)
  [[nodiscard]] bool empty() const { return !set_; }
  [[nodiscard]] const PropertySet& get() const { return set_ ? *set_ : none(); }
  const PropertySet* operator->() const { return &get(); }
  const PropertySet& operator*() const { return get(); }

  /// The set for writing: made when absent, cloned when shared.
  PropertySet& edit();
  void clear() { set_.reset(); }

  friend bool operator==(const Properties& a, const Properties& b) {
    return a.set_ == b.set_ || a.get() == b.get();
  }

 private:
  static const PropertySet& none();
  std::shared_ptr<PropertySet> set_;
};

}  // namespace hf::mqtt
