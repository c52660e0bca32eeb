// The fifteen control packets of MQTT 3.1.1 and 5.0 as plain values, one type for both versions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "broker/base/bytes.hpp"
#include "broker/mqtt/properties.hpp"
#include "broker/mqtt/reason.hpp"

namespace hf::mqtt {

using PacketId = std::uint16_t;  ///< 0 is none

struct Will {
  std::string topic;
  Bytes payload;
  std::uint8_t qos = 0;
  bool retain = false;
  Properties properties;
  friend bool operator==(const Will&, const Will&) = default;
};

struct Connect {
  Version version = Version::v5;
  bool clean_start = true;  ///< 3.1.1: clean session
  std::uint16_t keep_alive = 0;
  std::string client_id;
  std::optional<Will> will;
  std::optional<std::string> username;
  std::optional<std::string> password;  ///< binary
  Properties properties;
  friend bool operator==(const Connect&, const Connect&) = default;
};

struct Connack {
  bool session_present = false;
  Reason reason = Reason::success;  ///< 3.1.1: through connect_return_code()
  Properties properties;
  friend bool operator==(const Connack&, const Connack&) = default;
};

struct Publish {
  std::string topic;
  Bytes payload;
  std::uint8_t qos = 0;
  bool retain = false;
  bool dup = false;
  PacketId packet_id = 0;  ///< on the wire only with QoS 1 and 2
  Properties properties;
  friend bool operator==(const Publish&, const Publish&) = default;
};

/// PUBACK, PUBREC, PUBREL and PUBCOMP look alike. 3.1.1 carries the packet id only.
struct Acknowledgement {
  PacketId packet_id = 0;
  Reason reason = Reason::success;
  Properties properties;
  friend bool operator==(const Acknowledgement&, const Acknowledgement&) = default;
};
struct Puback : Acknowledgement {
  friend bool operator==(const Puback&, const Puback&) = default;
};
struct Pubrec : Acknowledgement {
  friend bool operator==(const Pubrec&, const Pubrec&) = default;
};
struct Pubrel : Acknowledgement {
  friend bool operator==(const Pubrel&, const Pubrel&) = default;
};
struct Pubcomp : Acknowledgement {
  friend bool operator==(const Pubcomp&, const Pubcomp&) = default;
};

/// One filter of a SUBSCRIBE. 3.1.1 knows the QoS only.
struct Subscription {
  std::string filter;
  std::uint8_t qos = 0;
  bool no_local = false;
  bool retain_as_published = false;
  std::uint8_t retain_handling = 0;  ///< 0 send, 1 send if new, 2 do not send
  friend bool operator==(const Subscription&, const Subscription&) = default;
};

struct Subscribe {
  PacketId packet_id = 0;
  std::vector<Subscription> subscriptions;
  Properties properties;
  friend bool operator==(const Subscribe&, const Subscribe&) = default;
};

struct Suback {
  PacketId packet_id = 0;
  std::vector<std::uint8_t> codes;  ///< reason codes; 3.1.1 writes every error as 0x80
  Properties properties;
  friend bool operator==(const Suback&, const Suback&) = default;
};

struct Unsubscribe {
  PacketId packet_id = 0;
  std::vector<std::string> filters;
  Properties properties;
  friend bool operator==(const Unsubscribe&, const Unsubscribe&) = default;
};

struct Unsuback {
  PacketId packet_id = 0;
  std::vector<std::uint8_t> codes;  ///< empty in 3.1.1
  Properties properties;
  friend bool operator==(const Unsuback&, const Unsuback&) = default;
};

struct Pingreq {
  friend bool operator==(const Pingreq&, const Pingreq&) = default;
};
struct Pingresp {
  friend bool operator==(const Pingresp&, const Pingresp&) = default;
};

struct Disconnect {
  Reason reason = Reason::normal_disconnection;
  Properties properties;
  friend bool operator==(const Disconnect&, const Disconnect&) = default;
};

struct Auth {
  Reason reason = Reason::success;
  Properties properties;
  friend bool operator==(const Auth&, const Auth&) = default;
};

/// In the order of the control packet types: `index() + 1` is the type on the wire.
using Packet = std::variant<Connect, Connack, Publish, Puback, Pubrec, Pubrel, Pubcomp, Subscribe,
                            Suback, Unsubscribe, Unsuback, Pingreq, Pingresp, Disconnect, Auth>;

/// "CONNECT", "CONNACK", ... for a control packet type 1..15, "reserved" otherwise.
std::string_view packet_name(std::uint8_t type);
inline std::string_view packet_name(const Packet& packet) {
  return packet_name(static_cast<std::uint8_t>(packet.index() + 1));
}

}  // namespace hf::mqtt
