// Numbers as people read them.
#include "broker/ctl/human.hpp"

#include <array>
#include <cstdio>
#include <ctime>

namespace hf::ctl {

std::string count(std::uint64_t number) {
  const std::string digits = std::to_string(number);
  std::string text;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) text += ',';
    text += digits[i];
  }
  return text;
}

std::string bytes(std::uint64_t number) {
  if (number < 1024) return std::to_string(number) + " B";
  constexpr std::array<const char*, 5> units{"KiB", "MiB", "GiB", "TiB", "PiB"};
  auto amount = static_cast<double>(number) / 1024;
  std::size_t unit = 0;
  for (; amount >= 1024 && unit + 1 < units.size(); ++unit) amount /= 1024;
  std::array<char, 32> text;
  std::snprintf(text.data(), text.size(), "%.1f %s", amount, units[unit]);
  return text.data();
}

std::string duration_s(std::uint64_t seconds) {
  const auto two = [](std::uint64_t large, const char* one, std::uint64_t small, const char* other) {
    return std::to_string(large) + one + (small > 0 ? " " + std::to_string(small) + other : "");
  };
  if (seconds < 60) return std::to_string(seconds) + "s";
  if (seconds < 3600) return two(seconds / 60, "m", seconds % 60, "s");
  if (seconds < 86'400) return two(seconds / 3600, "h", seconds % 3600 / 60, "m");
  return two(seconds / 86'400, "d", seconds % 86'400 / 3600, "h");
}

std::string duration_ms(std::uint64_t ms) { return ms < 1000 ? std::to_string(ms) + "ms" : duration_s(ms / 1000); }

std::string time_of(std::uint64_t wall_ms) {
  const auto seconds = static_cast<std::time_t>(wall_ms / 1000);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 32> text;
  std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S UTC", &parts);
  return text.data();
}

}  // namespace hf::ctl
