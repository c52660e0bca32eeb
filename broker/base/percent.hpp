// Percent-encoding of one part of a URL (RFC 3986, 2.1).
#pragma once

#include <string>
#include <string_view>

namespace hf {

/// Every byte that is not "unreserved" as %XX: what comes out is one part of a path, or a value of a query.
inline std::string percent_encoded(std::string_view text) {
  constexpr std::string_view hex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '-' ||
                       byte == '.' || byte == '_' || byte == '~';
    if (plain) {
      out += c;
    } else {
      out += {'%', hex[byte >> 4U], hex[byte & 15U]};
    }
  }
  return out;
}

}  // namespace hf
