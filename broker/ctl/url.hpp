// Where a node's administration is: http://HOST:PORT.
#pragma once

#include <string>
#include <string_view>

#include "broker/base/percent.hpp"
#include "broker/base/result.hpp"

namespace hf::ctl {

struct Url {
  std::string host, port;
  /// As the Host field has it.
  [[nodiscard]] std::string authority() const;
};

Result<Url> parse_url(std::string_view text);

}  // namespace hf::ctl
