// Log lines on standard output, as text or as JSON, one object a line.
#pragma once

#include <string>
#include <string_view>

#include "broker/host/host.hpp"

namespace hf::app {

void set_up_logging(const std::string& level, const std::string& format);
/// From now on.
void set_log_level(const std::string& level);
void log(env::Level level, std::string_view text);
/// The last words: critical, flushed; then the process ends with status 3.
[[noreturn]] void die(std::string_view why);

}  // namespace hf::app
