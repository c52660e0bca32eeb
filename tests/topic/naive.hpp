// The naive twin: topic matching as the standard words it, on lists of levels; shares no code.
#pragma once

#include <string>
#include <vector>

namespace hf::naive {

using Levels = std::vector<std::string>;

inline Levels split(const std::string& text) {
  Levels levels(1);
  for (const char c : text) {
    if (c == '/') {
      levels.emplace_back();
    } else {
      levels.back().push_back(c);
    }
  }
  return levels;
}

inline bool rest_matches(const Levels& filter, const Levels& name, std::size_t f, std::size_t n) {
  if (f == filter.size()) return n == name.size();
  if (filter[f] == "#") return true;
  if (n == name.size()) return false;
  if (filter[f] != "+" && filter[f] != name[n]) return false;
  return rest_matches(filter, name, f + 1, n + 1);
}

inline bool matches(const std::string& filter, const std::string& name) {
  const Levels f = split(filter);
  const Levels n = split(name);
  if (!n[0].empty() && n[0][0] == '$' && (f[0] == "+" || f[0] == "#")) return false;
  return rest_matches(f, n, 0, 0);
}

/// Well formed, judged level by level; limits of length are tested in tables.
inline bool valid_filter(const std::string& filter) {
  if (filter.empty()) return false;
  const Levels levels = split(filter);
  for (std::size_t i = 0; i < levels.size(); ++i) {
    for (const char c : levels[i]) {
      if (c == '\0') return false;
      if ((c == '+' || c == '#') && levels[i].size() != 1) return false;
      if (c == '#' && i + 1 != levels.size()) return false;
    }
  }
  return true;
}

}  // namespace hf::naive
