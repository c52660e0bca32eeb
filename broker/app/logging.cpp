// Log lines on standard output, as text or as JSON, one object a line.
#include "broker/app/logging.hpp"

#include <chrono>
#include <cstdlib>
#include <memory>

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace hf::app {
namespace {

/// The message as the inside of a JSON string.
class Escaped final : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm&,
              spdlog::memory_buf_t& out) override {
    static constexpr char hex[] = "0123456789abcdef";
    for (const char c : message.payload) {
      const auto byte = static_cast<unsigned char>(c);
      if (c == '"' || c == '\\') {
        out.push_back('\\');
        out.push_back(c);
      } else if (byte < 0x20) {
        for (const char each : {'\\', 'u', '0', '0', hex[byte >> 4U], hex[byte & 15U]}) {
          out.push_back(each);
        }
      } else {
        out.push_back(c);
      }
    }
  }
  [[nodiscard]] std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<Escaped>();
  }
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

}  // namespace

void set_up_logging(const std::string& level, const std::string& format) {
  auto logger = std::make_shared<spdlog::logger>(
      "holdfastd", std::make_shared<spdlog::sinks::stdout_sink_mt>());
  auto formatter = std::make_unique<spdlog::pattern_formatter>(spdlog::pattern_time_type::utc);
  if (format == "json") {
    formatter->add_flag<Escaped>('*').set_pattern(
        R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l","message":"%*"})");
  } else {
    formatter->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %-8l %v");
  }
  logger->set_formatter(std::move(formatter));
  logger->set_level(spdlog::level::from_str(level));
  logger->flush_on(spdlog::level::warn);
  spdlog::set_default_logger(std::move(logger));
  spdlog::flush_every(std::chrono::seconds(1));
}

void set_log_level(const std::string& level) {
  spdlog::default_logger_raw()->set_level(spdlog::level::from_str(level));
}

void log(env::Level level, std::string_view text) {
  spdlog::default_logger_raw()->log(level_of(level), spdlog::string_view_t(text.data(), text.size()));
}

void die(std::string_view why) {
  spdlog::default_logger_raw()->log(spdlog::level::critical,
                                    spdlog::string_view_t(why.data(), why.size()));
  spdlog::default_logger_raw()->flush();
  std::_Exit(3);
}

}  // namespace hf::app
