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
/// Whether lines of this level are written.
bool logs(env::Level level);
/// Lines of one kind are written so many times in a while (log_flood.hpp); log_held_back tells how many were not. From any thread.
void log_line(const env::LogLine& line);
void log(env::Level level, std::string_view text);
/// To be called once a second, and with `all` at the end. Tells, too, how many lines nobody would take.
void log_held_back(bool all = false);
/// About a client: its id has a field of its own.
void log_client(env::Level level, std::string_view client, std::string_view text);
/// Lines that were lost because standard output was not read, or could not be written to.
std::uint64_t log_lines_lost();
/// Before the process ends: what is not written yet is, if it is read in about a second.
void finish_logging();
/// The last words: critical, written if they are read in about a second; then the process ends with status 3.
[[noreturn]] void die(std::string_view why);

}  // namespace hf::app
