// A control packet in one line, for a person who follows a client.
#include "broker/mqtt/describe.hpp"

namespace hf::mqtt {
namespace {

constexpr std::size_t text_max = 200;
constexpr std::size_t filters_max = 20;

std::string reason_of(Reason reason) { return " " + std::string(name(reason)); }
std::string id_of(PacketId id) { return " id " + std::to_string(id); }

struct Describe {
  std::string operator()(const Connect& p) const {
    std::string out = " " + quoted(p.client_id) + " version " + std::to_string(static_cast<int>(p.version)) + " keep alive " +
                      std::to_string(p.keep_alive) + " s";
    if (p.clean_start) out += " clean";
    if (p.username) out += " user " + quoted(*p.username);
    if (p.password) out += " with a password";
    if (p.will) out += " will " + quoted(p.will->topic) + " qos " + std::to_string(p.will->qos);
    return out;
  }
  std::string operator()(const Connack& p) const {
    return reason_of(p.reason) + (p.session_present ? ", session present" : "");
  }
  std::string operator()(const Publish& p) const {
    std::string out;
    if (p.qos != 0) out += id_of(p.packet_id);
    out += " qos " + std::to_string(p.qos);
    if (p.dup) out += " dup";
    if (p.retain) out += " retain";
    if (!p.topic.empty()) out += " " + quoted(p.topic);
    if (p.properties->topic_alias) out += " alias " + std::to_string(*p.properties->topic_alias);
    return out + " " + std::to_string(p.payload.size()) + " bytes";
  }
  std::string operator()(const Acknowledgement& p) const {
    return id_of(p.packet_id) + (p.reason == Reason::success ? "" : reason_of(p.reason));
  }
  std::string operator()(const Subscribe& p) const {
    std::string out = id_of(p.packet_id);
    for (std::size_t i = 0; i < p.subscriptions.size() && i < filters_max; ++i)
      out += " " + quoted(p.subscriptions[i].filter) + " qos " + std::to_string(p.subscriptions[i].qos);
    return out + more(p.subscriptions.size());
  }
  std::string operator()(const Unsubscribe& p) const {
    std::string out = id_of(p.packet_id);
    for (std::size_t i = 0; i < p.filters.size() && i < filters_max; ++i) out += " " + quoted(p.filters[i]);
    return out + more(p.filters.size());
  }
  std::string operator()(const Suback& p) const { return id_of(p.packet_id) + codes(p.codes); }
  std::string operator()(const Unsuback& p) const { return id_of(p.packet_id) + codes(p.codes); }
  std::string operator()(const Pingreq&) const { return ""; }
  std::string operator()(const Pingresp&) const { return ""; }
  std::string operator()(const Disconnect& p) const { return reason_of(p.reason); }
  std::string operator()(const Auth& p) const { return reason_of(p.reason); }

  static std::string codes(const std::vector<std::uint8_t>& all) {
    std::string out;
    for (std::size_t i = 0; i < all.size() && i < filters_max; ++i) out += reason_of(static_cast<Reason>(all[i]));
    return out + more(all.size());
  }
  static std::string more(std::size_t count) {
    return count > filters_max ? " and " + std::to_string(count - filters_max) + " more" : "";
  }
};

}  // namespace

std::string quoted(std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out = "'";
  for (const char c : text.substr(0, text_max)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7f && c != '\'' && c != '\\') {
      out += c;
    } else {
      out += "\\x";
      out += digits[byte >> 4U];
      out += digits[byte & 0xFU];
    }
  }
  return out + (text.size() > text_max ? "…'" : "'");
}

std::string describe(const Packet& packet) {
  return std::string(packet_name(packet)) + std::visit(Describe{}, packet);
}

}  // namespace hf::mqtt
