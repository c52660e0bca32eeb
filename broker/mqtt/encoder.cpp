// Writes packets: sizes first, then one pass of appends.
#include "broker/mqtt/encoder.hpp"

#include "broker/base/assert.hpp"
#include "broker/mqtt/decoder.hpp"
#include "broker/mqtt/property_table.hpp"

namespace hf::mqtt {
namespace {

constexpr std::uint32_t remaining_limit = 268'435'455;

constexpr std::size_t varint_size(std::size_t n) {
  return n < 128 ? 1 : n < 16'384 ? 2 : n < 2'097'152 ? 3 : 4;
}

/// The two destinations of a packet: `Sizer` counts, `Writer` writes. Bodies are said once.
class Sizer {
 public:
  void u8(unsigned) { size_ += 1; }
  void u16(unsigned) { size_ += 2; }
  void u32(std::uint32_t) { size_ += 4; }
  void varint(std::size_t n) { size_ += varint_size(n); }
  void text(std::string_view t) { size_ += 2 + t.size(); }
  void raw(std::string_view t) { size_ += t.size(); }
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  std::size_t size_ = 0;
};

class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}
  void u8(unsigned n) { out_.push_back(static_cast<char>(n)); }
  void u16(unsigned n) {
    const char bytes[] = {static_cast<char>(n >> 8U), static_cast<char>(n)};
    out_.append(bytes, 2);
  }
  void u32(std::uint32_t n) {
    u16(n >> 16U);
    u16(n & 0xFFFFU);
  }
  void varint(std::size_t n) {
    HF_ASSERT(n <= remaining_limit);
    while (n >= 0x80) {
      u8(static_cast<unsigned>(n & 0x7FU) | 0x80U);
      n >>= 7U;
    }
    u8(static_cast<unsigned>(n));
  }
  void text(std::string_view t) {
    HF_ASSERT(t.size() <= 0xFFFF);
    u16(static_cast<unsigned>(t.size()));
    out_.append(t);
  }
  void raw(std::string_view t) { out_.append(t); }

 private:
  std::string& out_;
};

template <class To>
struct PropertyWriter {
  To& to;
  void operator()(unsigned id, const std::optional<std::uint8_t>& v) {
    if (v) to.u8(id), to.u8(*v);
  }
  void operator()(unsigned id, const std::optional<bool>& v) {
    if (v) to.u8(id), to.u8(*v ? 1 : 0);
  }
  void operator()(unsigned id, const std::optional<std::uint16_t>& v) {
    if (v) to.u8(id), to.u16(*v);
  }
  void operator()(unsigned id, const std::optional<std::uint32_t>& v) {
    if (v) to.u8(id), to.u32(*v);
  }
  void operator()(unsigned id, const std::optional<std::string>& v) {
    if (v) to.u8(id), to.text(*v);
  }
  void operator()(unsigned id, const std::vector<std::uint32_t>& v) {
    for (const std::uint32_t n : v) to.u8(id), to.varint(n);
  }
  void operator()(unsigned id, const std::vector<UserProperty>& v) {
    for (const auto& [key, text] : v) to.u8(id), to.text(key), to.text(text);
  }
};

std::size_t properties_size(const Properties& properties) {
  if (properties.empty()) return 0;
  Sizer sizer;
  each_property(*properties, PropertyWriter<Sizer>{sizer});
  return sizer.size();
}

template <class To>
void put_properties(To& to, const Properties& properties) {
  to.varint(properties_size(properties));
  if (!properties.empty()) each_property(*properties, PropertyWriter<To>{to});
}

template <class To>
void put(To& to, const Connect& p, Version) {
  const bool v5 = p.version == Version::v5;
  to.text(p.version == Version::v31 ? "MQIsdp" : "MQTT");
  to.u8(static_cast<unsigned>(p.version));
  unsigned flags = p.clean_start ? 0x02 : 0;
  if (p.will) flags |= 0x04U | static_cast<unsigned>(p.will->qos) << 3U | (p.will->retain ? 0x20U : 0U);
  if (p.password) flags |= 0x40U;
  if (p.username) flags |= 0x80U;
  to.u8(flags);
  to.u16(p.keep_alive);
  if (v5) put_properties(to, p.properties);
  to.text(p.client_id);
  if (p.will) {
    if (v5) put_properties(to, p.will->properties);
    to.text(p.will->topic);
    to.text(p.will->payload.view());
  }
  if (p.username) to.text(*p.username);
  if (p.password) to.text(*p.password);
}

template <class To>
void put(To& to, const Connack& p, Version version) {
  to.u8(p.session_present && version != Version::v31 ? 1 : 0);
  to.u8(version == Version::v5 ? code(p.reason) : connect_return_code(p.reason));
  if (version == Version::v5) put_properties(to, p.properties);
}

/// A PUBLISH up to its payload.
template <class To>
void put(To& to, const Publish& p, Version version) {
  to.text(p.topic);
  if (p.qos > 0) to.u16(p.packet_id);
  if (version == Version::v5) put_properties(to, p.properties);
}

/// Reason and properties as short as 5.0 allows: none, the reason alone, or both.
template <class To>
void put_reason(To& to, Reason reason, const Properties& properties) {
  const bool any = properties_size(properties) > 0;
  if (reason == Reason::success && !any) return;
  to.u8(code(reason));
  if (any) put_properties(to, properties);
}

template <class To>
void put(To& to, const Acknowledgement& p, Version version) {
  to.u16(p.packet_id);
  if (version == Version::v5) put_reason(to, p.reason, p.properties);
}

template <class To>
void put(To& to, const Subscribe& p, Version version) {
  const bool v5 = version == Version::v5;
  to.u16(p.packet_id);
  if (v5) put_properties(to, p.properties);
  for (const Subscription& s : p.subscriptions) {
    to.text(s.filter);
    unsigned options = s.qos;
    if (v5)
      options |= (s.no_local ? 4U : 0U) | (s.retain_as_published ? 8U : 0U) |
                 static_cast<unsigned>(s.retain_handling) << 4U;
    to.u8(options);
  }
}

template <class To>
void put(To& to, const Suback& p, Version version) {
  to.u16(p.packet_id);
  if (version == Version::v5) put_properties(to, p.properties);
  for (const std::uint8_t c : p.codes) to.u8(version == Version::v5 || c < 0x80 ? c : 0x80);
}

template <class To>
void put(To& to, const Unsubscribe& p, Version version) {
  to.u16(p.packet_id);
  if (version == Version::v5) put_properties(to, p.properties);
  for (const std::string& filter : p.filters) to.text(filter);
}

template <class To>
void put(To& to, const Unsuback& p, Version version) {
  to.u16(p.packet_id);
  if (version != Version::v5) return;
  put_properties(to, p.properties);
  for (const std::uint8_t c : p.codes) to.u8(c);
}

template <class To>
void put(To&, const Pingreq&, Version) {}
template <class To>
void put(To&, const Pingresp&, Version) {}

template <class To>
void put(To& to, const Disconnect& p, Version version) {
  if (version == Version::v5) put_reason(to, p.reason, p.properties);
}

template <class To>
void put(To& to, const Auth& p, Version version) {
  HF_ASSERT(version == Version::v5);
  if (p.reason == Reason::success && properties_size(p.properties) == 0) return;
  to.u8(code(p.reason));  // no short form with a reason alone (section 3.15.2.1)
  put_properties(to, p.properties);
}

std::size_t payload_size(const Publish& p) { return p.payload.size(); }
template <class P>
std::size_t payload_size(const P&) {
  return 0;
}

template <class P>
std::size_t remaining_length(const P& packet, Version version) {
  Sizer sizer;
  put(sizer, packet, version);
  return sizer.size() + payload_size(packet);
}

template <class P>
std::size_t whole_size(const P& packet, Version version) {
  const std::size_t remaining = remaining_length(packet, version);
  return 1 + varint_size(remaining) + remaining;
}

/// Everything but the payload of a PUBLISH.
template <class P>
void write(unsigned first, const P& packet, Version version, std::string& out) {
  const std::size_t remaining = remaining_length(packet, version);
  Writer writer(out);
  writer.u8(first);
  writer.varint(remaining);
  put(writer, packet, version);
}

unsigned first_byte(const Publish& p) {
  return 0x30U | (p.dup ? 8U : 0U) | static_cast<unsigned>(p.qos) << 1U | (p.retain ? 1U : 0U);
}

}  // namespace

void encode_publish_header(const Publish& packet, Version version, std::string& out) {
  write(first_byte(packet), packet, version, out);
}

void encode(const Publish& packet, Version version, std::string& out) {
  write(first_byte(packet), packet, version, out);
  out.append(packet.payload.view());
}

#define HF_ENCODE(type, first)                                           \
  void encode(const type& packet, Version version, std::string& out) {   \
    write(first, packet, version, out);                                  \
  }
HF_ENCODE(Connect, 0x10)
HF_ENCODE(Connack, 0x20)
HF_ENCODE(Puback, 0x40)
HF_ENCODE(Pubrec, 0x50)
HF_ENCODE(Pubrel, 0x62)
HF_ENCODE(Pubcomp, 0x70)
HF_ENCODE(Subscribe, 0x82)
HF_ENCODE(Suback, 0x90)
HF_ENCODE(Unsubscribe, 0xA2)
HF_ENCODE(Unsuback, 0xB0)
HF_ENCODE(Pingreq, 0xC0)
HF_ENCODE(Pingresp, 0xD0)
HF_ENCODE(Disconnect, 0xE0)
HF_ENCODE(Auth, 0xF0)
#undef HF_ENCODE

void encode(const Packet& packet, Version version, std::string& out) {
  std::visit([&](const auto& p) { encode(p, version, out); }, packet);
}

std::size_t encoded_size(const Publish& packet, Version version) {
  return whole_size(packet, version);
}

std::size_t encoded_size(const Packet& packet, Version version) {
  return std::visit([&](const auto& p) { return whole_size(p, version); }, packet);
}

}  // namespace hf::mqtt
