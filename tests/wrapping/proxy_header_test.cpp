// PROXY headers: a table of good and bad ones, each also byte by byte.
#include "broker/wrapping/proxy_header.hpp"

#include <string>

#include <gtest/gtest.h>

namespace hf::wrapping {
namespace {

using namespace std::string_literals;

const std::string signature = "\r\n\r\n\0\r\nQUIT\n"s;

std::string v2(unsigned char command, unsigned char family, const std::string& rest) {
  return signature + static_cast<char>(command) + static_cast<char>(family) + static_cast<char>(rest.size() >> 8U) +
         static_cast<char>(rest.size()) + rest;
}

const std::string four = "\xC0\x00\x02\x01\xC6\x33\x64\x01\x01\x02\x07\x5B"s;  // 192.0.2.1:258 to 198.51.100.1:1883
const std::string six = "\x20\x01\x0D\xB8"s + std::string(11, '\0') + "\x01" + std::string(16, '\0') + "\xFF\xFE\x07\x5B"s;

struct Case {
  const char* name;
  std::string bytes;
  ProxyParsed parsed;
  const char* source;  ///< nullptr: none
};

const std::vector<Case>& cases() {
  static const std::vector<Case> all{
      {"v1_four", "PROXY TCP4 192.0.2.1 198.51.100.1 56324 1883\r\n", ProxyParsed::header, "192.0.2.1:56324"},
      {"v1_six", "PROXY TCP6 2001:db8::1 ::1 1 65535\r\n", ProxyParsed::header, "[2001:db8::1]:1"},
      {"v1_unknown", "PROXY UNKNOWN\r\n", ProxyParsed::header, nullptr},
      {"v1_unknown_with_more", "PROXY UNKNOWN ffff:f::f ffff::f 65535 65535\r\n", ProxyParsed::header, nullptr},
      {"v1_longest", "PROXY UNKNOWN " + std::string(91, 'f') + "\r\n", ProxyParsed::header, nullptr},
      {"v1_too_long", "PROXY UNKNOWN " + std::string(92, 'f') + "\r\n", ProxyParsed::broken, nullptr},
      {"v1_endless", "PROXY TCP4 " + std::string(200, '1'), ProxyParsed::broken, nullptr},
      {"v1_other_family", "PROXY TCP4 2001:db8::1 ::1 1 65535\r\n", ProxyParsed::broken, nullptr},
      {"v1_no_address", "PROXY TCP4 1.2.3 1.2.3.4 1 2\r\n", ProxyParsed::broken, nullptr},
      {"v1_bad_target", "PROXY TCP4 1.2.3.4 1.2.3.400 1 2\r\n", ProxyParsed::broken, nullptr},
      {"v1_port_too_large", "PROXY TCP4 1.2.3.4 1.2.3.4 65536 2\r\n", ProxyParsed::broken, nullptr},
      {"v1_port_signed", "PROXY TCP4 1.2.3.4 1.2.3.4 +1 2\r\n", ProxyParsed::broken, nullptr},
      {"v1_port_with_zero", "PROXY TCP4 1.2.3.4 1.2.3.4 01 2\r\n", ProxyParsed::broken, nullptr},
      {"v1_no_port", "PROXY TCP4 1.2.3.4 1.2.3.4 1 \r\n", ProxyParsed::broken, nullptr},
      {"v1_too_few", "PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n", ProxyParsed::broken, nullptr},
      {"v1_too_many", "PROXY TCP4 1.2.3.4 1.2.3.4 1 2 3\r\n", ProxyParsed::broken, nullptr},
      {"v1_two_spaces", "PROXY TCP4  1.2.3.4 1.2.3.4 1 2\r\n", ProxyParsed::broken, nullptr},
      {"v1_lower_case", "PROXY tcp4 1.2.3.4 1.2.3.4 1 2\r\n", ProxyParsed::broken, nullptr},
      {"v1_empty", "PROXY \r\n", ProxyParsed::broken, nullptr},
      {"v1_zero_inside", "PROXY TCP4 1.2.3.4\0 1.2.3.4 1 2\r\n"s, ProxyParsed::broken, nullptr},
      {"v1_whose_end_lacks_cr", "PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n", ProxyParsed::need_more, nullptr},
      {"v2_four", v2(0x21, 0x11, four), ProxyParsed::header, "192.0.2.1:258"},
      {"v2_six", v2(0x21, 0x21, six), ProxyParsed::header, "[2001:db8::1]:65534"},
      {"v2_unix", v2(0x21, 0x31, std::string(216, 'u')), ProxyParsed::header, "unix"},
      {"v2_with_fields", v2(0x21, 0x11, four + "\x04\x00\x01x"s), ProxyParsed::header, "192.0.2.1:258"},
      {"v2_local", v2(0x20, 0x00, ""), ProxyParsed::header, nullptr},
      {"v2_local_with_addresses", v2(0x20, 0x11, four), ProxyParsed::header, nullptr},
      {"v2_does_not_know", v2(0x21, 0x00, "whatever"), ProxyParsed::header, nullptr},
      {"v2_too_short_for_four", v2(0x21, 0x11, four.substr(1)), ProxyParsed::broken, nullptr},
      {"v2_too_short_for_six", v2(0x21, 0x21, four), ProxyParsed::broken, nullptr},
      {"v2_too_short_for_unix", v2(0x21, 0x31, std::string(215, 'u')), ProxyParsed::broken, nullptr},
      {"v2_datagram", v2(0x21, 0x12, four), ProxyParsed::broken, nullptr},
      {"v2_version_1", v2(0x11, 0x11, four), ProxyParsed::broken, nullptr},
      {"v2_other_command", v2(0x22, 0x11, four), ProxyParsed::broken, nullptr},
      {"v2_longest", v2(0x21, 0x11, four + std::string(proxy_header_max - 28, 'x')), ProxyParsed::header, "192.0.2.1:258"},
      {"v2_too_long", signature + "\x21\x11\xFF\xFF"s, ProxyParsed::broken, nullptr},
      {"v2_cut", v2(0x21, 0x11, four).substr(0, 27), ProxyParsed::need_more, nullptr},
      {"mqtt", "\x10\x0C\x00\x04MQTT"s, ProxyParsed::broken, nullptr},
      {"tls", "\x16\x03\x01"s, ProxyParsed::broken, nullptr},
      {"http", "GET / HTTP/1.1\r\n", ProxyParsed::broken, nullptr},
      {"almost_v1", "PROXX", ProxyParsed::broken, nullptr},
      {"almost_v2", "\r\n\r\n\0\r\nQUIX"s, ProxyParsed::broken, nullptr},
      {"nothing", "", ProxyParsed::need_more, nullptr},
  };
  return all;
}

class Headers : public testing::TestWithParam<Case> {};
INSTANTIATE_TEST_SUITE_P(Proxy, Headers, testing::ValuesIn(cases()), [](const auto& each) { return each.param.name; });

TEST_P(Headers, are_taken_or_refused) {
  const Case& each = GetParam();
  ProxyHeader header;
  ASSERT_EQ(parse_proxy_header(each.bytes, header), each.parsed);
  if (each.parsed != ProxyParsed::header) return;
  EXPECT_EQ(header.size, each.bytes.size());
  EXPECT_EQ(header.source, each.source == nullptr ? std::nullopt : std::optional<std::string>(each.source));
  ASSERT_EQ(parse_proxy_header(each.bytes + "behind", header), ProxyParsed::header);
  EXPECT_EQ(header.size, each.bytes.size()) << "what follows is the client's";
}

TEST_P(Headers, cut_anywhere_are_waited_for) {
  const Case& each = GetParam();
  if (each.parsed != ProxyParsed::header) return;
  ProxyHeader header;
  for (std::size_t size = 0; size < each.bytes.size(); ++size) {
    ASSERT_EQ(parse_proxy_header(std::string_view(each.bytes).substr(0, size), header), ProxyParsed::need_more) << size;
  }
}

}  // namespace
}  // namespace hf::wrapping
