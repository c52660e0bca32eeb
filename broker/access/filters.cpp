// Two topic filters held against each other, level by level.
#include "broker/access/filters.hpp"

#include <optional>

namespace hf::access {

namespace {

/// Cuts the first level off; nothing when all levels are gone.
std::optional<std::string_view> next_level(std::optional<std::string_view>& rest) {
  if (!rest) return std::nullopt;
  const auto slash = rest->find('/');
  const std::string_view level = rest->substr(0, slash);
  if (slash == std::string_view::npos)
    rest.reset();
  else
    rest = rest->substr(slash + 1);
  return level;
}

/// A wildcard in the first level does not match names that begin with '$' [MQTT-4.7.2-1].
bool apart_by_dollar(std::string_view a, std::string_view b) {
  const bool wild = a.starts_with('+') || a.starts_with('#');
  return wild && b.starts_with('$');
}

}  // namespace

bool overlap(std::string_view a, std::string_view b) {
  if (apart_by_dollar(a, b) || apart_by_dollar(b, a)) return false;
  if ((a == "+" && b == "/#") || (a == "/#" && b == "+")) return false;  // the level above is the empty name, which is none
  std::optional<std::string_view> rest_a = a, rest_b = b;
  while (true) {
    const auto x = next_level(rest_a), y = next_level(rest_b);
    if (!x && !y) return true;
    if ((x && *x == "#") || (y && *y == "#")) return true;  // the level above is matched too
    if (!x || !y) return false;
    if (*x != "+" && *y != "+" && *x != *y) return false;
  }
}

bool covers(std::string_view a, std::string_view b) {
  if (apart_by_dollar(a, b)) return false;
  std::optional<std::string_view> rest_a = a, rest_b = b;
  while (true) {
    const auto x = next_level(rest_a), y = next_level(rest_b);
    if (x && *x == "#") return true;
    if (!x && !y) return true;
    // The level above `#` is no name where nothing or an empty level stands before it: one level more is all the same.
    if (y && *y == "#" && (b == "#" || b == "/#")) return x && *x == "+" && rest_a == "#";
    if (!x || !y || *y == "#") return false;
    if (*x != "+" && *x != *y) return false;
  }
}

}  // namespace hf::access
