// The header by which a proxy tells whose connection it passes on: PROXY protocol, versions 1 and 2.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace hf::wrapping {

struct ProxyHeader {
  /// "1.2.3.4:5", "[::1]:5" or "unix"; nothing when the proxy speaks for itself (LOCAL) or does not know (UNKNOWN).
  std::optional<std::string> source;
  std::size_t size = 0;  ///< bytes of the header; what follows is the client's
};

/// A header of version 2 that says it is longer is refused: addresses and some certificate's names fit in.
inline constexpr std::size_t proxy_header_max = 4096;

enum class ProxyParsed { need_more, header, broken };

/// `bytes` is the connection's start. Broken is said as soon as no continuation can be right.
ProxyParsed parse_proxy_header(std::string_view bytes, ProxyHeader& header);

}  // namespace hf::wrapping
