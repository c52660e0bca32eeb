// Property lists of MQTT 5.0: each property once, of its type, in range and in its place.
#include "broker/mqtt/parse.hpp"
#include "broker/mqtt/property_table.hpp"
#include "broker/mqtt/topic_syntax.hpp"

namespace hf::mqtt {
namespace {

constexpr std::uint8_t publish_place = 3, subscribe_place = 8, disconnect_place = 14,
                       auth_place = 15;

const char* property_name(std::uint8_t id) {
  switch (id) {
    case 0x01: return "payload format indicator";
    case 0x02: return "message expiry interval";
    case 0x03: return "content type";
    case 0x08: return "response topic";
    case 0x09: return "correlation data";
    case 0x0B: return "subscription identifier";
    case 0x11: return "session expiry interval";
    case 0x12: return "assigned client identifier";
    case 0x13: return "server keep alive";
    case 0x15: return "authentication method";
    case 0x16: return "authentication data";
    case 0x17: return "request problem information";
    case 0x18: return "will delay interval";
    case 0x19: return "request response information";
    case 0x1A: return "response information";
    case 0x1C: return "server reference";
    case 0x1F: return "reason string";
    case 0x21: return "receive maximum";
    case 0x22: return "topic alias maximum";
    case 0x23: return "topic alias";
    case 0x24: return "maximum QoS";
    case 0x25: return "retain available";
    case 0x26: return "user property";
    case 0x27: return "maximum packet size";
    case 0x28: return "wildcard subscription available";
    case 0x29: return "subscription identifier available";
    case 0x2A: return "shared subscription available";
    default: return "property";
  }
}

constexpr const char* twice = "is included more than once";
constexpr const char* zero = "is 0";

}  // namespace

bool Parser::length(const char* subject, std::uint32_t& out) {
  switch (in_.varint(out)) {
    case Varint::ok: return true;
    case Varint::too_short: return cut_short(subject);
    case Varint::too_long:
      return fail(Reason::malformed_packet, subject, "is longer than four bytes", "MQTT-1.5.5-1");
    case Varint::not_minimal: break;
  }
  return fail(Reason::malformed_packet, subject, "takes more bytes than it needs", "MQTT-1.5.5-1");
}

bool Parser::properties(std::uint8_t place, Properties& out) {
  if (!v5()) return true;
  std::uint32_t size = 0;
  if (in_.empty())
    return fail(Reason::malformed_packet, "property length", "is missing", "MQTT-2.2.2-1");
  if (!length("property length", size)) return false;
  if (size == 0) return true;
  std::string_view list;
  if (!in_.take(size, list)) return cut_short("property list");
  // The members below read from in_: point it at the list, and behind it afterwards.
  const Reader behind = in_;
  in_ = Reader(list);
  PropertySet& set = out.edit();
  while (!in_.empty()) {
    std::uint32_t id = 0;
    if (!length("property identifier", id)) return false;
    if (id >= property_places.size() || property_places[id] == 0)
      return fail(Reason::malformed_packet, "property identifier", "does not exist");
    if ((property_places[id] & in_packet(place)) == 0)
      return fail(Reason::malformed_packet, property_name(static_cast<std::uint8_t>(id)),
                  place == will_place ? "is not allowed in will properties"
                                      : "is not allowed in this packet");
    if (!property(place, static_cast<std::uint8_t>(id), set)) return false;
  }
  in_ = behind;
  return check_together(place, set);
}

bool Parser::property(std::uint8_t place, std::uint8_t id, PropertySet& set) {
  bool good = false;
  each_property(set, [&](std::uint8_t candidate, auto& member) {
    if (candidate == id) good = value(place, id, member);
  });
  return good;
}

bool Parser::value(std::uint8_t, std::uint8_t id, std::optional<std::uint8_t>& out) {
  std::uint8_t read = 0;
  if (out) return fail(Reason::protocol_error, property_name(id), twice);
  if (!in_.u8(read)) return cut_short(property_name(id));
  if (read > 1) return fail(Reason::protocol_error, property_name(id), "is neither 0 nor 1");
  out = read;
  return true;
}

bool Parser::value(std::uint8_t, std::uint8_t id, std::optional<bool>& out) {
  std::uint8_t read = 0;
  if (out) return fail(Reason::protocol_error, property_name(id), twice);
  if (!in_.u8(read)) return cut_short(property_name(id));
  if (read > 1) return fail(Reason::protocol_error, property_name(id), "is neither 0 nor 1");
  out = read == 1;
  return true;
}

bool Parser::value(std::uint8_t, std::uint8_t id, std::optional<std::uint16_t>& out) {
  std::uint16_t read = 0;
  if (out) return fail(Reason::protocol_error, property_name(id), twice);
  if (!in_.u16(read)) return cut_short(property_name(id));
  if (id == 0x21 && read == 0) return fail(Reason::protocol_error, property_name(id), zero);
  if (id == 0x23 && read == 0)
    return fail(Reason::topic_alias_invalid, property_name(id), zero, "MQTT-3.3.2-8");
  out = read;
  return true;
}

bool Parser::value(std::uint8_t place, std::uint8_t id, std::optional<std::uint32_t>& out) {
  std::uint32_t read = 0;
  if (out) return fail(Reason::protocol_error, property_name(id), twice);
  if (!in_.u32(read)) return cut_short(property_name(id));
  if (id == 0x27 && read == 0) return fail(Reason::protocol_error, property_name(id), zero);
  if (id == 0x11 && place == disconnect_place && role_ == Role::client)
    return fail(Reason::protocol_error, property_name(id), "is sent by a server", "MQTT-3.14.2-2");
  out = read;
  return true;
}

bool Parser::value(std::uint8_t, std::uint8_t id, std::optional<std::string>& out) {
  if (out) return fail(Reason::protocol_error, property_name(id), twice);
  std::string_view read;
  const bool is_binary = id == 0x09 || id == 0x16;
  if (is_binary ? !binary(property_name(id), read) : !text(property_name(id), read)) return false;
  if (id == 0x08 && read.empty())
    return fail(Reason::protocol_error, property_name(id), "is empty", "MQTT-4.7.3-1");
  if (id == 0x08 && !is_topic_name(read))
    return fail(Reason::protocol_error, property_name(id), "contains a wildcard", "MQTT-3.3.2-14");
  out = std::string(read);
  return true;
}

bool Parser::value(std::uint8_t place, std::uint8_t id, std::vector<std::uint32_t>& out) {
  std::uint32_t read = 0;
  if (place == publish_place && role_ == Role::server)
    return fail(Reason::protocol_error, property_name(id), "is sent by a client", "MQTT-3.3.4-6");
  if (place == subscribe_place && !out.empty())
    return fail(Reason::protocol_error, property_name(id), twice);
  if (!length(property_name(id), read)) return false;
  if (read == 0) return fail(Reason::protocol_error, property_name(id), zero);
  out.push_back(read);
  return true;
}

bool Parser::value(std::uint8_t, std::uint8_t id, std::vector<UserProperty>& out) {
  std::string_view key, read;
  if (!text(property_name(id), key) || !text(property_name(id), read)) return false;
  out.emplace_back(key, read);
  return true;
}

bool Parser::check_together(std::uint8_t place, const PropertySet& set) {
  const bool needs_method = place == auth_place || set.authentication_data;
  if (needs_method && !set.authentication_method)
    return fail(Reason::protocol_error, "authentication method", "is missing");
  return true;
}

}  // namespace hf::mqtt
