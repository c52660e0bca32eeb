// Who may connect, publish, subscribe and receive.
#include "broker/access/access.hpp"

#include <algorithm>

#include "broker/access/filters.hpp"
#include "broker/topic/name.hpp"

namespace hf::access {

const User* Access::find(std::string_view name) const {
  const auto it = std::find_if(policy_.users.begin(), policy_.users.end(), [&](const User& u) { return u.name == name; });
  return it == policy_.users.end() ? nullptr : &*it;
}

Login Access::login(const std::optional<std::string>& name, const std::optional<std::string>& password) const {
  if (!name) return policy_.anonymous ? Login::granted : Login::not_authorized;
  if (policy_.users.empty() && policy_.anonymous) return Login::granted;  // there is nothing to hold it against
  const User* user = find(*name);
  const bool good = user != nullptr && password && *password == user->password;
  return good ? Login::granted : Login::bad_credentials;
}

std::string Access::user_of(const std::optional<std::string>& name) const {
  return name && find(*name) != nullptr ? *name : std::string();
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
    // A client that calls itself '#' must not get everybody's rights.
    if (name.empty() || name.find_first_of("+#") != std::string_view::npos) return std::nullopt;
    out += name;
  }
  return out;
}

template <class Allows, class Denies>
bool Access::decide(const Who& who, bool publish, Allows&& allows, Denies&& denies) const {
  if (policy_.rules.empty()) return true;
  bool allowed = false;
  for (const Rule& rule : policy_.rules) {
    if (!(publish ? rule.publish : rule.subscribe)) continue;
    if (!rule.user.empty() && !(fits(rule.user, who.user) && !who.user.empty())) continue;
    if (!rule.client.empty() && !fits(rule.client, who.client)) continue;
    const auto filter = filled_in(rule.filter, who);
    if (!filter) continue;
    if (!rule.allow && denies(*filter)) return false;
    if (rule.allow && !allowed) allowed = allows(*filter);
  }
  return allowed;
}

bool Access::may_publish(const Who& who, std::string_view topic) const {
  const auto matches = [&](const std::string& filter) { return topic::matches(filter, topic); };
  return decide(who, true, matches, matches);
}

bool Access::may_receive(const Who& who, std::string_view topic) const {
  const auto matches = [&](const std::string& filter) { return topic::matches(filter, topic); };
  return decide(who, false, matches, matches);
}

bool Access::may_subscribe(const Who& who, std::string_view filter) const {
  const auto parsed = topic::parse_filter(filter);
  if (!parsed) return false;
  return decide(
      who, false, [&](const std::string& mine) { return overlap(mine, parsed->filter); },
      [&](const std::string& mine) { return covers(mine, parsed->filter); });
}

}  // namespace hf::access
