// The body of one packet, whole and in memory, into its struct; or the first thing wrong with it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "broker/base/bytes.hpp"
#include "broker/mqtt/decoder.hpp"
#include "broker/mqtt/packet.hpp"
#include "broker/mqtt/reader.hpp"

namespace hf::mqtt {

/// What is wrong: "subject: problem [id]". Static strings: a good packet pays nothing for them.
struct Fault {
  Reason reason = Reason::malformed_packet;
  const char* subject = "";
  const char* problem = "";
  const char* id = "";
};
std::string fault_text(std::uint8_t type, const Fault& fault);

/// What the fixed header said.
struct Header {
  std::uint8_t first = 0;
  bool minimal_length = true;
  [[nodiscard]] std::uint8_t type() const { return first >> 4U; }
  [[nodiscard]] std::uint8_t flags() const { return first & 0x0FU; }
};

/// What the first byte alone gives away: type, direction, flags. nullopt: nothing.
std::optional<Fault> first_byte_fault(std::uint8_t first, Role role, std::optional<Version> version);

/// Parses one body. Members return false when `fault` has been set.
class Parser {
 public:
  /// `body` is the packet behind its fixed header. `version` is ignored for a CONNECT.
  Parser(Role role, Version version, const Bytes& body)
      : role_(role), version_(version), body_(body), in_(body.view()) {}

  bool packet(Header header, Packet& out);

  [[nodiscard]] const Fault& fault() const { return fault_; }
  /// Of a CONNECT: its version, or the nearest one when it is not supported.
  [[nodiscard]] std::optional<Version> learned() const { return learned_; }

 private:
  bool connect(Header header, Connect& out);
  bool connect_version(Connect& out);
  bool connect_flags(std::uint8_t flags);
  bool will(std::uint8_t flags, Will& out);
  bool connack(Connack& out);
  bool publish(Header header, Publish& out);
  bool acknowledgement(std::uint8_t type, Acknowledgement& out);
  bool subscribe(Subscribe& out);
  bool subscription(Subscription& out);
  bool unsubscribe(Unsubscribe& out);
  bool suback(Suback& out);
  bool unsuback(Unsuback& out);
  bool disconnect(Disconnect& out);
  bool auth(Auth& out);

  template <class Struct, class Member>
  bool into(Packet& out, Member&& parse);

  bool packet_id(PacketId& out);
  bool filter(std::string& out);
  bool reason(std::uint8_t type, Reason& out);
  bool end();
  bool text(const char* subject, std::string& out);
  bool text(const char* subject, std::string_view& out);
  bool binary(const char* subject, std::string_view& out);

  // parse_properties.cpp
  bool properties(std::uint8_t place, Properties& out);
  bool property(std::uint8_t place, std::uint8_t id, PropertySet& set);
  bool value(std::uint8_t place, std::uint8_t id, std::optional<std::uint8_t>& out);
  bool value(std::uint8_t place, std::uint8_t id, std::optional<bool>& out);
  bool value(std::uint8_t place, std::uint8_t id, std::optional<std::uint16_t>& out);
  bool value(std::uint8_t place, std::uint8_t id, std::optional<std::uint32_t>& out);
  bool value(std::uint8_t place, std::uint8_t id, std::optional<std::string>& out);
  bool value(std::uint8_t place, std::uint8_t id, std::vector<std::uint32_t>& out);
  bool value(std::uint8_t place, std::uint8_t id, std::vector<UserProperty>& out);
  bool check_together(std::uint8_t place, const PropertySet& set);
  bool length(const char* subject, std::uint32_t& out);

  [[nodiscard]] bool v5() const { return version_ == Version::v5; }
  bool fail(Reason reason, const char* subject, const char* problem, const char* id5 = "",
            const char* id311 = "") {
    fault_ = Fault{reason, subject, problem, v5() ? id5 : id311};
    return false;
  }
  bool cut_short(const char* subject) {
    return fail(Reason::malformed_packet, subject, "runs past the end of the packet");
  }

  Role role_;
  Version version_;
  const Bytes& body_;
  Reader in_;
  Fault fault_;
  std::optional<Version> learned_;
};

/// May a packet of this type carry this reason code? (5.0; types with a single reason code.)
bool reason_allowed(std::uint8_t type, Role receiver, std::uint8_t code);

}  // namespace hf::mqtt
