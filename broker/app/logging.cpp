// Log lines on standard output, as text or as JSON, one event a line.
#include "broker/app/logging.hpp"

#include <chrono>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <random>
#include <string>

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include "broker/app/log_flood.hpp"
#include "broker/app/log_line.hpp"
#include "broker/app/log_writer.hpp"

namespace hf::app {
namespace {

bool as_json = false;
std::mutex flood_lock;
LogFlood flood{std::random_device{}()};

constexpr std::chrono::milliseconds last_patience(1000);
std::unique_ptr<LogWriter> writer;  ///< once logging is set up

/// Formats where the line is made, so that its time is right, and leaves the writing to the writer.
class WriterSink final : public spdlog::sinks::base_sink<std::mutex> {
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    writer->put({line.data(), line.size()}, message.level == spdlog::level::critical);
  }
  void flush_() override {}
};

spdlog::level::level_enum level_of(env::Level level) {
  switch (level) {
    case env::Level::debug: return spdlog::level::debug;
    case env::Level::info: return spdlog::level::info;
    case env::Level::warn: return spdlog::level::warn;
    case env::Level::error: return spdlog::level::err;
  }
  return spdlog::level::err;
}

void write(spdlog::level::level_enum level, const env::LogLine& line) {
  const std::string fields = as_json ? json_fields(line) : text_fields(line);
  spdlog::default_logger_raw()->log(level, spdlog::string_view_t(fields.data(), fields.size()));
}

Instant now() { return Instant(std::chrono::steady_clock::now().time_since_epoch()); }

}  // namespace

void set_up_logging(const std::string& level, const std::string& format, std::uint32_t node) {
  as_json = format == "json";
  finish_logging();
  writer = std::make_unique<LogWriter>(STDOUT_FILENO);
  auto logger = std::make_shared<spdlog::logger>(
      "holdfastd", std::make_shared<WriterSink>());
  const std::string id = std::to_string(node);
  const std::string pattern = as_json ? R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l","node":)" + id + ",%v}"
                                      : "%Y-%m-%dT%H:%M:%S.%eZ %-8l node=" + id + " %v";
  logger->set_formatter(std::make_unique<spdlog::pattern_formatter>(pattern, spdlog::pattern_time_type::utc));
  logger->set_level(spdlog::level::from_str(level));
  spdlog::set_default_logger(std::move(logger));
}

std::string log_level() {
  switch (spdlog::default_logger_raw()->level()) {
    case spdlog::level::debug: return "debug";
    case spdlog::level::info: return "info";
    case spdlog::level::warn: return "warn";
    default: return "error";
  }
}

void set_log_level(const std::string& level) {
  spdlog::default_logger_raw()->set_level(spdlog::level::from_str(level));
}

bool logs(env::Level level) { return spdlog::default_logger_raw()->should_log(level_of(level)); }

void log_line(const env::LogLine& line) {
  if (!logs(line.level)) return;
  {
    const std::lock_guard guard(flood_lock);  // storage warns from a thread of its own
    if (!flood.judge(line, now())) return;
  }
  write(level_of(line.level), line);
}

void log(env::Level level, std::string_view text) { log_line({level, text}); }

void log_client(env::Level level, std::string_view client, std::string_view text) {
  log_line({.level = level, .text = text, .client = client});
}

void log_held_back(bool all) {
  std::vector<LogFlood::HeldBack> held;
  {
    const std::lock_guard guard(flood_lock);
    held = flood.take(now(), all);
  }
  for (const auto& one : held) {
    const std::string text = "suppressed " + std::to_string(one.lines) + " more lines of this kind in the last " +
                             std::to_string(one.seconds) + " s: " + one.kind;
    if (logs(one.level)) write(level_of(one.level), {.level = one.level, .text = text, .event = "suppressed"});
  }
  if (const auto lost = writer ? writer->take_lost() : 0; lost > 0 && logs(env::Level::warn)) {
    const std::string text = "lost " + std::to_string(lost) + " lines: standard output was not read, or could not be written to";
    write(spdlog::level::warn, {.level = env::Level::warn, .text = text, .event = "lost"});
  }
}

std::uint64_t log_lines_lost() { return writer ? writer->lost() : 0; }

void finish_logging() {
  static std::mutex once;  // two threads may have last words
  const std::lock_guard guard(once);
  if (writer) writer->finish(last_patience);
}

void die(std::string_view why) {
  write(spdlog::level::critical, {env::Level::error, why});
  finish_logging();
  std::_Exit(3);
}

}  // namespace hf::app
