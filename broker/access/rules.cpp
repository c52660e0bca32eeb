// What a list of rules says about a client and a topic.
#include "broker/access/rules.hpp"

#include "broker/access/filters.hpp"
#include "broker/topic/name.hpp"

namespace hf::access {
namespace {

template <class Allows, class Denies>
Say decide(const Rules& rules, Deed deed, const Who& who, Allows&& allows, Denies&& denies) {
  bool allowed = false;
  for (const Rule& rule : rules) {
    if (!(deed == Deed::publish ? rule.publish : rule.subscribe)) continue;
    if (!rule.user.empty() && !(fits(rule.user, who.user) && !who.user.empty())) continue;
    if (!rule.client.empty() && !fits(rule.client, who.client)) continue;
    const auto filter = filled_in(rule.filter, who);
    if (!filter) continue;
    if (!rule.allow && denies(*filter)) return Say::deny;
    if (rule.allow && !allowed) allowed = allows(*filter);
  }
  return allowed ? Say::allow : Say::nothing;
}

}  // namespace

Say both(Say a, Say b) {
  if (a == Say::deny || b == Say::deny) return Say::deny;
  return a == Say::allow || b == Say::allow ? Say::allow : Say::nothing;
}

Say say(const Rules& rules, Deed deed, const Who& who, std::string_view topic) {
  const auto matches = [&](const std::string& filter) { return topic::matches(filter, topic); };
  return decide(rules, deed, who, matches, matches);
}

Say say_filter(const Rules& rules, const Who& who, std::string_view filter) {
  return decide(
      rules, Deed::receive, who, [&](const std::string& mine) { return overlap(mine, filter); },
      [&](const std::string& mine) { return covers(mine, filter); });
}

Say say_all(const Rules& rules, const Who& who, std::string_view filter) {
  return decide(
      rules, Deed::receive, who, [&](const std::string& mine) { return covers(mine, filter); },
      [&](const std::string& mine) { return overlap(mine, filter); });
}

bool fits(std::string_view pattern, std::string_view text) {
  std::size_t p = 0, t = 0, star = std::string_view::npos, from = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      from = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++from;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

std::optional<std::string> filled_in(std::string_view filter, const Who& who) {
  std::string out;
  for (std::size_t i = 0; i < filter.size(); ++i) {
    const bool marked = filter[i] == '%' && i + 1 < filter.size() && (filter[i + 1] == 'u' || filter[i + 1] == 'c');
    if (!marked) {
      out += filter[i];
      continue;
    }
    const std::string_view name = filter[++i] == 'u' ? who.user : who.client;
    // A client that calls itself '#' must not get everybody's rights, nor the server's by '$SYS'.
    if (name.empty() || name.find_first_of("+#") != std::string_view::npos) return std::nullopt;
    if (out.empty() && name.front() == '$') return std::nullopt;
    out += name;
  }
  return out;
}

}  // namespace hf::access
