// CONNECT: the packet that says in which version to read it.
#include "broker/mqtt/parse.hpp"
#include "broker/mqtt/property_table.hpp"
#include "broker/mqtt/topic_syntax.hpp"

namespace hf::mqtt {
namespace {

constexpr unsigned f_reserved = 0x01, f_clean = 0x02, f_will = 0x04, f_will_qos = 0x18,
                   f_will_retain = 0x20, f_password = 0x40, f_username = 0x80;
constexpr std::uint8_t connect_place = 1;

}  // namespace

bool Parser::connect_version(Connect& out) {
  std::string_view protocol;
  std::uint8_t level = 0;
  if (!text("protocol name", protocol)) return false;
  if (!in_.u8(level)) return cut_short("protocol level");
  // The version an answer should be written in, even if that answer is a refusal.
  const bool first_name = protocol == "MQIsdp";  // of MQTT 3.1
  version_ = level >= 5 ? Version::v5 : first_name && level == 3 ? Version::v31 : Version::v311;
  if (protocol == "MQTT" || first_name) learned_ = version_;
  if (protocol != "MQTT" && !first_name)
    return fail(Reason::unsupported_protocol_version, "protocol name", "is neither MQTT nor MQIsdp",
                "MQTT-3.1.2-1", "MQTT-3.1.2-1");
  if (first_name ? level != 3 : level != 4 && level != 5)
    return fail(Reason::unsupported_protocol_version, "protocol level",
                first_name ? "is not 3" : "is neither 4 nor 5", "MQTT-3.1.2-2", "MQTT-3.1.2-2");
  out.version = version_;
  return true;
}

bool Parser::connect_flags(std::uint8_t flags) {
  constexpr auto malformed = Reason::malformed_packet;
  const char* subject = "connect flags";
  if ((flags & f_reserved) != 0)
    return fail(malformed, subject, "set the reserved bit", "MQTT-3.1.2-3", "MQTT-3.1.2-3");
  if ((flags & f_will) == 0) {
    if ((flags & f_will_qos) != 0)
      return fail(malformed, subject, "set a will QoS without a will", "MQTT-3.1.2-11",
                  "MQTT-3.1.2-13");
    if ((flags & f_will_retain) != 0)
      return fail(malformed, subject, "set will retain without a will", "MQTT-3.1.2-13",
                  "MQTT-3.1.2-15");
  }
  if ((flags & f_will_qos) == f_will_qos)
    return fail(malformed, subject, "have will QoS 3", "MQTT-3.1.2-12", "MQTT-3.1.2-14");
  if (!v5() && (flags & f_password) != 0 && (flags & f_username) == 0)
    return fail(malformed, subject, "set password without user name", "", "MQTT-3.1.2-22");
  return true;
}

bool Parser::will(std::uint8_t flags, Will& out) {
  out.qos = flags >> 3U & 3U;
  out.retain = (flags & f_will_retain) != 0;
  if (!properties(will_place, out.properties)) return false;
  if (!text("will topic", out.topic)) return false;
  if (out.topic.empty())
    return fail(Reason::topic_name_invalid, "will topic", "is empty", "MQTT-4.7.3-1",
                "MQTT-4.7.3-1");
  if (!is_topic_name(out.topic))
    return fail(Reason::topic_name_invalid, "will topic", "contains a wildcard", "MQTT-4.7.0-1",
                "MQTT-4.7.1-1");
  std::string_view payload;
  if (!binary("will payload", payload)) return false;
  out.payload = Bytes::copy(payload);  // it outlives the connection's buffers
  return true;
}

bool Parser::connect(Header header, Connect& out) {
  std::uint8_t flags = 0;
  if (!connect_version(out)) return false;
  if (v5() && !header.minimal_length)
    return fail(Reason::malformed_packet, "remaining length", "takes more bytes than it needs",
                "MQTT-1.5.5-1");
  if (!in_.u8(flags)) return cut_short("connect flags");
  if (!connect_flags(flags)) return false;
  out.clean_start = (flags & f_clean) != 0;
  if (!in_.u16(out.keep_alive)) return cut_short("keep alive");
  if (!properties(connect_place, out.properties)) return false;
  if (!text("client identifier", out.client_id)) return false;
  if ((flags & f_will) != 0 && !will(flags, out.will.emplace())) return false;
  // In 3.1 the remaining length has the last word: a flag may be set and its string missing, and that is valid.
  const auto follows = [&](unsigned flag) { return (flags & flag) != 0 && !(version_ == Version::v31 && in_.empty()); };
  if (follows(f_username) && !text("user name", out.username.emplace())) return false;
  if (follows(f_password)) {
    std::string_view password;
    if (!binary("password", password)) return false;
    out.password = std::string(password);
  }
  return true;
}

}  // namespace hf::mqtt
