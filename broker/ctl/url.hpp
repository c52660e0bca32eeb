// Where a node's administration is: http://HOST:PORT or https://HOST:PORT.
#pragma once

#include <string>
#include <string_view>

#include "broker/base/percent.hpp"
#include "broker/base/result.hpp"

namespace hf::ctl {

struct Url {
  std::string host, port;
  bool tls = false;
  /// As the Host field has it.
  [[nodiscard]] std::string authority() const;
  [[nodiscard]] std::string text() const { return (tls ? "https://" : "http://") + authority(); }
  [[nodiscard]] bool is_loopback() const;
};

Result<Url> parse_url(std::string_view text);

}  // namespace hf::ctl
