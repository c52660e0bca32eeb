// Which refusals are worth a line in the log: one a minute for an address and kind, and not too many in all.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "broker/base/time.hpp"

namespace hf::host {

class Complaints {
 public:
  /// Whether to write a line about `address` ("host:port"; the port does not count), where there is more than one `kind` of them.
  bool worth_a_line(std::string_view address, Instant now, std::string_view kind = {});
  /// How many were not, since this was asked last.
  std::size_t take_silenced() { return std::exchange(silenced_, 0); }

 private:
  std::map<std::pair<std::string, std::string>, Instant> said_;  ///< host and kind, of the last minute
  std::size_t silenced_ = 0;
};

}  // namespace hf::host
