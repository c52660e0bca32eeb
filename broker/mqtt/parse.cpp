// Packet bodies but CONNECT, and what the first byte gives away.
#include "broker/mqtt/parse.hpp"

#include <algorithm>
#include <array>

#include "broker/mqtt/topic_syntax.hpp"
#include "broker/mqtt/utf8.hpp"

namespace hf::mqtt {
namespace {

constexpr std::uint8_t t_connect = 1, t_connack = 2, t_publish = 3, t_puback = 4, t_pubrec = 5,
                       t_pubrel = 6, t_pubcomp = 7, t_subscribe = 8, t_suback = 9,
                       t_unsubscribe = 10, t_unsuback = 11, t_pingreq = 12, t_pingresp = 13,
                       t_disconnect = 14, t_auth = 15;

/// Types a server may receive, and a client.
constexpr unsigned to_server = 0b1101'0101'1111'1010, to_client = 0b1110'1010'1111'1100;

Fault publish_flags_fault(std::uint8_t flags) {
  if ((flags & 6U) == 6U)
    return {Reason::malformed_packet, "QoS", "is 3", "MQTT-3.3.1-4"};
  return {Reason::malformed_packet, "DUP", "is set with QoS 0", "MQTT-3.3.1-2"};
}

const char* flags_id(std::uint8_t type, bool v5) {
  switch (type) {
    case t_pubrel: return "MQTT-3.6.1-1";
    case t_subscribe: return "MQTT-3.8.1-1";
    case t_unsubscribe: return "MQTT-3.10.1-1";
    case t_disconnect: return "MQTT-3.14.1-1";
    case t_auth: return "MQTT-3.15.1-1";
    default: return v5 ? "MQTT-2.1.3-1" : "MQTT-2.2.2-2";
  }
}

const char* reason_id(std::uint8_t type) {
  switch (type) {
    case t_connack: return "MQTT-3.2.2-8";
    case t_puback: return "MQTT-3.4.2-1";
    case t_pubrec: return "MQTT-3.5.2-1";
    case t_pubrel: return "MQTT-3.6.2-1";
    case t_pubcomp: return "MQTT-3.7.2-1";
    case t_suback: return "MQTT-3.9.3-2";
    case t_unsuback: return "MQTT-3.11.3-2";
    case t_disconnect: return "MQTT-3.14.2-1";
    default: return "MQTT-3.15.2-1";
  }
}

template <std::size_t n>
bool one_of(const std::array<std::uint8_t, n>& codes, std::uint8_t code) {
  return std::find(codes.begin(), codes.end(), code) != codes.end();
}

}  // namespace

bool reason_allowed(std::uint8_t type, Role receiver, std::uint8_t code) {
  if (code == 0) return type != t_auth || receiver == Role::client;
  switch (type) {
    case t_connack:
      return one_of(std::to_array<std::uint8_t>(
                        {0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8A,
                         0x8C, 0x90, 0x95, 0x97, 0x99, 0x9A, 0x9B, 0x9C, 0x9D, 0x9F}),
                    code);
    case t_puback:
    case t_pubrec:
      return one_of(
          std::to_array<std::uint8_t>({0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99}), code);
    case t_pubrel:
    case t_pubcomp: return code == 0x92;
    case t_suback:
      return one_of(std::to_array<std::uint8_t>(
                        {0x01, 0x02, 0x80, 0x83, 0x87, 0x8F, 0x91, 0x97, 0x9E, 0xA1, 0xA2}),
                    code);
    case t_unsuback:
      return one_of(std::to_array<std::uint8_t>({0x11, 0x80, 0x83, 0x87, 0x8F, 0x91}), code);
    case t_disconnect:
      if (code == 0x04) return receiver == Role::server;
      return (code >= 0x80 && code <= 0xA2 && code != 0x84 && code != 0x85 && code != 0x86 &&
              code != 0x88 && code != 0x8A && code != 0x91 && code != 0x92);
    case t_auth: return code == 0x18 || (code == 0x19 && receiver == Role::server);
    default: return false;
  }
}

std::string fault_text(std::uint8_t type, const Fault& fault) {
  std::string text(packet_name(type));
  text.append(": ").append(fault.subject).append(" ").append(fault.problem);
  if (*fault.id != 0) text.append(" [").append(fault.id).append("]");
  return text;
}

std::optional<Fault> first_byte_fault(std::uint8_t first,
                                      Role role,
                                      std::optional<Version> version) {
  const std::uint8_t type = first >> 4U, flags = first & 0x0FU;
  const bool old = version && *version != Version::v5;
  if (type == 0 || (type == t_auth && old))
    return Fault{Reason::malformed_packet, "packet type", "is reserved", ""};
  if (role == Role::server && !version && type != t_connect)
    return Fault{Reason::protocol_error, "packet", "comes before CONNECT", "MQTT-3.1.0-1"};
  if (role == Role::server && version && type == t_connect)
    return Fault{Reason::protocol_error, "packet", "is a second CONNECT", "MQTT-3.1.0-2"};
  const unsigned allowed = role == Role::server ? to_server : to_client;
  if ((allowed >> type & 1U) == 0 || (type == t_disconnect && old && role == Role::client))
    return Fault{Reason::protocol_error, "packet", "is never sent in this direction", ""};
  if (type == t_publish) {
    if ((flags & 6U) == 6U || (flags & 0xEU) == 8U) return publish_flags_fault(flags);
    return std::nullopt;
  }
  const bool at_qos_1 = type == t_pubrel || type == t_subscribe || type == t_unsubscribe;
  // 3.1 sends these again with DUP, as it does PUBLISH.
  const unsigned ignored = at_qos_1 && version == Version::v31 ? 8 : 0;
  if ((flags & ~ignored) != (at_qos_1 ? 2U : 0U))
    return Fault{Reason::malformed_packet, "flags", "are reserved", flags_id(type, !old)};
  return std::nullopt;
}

template <class Struct, class Member>
bool Parser::into(Packet& out, Member&& parse) {
  Struct packet;
  if (!parse(packet) || !end()) return false;
  out.emplace<Struct>(std::move(packet));
  return true;
}

bool Parser::packet(Header header, Packet& out) {
  if (header.type() != t_connect && !header.minimal_length && v5())
    return fail(Reason::malformed_packet, "remaining length", "takes more bytes than it needs",
                "MQTT-1.5.5-1");
  switch (header.type()) {
    case t_connect: return into<Connect>(out, [&](auto& p) { return connect(header, p); });
    case t_connack: return into<Connack>(out, [&](auto& p) { return connack(p); });
    case t_publish: return into<Publish>(out, [&](auto& p) { return publish(header, p); });
    case t_puback: return into<Puback>(out, [&](auto& p) { return acknowledgement(t_puback, p); });
    case t_pubrec: return into<Pubrec>(out, [&](auto& p) { return acknowledgement(t_pubrec, p); });
    case t_pubrel: return into<Pubrel>(out, [&](auto& p) { return acknowledgement(t_pubrel, p); });
    case t_pubcomp:
      return into<Pubcomp>(out, [&](auto& p) { return acknowledgement(t_pubcomp, p); });
    case t_subscribe: return into<Subscribe>(out, [&](auto& p) { return subscribe(p); });
    case t_suback: return into<Suback>(out, [&](auto& p) { return suback(p); });
    case t_unsubscribe: return into<Unsubscribe>(out, [&](auto& p) { return unsubscribe(p); });
    case t_unsuback: return into<Unsuback>(out, [&](auto& p) { return unsuback(p); });
    case t_pingreq: return into<Pingreq>(out, [](auto&) { return true; });
    case t_pingresp: return into<Pingresp>(out, [](auto&) { return true; });
    case t_disconnect: return into<Disconnect>(out, [&](auto& p) { return disconnect(p); });
    default: return into<Auth>(out, [&](auto& p) { return auth(p); });
  }
}

bool Parser::end() {
  if (in_.empty()) return true;
  return fail(Reason::malformed_packet, "remaining length", "leaves bytes behind the packet");
}

bool Parser::binary(const char* subject, std::string_view& out) {
  return in_.binary(out) || cut_short(subject);
}

bool Parser::text(const char* subject, std::string_view& out) {
  if (!in_.binary(out)) return cut_short(subject);
  if (is_mqtt_string(out)) return true;
  if (is_utf8(out))
    return fail(Reason::malformed_packet, subject, "contains U+0000", "MQTT-1.5.4-2",
                "MQTT-1.5.3-2");
  return fail(Reason::malformed_packet, subject, "is not well-formed UTF-8", "MQTT-1.5.4-1",
              "MQTT-1.5.3-1");
}

bool Parser::text(const char* subject, std::string& out) {
  std::string_view view;
  if (!text(subject, view)) return false;
  out.assign(view);
  return true;
}

bool Parser::packet_id(PacketId& out) {
  if (!in_.u16(out)) return cut_short("packet identifier");
  if (out == 0)
    return fail(Reason::protocol_error, "packet identifier", "is 0",
                role_ == Role::server ? "MQTT-2.2.1-3" : "MQTT-2.2.1-4", "MQTT-2.3.1-1");
  return true;
}

bool Parser::reason(std::uint8_t type, Reason& out) {
  std::uint8_t read = 0;
  if (!in_.u8(read)) return cut_short("reason code");
  if (!reason_allowed(type, role_, read))
    return fail(Reason::protocol_error, "reason code", "is none of this packet's", reason_id(type));
  out = static_cast<Reason>(read);
  return true;
}

bool Parser::publish(Header header, Publish& out) {
  const std::uint8_t flags = header.flags();
  out.dup = (flags & 8U) != 0;
  out.qos = flags >> 1U & 3U;
  out.retain = (flags & 1U) != 0;
  if (!text("topic name", out.topic)) return false;
  if (!out.topic.empty() && !is_topic_name(out.topic))
    return fail(Reason::topic_name_invalid, "topic name", "contains a wildcard", "MQTT-3.3.2-2",
                "MQTT-3.3.2-2");
  if (out.topic.empty() && !v5())
    return fail(Reason::topic_name_invalid, "topic name", "is empty", "", "MQTT-4.7.3-1");
  if (out.qos > 0 && !packet_id(out.packet_id)) return false;
  if (!properties(t_publish, out.properties)) return false;
  if (out.topic.empty() && !out.properties->topic_alias)
    return fail(Reason::protocol_error, "topic name", "is empty without a topic alias");
  out.payload = body_.slice(body_.size() - in_.left(), in_.left());
  in_ = Reader({});
  return true;
}

bool Parser::acknowledgement(std::uint8_t type, Acknowledgement& out) {
  if (!packet_id(out.packet_id)) return false;
  if (!v5() || in_.empty()) return true;  // two bytes: success
  if (!reason(type, out.reason)) return false;
  return in_.empty() || properties(type, out.properties);  // three bytes: no property length
}

bool Parser::filter(std::string& out) {
  if (!text("topic filter", out)) return false;
  switch (filter_fault(out, v5())) {
    case FilterFault::none: return true;
    case FilterFault::empty:
      return fail(Reason::malformed_packet, "topic filter", "is empty", "MQTT-4.7.3-1",
                  "MQTT-4.7.3-1");
    case FilterFault::multi_level:
      return fail(Reason::malformed_packet, "topic filter", "has a '#' that is no last level",
                  "MQTT-4.7.1-1", "MQTT-4.7.1-2");
    case FilterFault::single_level:
      return fail(Reason::malformed_packet, "topic filter", "has a '+' that is no whole level",
                  "MQTT-4.7.1-2", "MQTT-4.7.1-3");
    case FilterFault::share_name: break;
  }
  return fail(Reason::malformed_packet, "topic filter", "is no $share/{ShareName}/{filter}",
              "MQTT-4.8.2-2");
}

bool Parser::subscription(Subscription& out) {
  if (!filter(out.filter)) return false;
  std::uint8_t options = 0;
  if (!in_.u8(options)) return cut_short("subscription options");
  const unsigned reserved = v5() ? 0xC0U : 0xFCU;
  if ((options & reserved) != 0)
    return fail(Reason::malformed_packet, "subscription options", "set reserved bits",
                "MQTT-3.8.3-5", "MQTT-3.8.3-4");
  out.qos = options & 3U;
  out.no_local = (options & 4U) != 0;
  out.retain_as_published = (options & 8U) != 0;
  out.retain_handling = options >> 4U & 3U;
  if (out.qos == 3)
    return v5() ? fail(Reason::protocol_error, "subscription options", "ask for QoS 3")
                : fail(Reason::malformed_packet, "subscription options", "ask for QoS 3", "",
                       "MQTT-3.8.3-4");
  if (out.retain_handling == 3)
    return fail(Reason::protocol_error, "subscription options", "have retain handling 3");
  if (out.no_local && is_shared_filter(out.filter))
    return fail(Reason::protocol_error, "subscription options",
                "set no local on a shared subscription", "MQTT-3.8.3-4");
  return true;
}

bool Parser::subscribe(Subscribe& out) {
  if (!packet_id(out.packet_id) || !properties(t_subscribe, out.properties)) return false;
  if (in_.empty())
    return fail(Reason::protocol_error, "payload", "has no topic filter", "MQTT-3.8.3-2",
                "MQTT-3.8.3-3");
  while (!in_.empty()) {
    if (!subscription(out.subscriptions.emplace_back())) return false;
  }
  return true;
}

bool Parser::unsubscribe(Unsubscribe& out) {
  if (!packet_id(out.packet_id) || !properties(t_unsubscribe, out.properties)) return false;
  if (in_.empty())
    return fail(Reason::protocol_error, "payload", "has no topic filter", "MQTT-3.10.3-2",
                "MQTT-3.10.3-2");
  while (!in_.empty()) {
    if (!filter(out.filters.emplace_back())) return false;
  }
  return true;
}

bool Parser::connack(Connack& out) {
  std::uint8_t flags = 0;
  if (!in_.u8(flags)) return cut_short("acknowledge flags");
  if ((flags & 0xFEU) != 0)
    return fail(Reason::malformed_packet, "acknowledge flags", "set reserved bits", "MQTT-3.2.2-1");
  out.session_present = flags == 1;
  if (v5()) {
    if (!reason(t_connack, out.reason)) return false;
  } else {
    std::uint8_t return_code = 0;
    if (!in_.u8(return_code)) return cut_short("return code");
    if (return_code > 5) return fail(Reason::protocol_error, "return code", "is reserved");
    out.reason = reason_of_return_code(return_code);
  }
  if (out.session_present && out.reason != Reason::success)
    return fail(Reason::protocol_error, "session present", "is set on a refusal", "MQTT-3.2.2-6",
                "MQTT-3.2.2-4");
  return properties(t_connack, out.properties);
}

bool Parser::suback(Suback& out) {
  if (!packet_id(out.packet_id) || !properties(t_suback, out.properties)) return false;
  if (in_.empty())
    return fail(Reason::protocol_error, "payload", "has no reason code", "MQTT-3.8.4-6",
                "MQTT-3.8.4-5");
  while (!in_.empty()) {
    std::uint8_t read = 0;
    in_.u8(read);
    const bool good = v5() ? reason_allowed(t_suback, role_, read) : read <= 2 || read == 0x80;
    if (!good)
      return fail(Reason::protocol_error, "reason code", "is none of this packet's",
                  reason_id(t_suback), "MQTT-3.9.3-2");
    out.codes.push_back(read);
  }
  return true;
}

bool Parser::unsuback(Unsuback& out) {
  if (!packet_id(out.packet_id) || !properties(t_unsuback, out.properties)) return false;
  if (!v5()) return true;
  if (in_.empty())
    return fail(Reason::protocol_error, "payload", "has no reason code", "MQTT-3.11.3-1");
  while (!in_.empty()) {
    std::uint8_t read = 0;
    in_.u8(read);
    if (!reason_allowed(t_unsuback, role_, read))
      return fail(Reason::protocol_error, "reason code", "is none of this packet's",
                  reason_id(t_unsuback));
    out.codes.push_back(read);
  }
  return true;
}

bool Parser::disconnect(Disconnect& out) {
  if (!v5() || in_.empty()) return true;  // nothing: normal disconnection
  if (!reason(t_disconnect, out.reason)) return false;
  return in_.empty() || properties(t_disconnect, out.properties);
}

bool Parser::auth(Auth& out) {
  if (in_.empty()) {
    // Nothing means success, and only servers say so (table 3-14).
    if (role_ == Role::client) return true;
    return fail(Reason::protocol_error, "reason code", "is none of a client's", "MQTT-3.15.2-1");
  }
  if (!reason(t_auth, out.reason) || !properties(t_auth, out.properties)) return false;
  if (!out.properties->authentication_method)
    return fail(Reason::protocol_error, "authentication method", "is missing");
  return true;
}

}  // namespace hf::mqtt
