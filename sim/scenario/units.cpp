// Decimal numbers with a unit, exactly: no floating point.
#include "sim/scenario/units.hpp"

#include <array>
#include <utility>

namespace hf::sim {

namespace {

struct Decimal {
  std::int64_t digits = 0;
  std::int64_t divisor = 1;
  std::string_view unit;
};

std::optional<Decimal> parse_decimal(std::string_view text) {
  Decimal result;
  bool negative = false, any = false, fraction = false;
  std::size_t at = 0;
  if (at < text.size() && (text[at] == '-' || text[at] == '+')) negative = text[at++] == '-';
  for (; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '.' && !fraction) {
      fraction = true;
      continue;
    }
    if (c < '0' || c > '9') break;
    if (result.digits > INT64_MAX / 100 || result.divisor > 1'000'000'000) return std::nullopt;
    result.digits = result.digits * 10 + (c - '0');
    if (fraction) result.divisor *= 10;
    any = true;
  }
  if (!any) return std::nullopt;
  if (negative) result.digits = -result.digits;
  while (at < text.size() && text[at] == ' ') ++at;
  result.unit = text.substr(at);
  return result;
}

using Unit = std::pair<std::string_view, std::int64_t>;

template <std::size_t N>
std::optional<std::int64_t> scaled(const Decimal& number, const std::array<Unit, N>& units) {
  for (const auto& [name, factor] : units) {
    if (name != number.unit) continue;
    const std::int64_t limit = INT64_MAX / factor;
    if (number.digits > limit || number.digits < -limit) {
      return number.divisor > 1 && factor % number.divisor == 0 &&
                     number.digits < INT64_MAX / (factor / number.divisor)
                 ? std::optional(number.digits * (factor / number.divisor))
                 : std::nullopt;
    }
    return number.digits * factor / number.divisor;
  }
  return std::nullopt;
}

constexpr std::array<Unit, 8> durations = {{{"s", 1'000'000'000},
                                            {"ms", 1'000'000},
                                            {"us", 1'000},
                                            {"ns", 1},
                                            {"m", 60'000'000'000},
                                            {"min", 60'000'000'000},
                                            {"h", 3'600'000'000'000},
                                            {"d", 86'400'000'000'000}}};

constexpr std::array<Unit, 9> sizes = {{{"B", 1},
                                        {"", 1},
                                        {"KB", 1'000},
                                        {"kB", 1'000},
                                        {"MB", 1'000'000},
                                        {"GB", 1'000'000'000},
                                        {"KiB", 1024},
                                        {"MiB", 1024LL * 1024},
                                        {"GiB", 1024LL * 1024 * 1024}}};

constexpr std::array<Unit, 4> bits = {
    {{"bit", 1}, {"kbit", 1'000}, {"mbit", 1'000'000}, {"gbit", 1'000'000'000}}};

}  // namespace

std::optional<std::int64_t> parse_duration(std::string_view text) {
  const auto number = parse_decimal(text);
  if (!number) return std::nullopt;
  if (number->unit.empty()) return number->digits == 0 ? std::optional<std::int64_t>(0) : std::nullopt;
  return scaled(*number, durations);
}

std::optional<std::int64_t> parse_rate(std::string_view text) {
  const auto number = parse_decimal(text);
  if (!number || number->digits <= 0 || number->unit.size() < 2 || number->unit[0] != '/') {
    return std::nullopt;
  }
  for (const auto& [name, factor] : durations) {
    if (name != number->unit.substr(1)) continue;
    if (factor > INT64_MAX / number->divisor) return std::nullopt;
    const std::int64_t interval = factor * number->divisor / number->digits;
    return interval > 0 ? std::optional(interval) : std::nullopt;
  }
  return std::nullopt;
}

std::optional<std::int64_t> parse_size(std::string_view text) {
  const auto number = parse_decimal(text);
  if (!number || number->digits < 0) return std::nullopt;
  return scaled(*number, sizes);
}

std::optional<std::int64_t> parse_bandwidth(std::string_view text) {
  if (text.ends_with("/s")) {
    const auto bytes = parse_size(text.substr(0, text.size() - 2));
    if (!bytes || *bytes > INT64_MAX / 8) return std::nullopt;
    return *bytes * 8;
  }
  const auto number = parse_decimal(text);
  if (!number || number->digits < 0) return std::nullopt;
  return scaled(*number, bits);
}

std::string show_duration(std::int64_t nanoseconds) {
  for (const auto& [name, factor] : {durations[0], durations[1], durations[2]}) {
    if (nanoseconds % factor == 0) return std::to_string(nanoseconds / factor) + std::string(name);
  }
  return std::to_string(nanoseconds) + "ns";
}

}  // namespace hf::sim
