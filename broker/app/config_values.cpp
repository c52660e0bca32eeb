// One value of the configuration from JSON: numbers in a range, durations, words; and near names.
#include "broker/app/config_values.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <utility>

namespace hf::app {
namespace {

constexpr std::array<std::pair<std::string_view, std::int64_t>, 7> units{{{"d", 86'400'000'000'000},
                                                                         {"h", 3'600'000'000'000},
                                                                         {"m", 60'000'000'000},
                                                                         {"s", 1'000'000'000},
                                                                         {"ms", 1'000'000},
                                                                         {"us", 1'000},
                                                                         {"ns", 1}}};
constexpr double longest_ns = 10.0 * 365 * 86'400e9;

std::size_t edits(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t change = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = std::exchange(row[j], std::min({row[j] + 1, row[j - 1] + 1, change}));
    }
  }
  return row[b.size()];
}

}  // namespace

std::optional<std::uint64_t> number_in(const Json& value, std::uint64_t low, std::uint64_t high) {
  if (!value.is_number_unsigned()) return std::nullopt;
  const auto number = value.get<std::uint64_t>();
  if (number < low || number > high) return std::nullopt;
  return number;
}

std::optional<Duration> duration_of(const Json& value) {
  if (!value.is_string()) return std::nullopt;
  const std::string text = value.get<std::string>();
  double amount = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), amount);
  if (error != std::errc() || !std::isfinite(amount) || amount < 0) return std::nullopt;
  const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  for (const auto& [name, nanoseconds] : units) {
    if (unit != name) continue;
    const double total = amount * static_cast<double>(nanoseconds);
    if (total > longest_ns) return std::nullopt;
    return Duration(std::llround(total));
  }
  return std::nullopt;
}

std::string duration_text(Duration duration) {
  if (duration == Duration::zero()) return "0s";
  for (const auto& [name, nanoseconds] : units) {
    if (duration.count() % nanoseconds == 0) {
      return std::to_string(duration.count() / nanoseconds) + std::string(name);
    }
  }
  return std::to_string(duration.count()) + "ns";
}

tl::unexpected<Error> wrong_value(const std::string& source, const std::string& path, const Json& value,
                                  const std::string& expected) {
  std::string shown = value.dump(-1, ' ', false, Json::error_handler_t::replace);
  if (shown.size() > 80) shown = shown.substr(0, 77) + "...";
  return fail(Blame::user, source + ": " + path + " is " + shown + "; expected " + expected);
}

Json outline(const Json& value) {
  if (value.empty()) return value;
  if (value.is_string()) return "...";
  if (value.is_array()) return Json::array({"..."});
  return value.is_object() ? Json{{"...", "..."}} : value;
}

std::string nearest(std::string_view word, const std::vector<std::string>& names) {
  std::string best;
  std::size_t least = std::max<std::size_t>(2, word.size() / 3) + 1;
  for (const std::string& name : names) {
    const std::size_t distance = edits(word, name);
    if (distance < least) {
      least = distance;
      best = name;
    }
  }
  return best;
}

}  // namespace hf::app
