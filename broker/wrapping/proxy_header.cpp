// Both versions as the specification of HAProxy has them (proxy-protocol.txt, 2.1 and 2.2), and no more lenient.
#include "broker/wrapping/proxy_header.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <vector>

#include <arpa/inet.h>
#include <sys/socket.h>

namespace hf::wrapping {
namespace {

constexpr std::string_view v1_start = "PROXY ";
constexpr std::string_view v2_start("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr std::size_t v1_max = 107;  // with the line's end
constexpr std::size_t v2_fixed = 16;

bool may_become(std::string_view bytes, std::string_view start) {
  const std::size_t size = std::min(bytes.size(), start.size());
  return bytes.substr(0, size) == start.substr(0, size);
}

std::size_t number16(std::string_view bytes, std::size_t at) {
  return static_cast<std::size_t>(static_cast<unsigned char>(bytes[at])) << 8U |
         static_cast<unsigned char>(bytes[at + 1]);
}

/// In its one canonical form: "080" is no port, and neither is "+80".
std::optional<std::uint16_t> port_of(std::string_view digits) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  if (digits.size() > 1 && digits[0] == '0') return std::nullopt;
  return port;
}

bool is_address(int family, const std::string& text) {
  std::array<unsigned char, 16> raw;
  return text.find('\0') == std::string::npos && ::inet_pton(family, text.c_str(), raw.data()) == 1;
}

std::string shown(int family, const char* raw, std::size_t port) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  ::inet_ntop(family, raw, text.data(), text.size());
  const std::string host = family == AF_INET6 ? "[" + std::string(text.data()) + "]" : text.data();
  return host + ":" + std::to_string(port);
}

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  std::size_t at = 0;
  while (true) {
    const std::size_t space = line.find(' ', at);
    words.push_back(line.substr(at, space - at));
    if (space == std::string_view::npos) return words;
    at = space + 1;
  }
}

ProxyParsed parse_v1(std::string_view bytes, ProxyHeader& header) {
  const std::size_t end = bytes.substr(0, v1_max).find("\r\n");
  if (end == std::string_view::npos) return bytes.size() < v1_max ? ProxyParsed::need_more : ProxyParsed::broken;
  header.size = end + 2;
  const auto words = words_of(bytes.substr(0, end));
  if (words[1] == "UNKNOWN") return ProxyParsed::header;  // "the receiver must ignore anything" after it
  if (words.size() != 6 || (words[1] != "TCP4" && words[1] != "TCP6")) return ProxyParsed::broken;
  const int family = words[1] == "TCP4" ? AF_INET : AF_INET6;
  const std::string source(words[2]);
  const auto port = port_of(words[4]);
  if (!is_address(family, source) || !is_address(family, std::string(words[3])) || !port || !port_of(words[5])) {
    return ProxyParsed::broken;
  }
  header.source = (family == AF_INET6 ? "[" + source + "]" : source) + ":" + std::to_string(*port);
  return ProxyParsed::header;
}

ProxyParsed parse_v2(std::string_view bytes, ProxyHeader& header) {
  if (bytes.size() < v2_fixed) return ProxyParsed::need_more;
  const auto version_and_command = static_cast<unsigned char>(bytes[12]);
  const auto family_and_protocol = static_cast<unsigned char>(bytes[13]);
  if (version_and_command != 0x20 && version_and_command != 0x21) return ProxyParsed::broken;
  const std::size_t rest = number16(bytes, 14);
  header.size = v2_fixed + rest;
  if (header.size > proxy_header_max) return ProxyParsed::broken;
  if (bytes.size() < header.size) return ProxyParsed::need_more;
  if (version_and_command == 0x20) return ProxyParsed::header;  // LOCAL: the proxy's own, a health check
  const char* addresses = bytes.data() + v2_fixed;
  switch (family_and_protocol) {
    case 0x00:  // the proxy does not know
      return ProxyParsed::header;
    case 0x11:  // TCP over IPv4
      if (rest < 12) return ProxyParsed::broken;
      header.source = shown(AF_INET, addresses, number16(bytes, v2_fixed + 8));
      return ProxyParsed::header;
    case 0x21:  // TCP over IPv6
      if (rest < 36) return ProxyParsed::broken;
      header.source = shown(AF_INET6, addresses, number16(bytes, v2_fixed + 32));
      return ProxyParsed::header;
    case 0x31:  // a Unix stream
      if (rest < 216) return ProxyParsed::broken;
      header.source = "unix";
      return ProxyParsed::header;
    default:  // datagrams bear no MQTT
      return ProxyParsed::broken;
  }
}

}  // namespace

ProxyParsed parse_proxy_header(std::string_view bytes, ProxyHeader& header) {
  header = {};
  if (may_become(bytes, v2_start)) {
    return bytes.size() < v2_start.size() ? ProxyParsed::need_more : parse_v2(bytes, header);
  }
  if (!may_become(bytes, v1_start)) return ProxyParsed::broken;
  return bytes.size() < v1_start.size() ? ProxyParsed::need_more : parse_v1(bytes, header);
}

}  // namespace hf::wrapping
