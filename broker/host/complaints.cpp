// Which refusals are worth a line in the log.
#include "broker/host/complaints.hpp"

namespace hf::host {
namespace {

constexpr Duration gap = 60s;
constexpr std::size_t lines_a_minute = 50;

}  // namespace

bool Complaints::worth_a_line(std::string_view address, Instant now, std::string_view kind) {
  const std::pair key(std::string(address.substr(0, address.rfind(':'))), std::string(kind));
  // At most lines_a_minute entries: this scan is short.
  for (auto it = said_.begin(); it != said_.end();) it = now - it->second >= gap ? said_.erase(it) : std::next(it);
  if (said_.size() >= lines_a_minute || !said_.emplace(key, now).second) {
    ++silenced_;
    return false;
  }
  return true;
}

}  // namespace hf::host
