// Draws packets that may be sent, for one version and one receiving role.
#pragma once

#include <string>
#include <vector>

#include <rapidcheck.h>

#include "broker/mqtt/decoder.hpp"
#include "broker/mqtt/packet.hpp"
#include "broker/mqtt/parse.hpp"
#include "broker/mqtt/property_table.hpp"

namespace hf::mqtt {

struct Draw {
  Role role;
  Version version;

  /// Uniform whatever the size: rapidcheck's own range starts near `low`, which starved the last
  /// packet types.
  static int range(int low, int high) {
    return *rc::gen::resize(rc::kNominalSize, rc::gen::inRange(low, high));
  }
  static bool coin() { return range(0, 2) == 1; }
  [[nodiscard]] bool v5() const { return version == Version::v5; }

  static std::string text() {
    return *rc::gen::element<std::string>(
        "", "a", "abc/def", "$SYS/x", "\xC3\xA9", "\xE2\x82\xAC/\xF0\x9F\x98\x80", "\x7F\x01",
        std::string(127, 'x'), std::string(300, 'y'), std::string(65535, 'z'));
  }
  static std::string topic() {
    std::string t = text();
    return t.empty() ? "t" : t;
  }
  std::string filter() const {
    const auto f = *rc::gen::element<std::string>("#", "+", "a/#", "+/+", "/", "a//b", "$share/g/a/+", "");
    return f.empty() ? topic() : f;
  }
  static std::string binary() {
    return *rc::gen::container<std::string>(rc::gen::arbitrary<char>());
  }
  static Bytes payload() {
    return Bytes(coin() ? binary() : std::string(static_cast<std::size_t>(range(0, 40000)), 'p'));
  }
  static PacketId id() { return static_cast<PacketId>(range(1, 65536)); }
  static std::uint8_t qos() { return static_cast<std::uint8_t>(range(0, 3)); }

  Properties properties(std::uint8_t place) const {
    Properties p;
    if (!v5() || coin()) return p;
    PropertySet& set = p.edit();
    each_property(set, [&](std::uint8_t which, auto& member) {
      const bool here = (property_places[which] & in_packet(place)) != 0;
      const bool ours = !(which == 0x0B && place == 3 && role == Role::server) &&
                        !(which == 0x11 && place == 14 && role == Role::client);
      if (here && ours && coin()) fill(which, place, member);
    });
    if ((set.authentication_data || place == 15) && !set.authentication_method)
      set.authentication_method = "m";
    return p;
  }
  static void fill(std::uint8_t, std::uint8_t, std::optional<std::uint8_t>& m) {
    m = static_cast<std::uint8_t>(range(0, 2));
  }
  static void fill(std::uint8_t, std::uint8_t, std::optional<bool>& m) { m = coin(); }
  static void fill(std::uint8_t, std::uint8_t, std::optional<std::uint16_t>& m) { m = id(); }
  static void fill(std::uint8_t, std::uint8_t, std::optional<std::uint32_t>& m) {
    m = *rc::gen::element<std::uint32_t>(1, 255, 65536, 0xFFFFFFFF);
  }
  static void fill(std::uint8_t which, std::uint8_t, std::optional<std::string>& m) {
    m = which == 0x08 ? topic() : which == 0x09 || which == 0x16 ? binary() : text();
  }
  static void fill(std::uint8_t, std::uint8_t place, std::vector<std::uint32_t>& m) {
    for (int i = place == 8 ? 1 : range(1, 4); i > 0; --i)
      m.push_back(*rc::gen::element<std::uint32_t>(1, 127, 128, 16383, 16384, 268435455));
  }
  static void fill(std::uint8_t, std::uint8_t, std::vector<UserProperty>& m) {
    for (int i = range(1, 4); i > 0; --i) m.emplace_back(text(), text());
  }

  Reason reason(std::uint8_t type) const {
    std::vector<std::uint8_t> codes;
    for (unsigned c = 0; c < 256; ++c) {
      if (reason_allowed(type, role, static_cast<std::uint8_t>(c)))
        codes.push_back(static_cast<std::uint8_t>(c));
    }
    return static_cast<Reason>(*rc::gen::elementOf(codes));
  }
  std::vector<std::uint8_t> codes(std::uint8_t type) const {
    std::vector<std::uint8_t> drawn;
    for (int i = range(1, 4); i > 0; --i)
      drawn.push_back(v5() ? code(reason(type)) : *rc::gen::element<std::uint8_t>(0, 1, 2, 0x80));
    return drawn;
  }

  Connect connect() const {
    Connect c;
    c.version = version;
    c.clean_start = coin();
    c.keep_alive = static_cast<std::uint16_t>(range(0, 65536));
    c.client_id = text();
    if (coin()) c.will = Will{topic(), Bytes(binary()), qos(), coin(), properties(will_place)};
    if (coin()) c.username = text();
    if (coin() && (v5() || c.username)) c.password = binary();
    c.properties = properties(1);
    return c;
  }
  Connack connack() const {
    Connack c;
    c.reason = v5() ? reason(2) : reason_of_return_code(static_cast<std::uint8_t>(range(0, 6)));
    c.session_present = c.reason == Reason::success && coin();
    c.properties = properties(2);
    return c;
  }
  Publish publish() const {
    Publish p{topic(), payload(), qos(), coin(), false, 0, properties(3)};
    if (p.qos > 0) {
      p.packet_id = id();
      p.dup = coin();
    }
    if (p.properties->topic_alias && coin()) p.topic.clear();
    return p;
  }
  template <class Ack>
  Ack acknowledgement(std::uint8_t type) const {
    Ack a;
    a.packet_id = id();
    if (v5()) a.reason = reason(type);
    a.properties = properties(type);
    return a;
  }
  Subscribe subscribe() const {
    Subscribe s{id(), {}, properties(8)};
    for (int i = range(1, 5); i > 0; --i) {
      Subscription one{filter(), qos(), false, false, 0};
      if (v5()) {
        one.no_local = coin() && !one.filter.starts_with("$share/");
        one.retain_as_published = coin();
        one.retain_handling = static_cast<std::uint8_t>(range(0, 3));
      }
      s.subscriptions.push_back(one);
    }
    return s;
  }
  Unsubscribe unsubscribe() const {
    Unsubscribe u{id(), {}, properties(10)};
    for (int i = range(1, 5); i > 0; --i) u.filters.push_back(filter());
    return u;
  }
  Disconnect disconnect() const {
    if (!v5()) return {};
    return Disconnect{reason(14), properties(14)};
  }
  Auth auth() const {
    Auth a{reason(15), properties(15)};
    if (a.properties.empty()) a.properties.edit().authentication_method = text();
    return a;
  }

  /// Any packet the role receives but CONNECT.
  Packet packet_after_connect() const {
    const bool server = role == Role::server;
    switch (range(0, v5() ? 10 : server ? 9 : 8)) {
      case 0: return publish();
      case 1: return acknowledgement<Puback>(4);
      case 2: return acknowledgement<Pubrec>(5);
      case 3: return acknowledgement<Pubrel>(6);
      case 4: return acknowledgement<Pubcomp>(7);
      case 5: return server ? Packet(subscribe()) : Packet(Suback{id(), codes(9), properties(9)});
      case 6:
        if (server) return unsubscribe();
        return Unsuback{id(), v5() ? codes(11) : std::vector<std::uint8_t>{}, properties(11)};
      case 7: return server ? Packet(Pingreq{}) : Packet(Pingresp{});
      case 8: return disconnect();
      default: return auth();
    }
  }
  Packet packet() const {
    if (range(0, 8) == 0) return role == Role::server ? Packet(connect()) : Packet(connack());
    return packet_after_connect();
  }
};

}  // namespace hf::mqtt
