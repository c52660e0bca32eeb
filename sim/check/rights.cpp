// Who may publish to and receive what, by the scenario's own rules.
#include "sim/check/rights.hpp"

#include <map>
#include <optional>

#include "sim/check/topic_match.hpp"

namespace hf::sim {
namespace {

/// '*' is any text. Names in scenarios are short: trying every length is good enough.
bool like(std::string_view pattern, std::string_view text) {
  if (pattern.empty()) return text.empty();
  if (pattern.front() != '*') return !text.empty() && pattern.front() == text.front() && like(pattern.substr(1), text.substr(1));
  for (std::size_t skip = 0; skip <= text.size(); ++skip)
    if (like(pattern.substr(1), text.substr(skip))) return true;
  return false;
}

/// Nothing where a name that is asked for is missing or would be a wildcard.
std::optional<std::string> with_names(std::string filter, const std::string& user, const std::string& client) {
  for (const auto& [mark, name] : {std::pair<std::string_view, const std::string&>{"%u", user}, {"%c", client}})
    for (std::size_t at = filter.find(mark); at != std::string::npos; at = filter.find(mark, at + name.size())) {
      if (name.empty() || name.find('+') != std::string::npos || name.find('#') != std::string::npos) return std::nullopt;
      filter.replace(at, mark.size(), name);
    }
  return filter;
}

}  // namespace

Rights::Rights(const History& history, const Index& index) : index_(index), rules_(history.facts.rights) {
  std::map<std::string, std::string> names;
  for (const auto& client : history.facts.clients) names[client.id] = client.user;
  for (const Client& client : index.clients()) users_.push_back(names[client.id]);
}

bool Rights::may(std::uint32_t client, std::uint32_t topic, bool publish) const {
  if (rules_.empty()) return true;
  const std::string& id = index_.clients()[client].id;
  const std::string& user = users_[client];
  bool allowed = false;
  for (const RunFacts::Right& rule : rules_) {
    if (publish ? !rule.publish : !rule.receive) continue;
    if (!rule.user.empty() && (user.empty() || !like(rule.user, user))) continue;
    if (!rule.client.empty() && !like(rule.client, id)) continue;
    const auto filter = with_names(rule.filter, user, id);
    if (!filter || !filter_matches(*filter, index_.topics()[topic])) continue;
    if (!rule.allow) return false;
    allowed = true;
  }
  return allowed;
}

}  // namespace hf::sim
