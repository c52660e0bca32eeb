// Log lines on standard output, as text or as JSON, one event a line.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "broker/env/environment.hpp"

namespace hf::app {

/// `node` stands in each line.
void set_up_logging(const std::string& level, const std::string& format, std::uint32_t node);
std::string log_level();
/// From now on.
void set_log_level(const std::string& level);
/// Warnings and errors of one kind are written a few times in a while; the next one says how many were not.
void log(env::Level level, std::string_view text);
/// About a client: its id has a field of its own.
void log_client(env::Level level, std::string_view client, std::string_view text);
/// The last words: critical, flushed; then the process ends with status 3.
[[noreturn]] void die(std::string_view why);

}  // namespace hf::app
