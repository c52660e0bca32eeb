// The guard that is made of users and rules alone.
#include "broker/access/access.hpp"

#include <algorithm>

#include "broker/topic/name.hpp"

namespace hf::access {

const User* Access::find(std::string_view name) const {
  const auto it = std::find_if(policy_.users.begin(), policy_.users.end(), [&](const User& u) { return u.name == name; });
  return it == policy_.users.end() ? nullptr : &*it;
}

Verdict Access::login(const Applicant& applicant) const {
  const Verdict anonymous{Login::granted, {}};
  if (!applicant.name) return policy_.anonymous ? anonymous : Verdict{Login::not_authorized, {}};
  // There is nothing to hold it against, and a name that nobody checked is no user.
  if (policy_.users.empty() && policy_.anonymous) return anonymous;
  const User* user = find(*applicant.name);
  const bool good = user != nullptr && user->verifier.empty() && applicant.password && *applicant.password == user->password;
  if (!good) return {Login::bad_credentials, {}};
  Verdict verdict{Login::granted, {}};
  verdict.grant.user = user->name;
  verdict.grant.listed = true;
  return verdict;
}

std::unique_ptr<Exchange> Access::begin(std::string_view, const Applicant&, const Draw&) const { return nullptr; }

bool Access::may(Deed deed, const Who& who, std::string_view topic) const {
  return open() || say(policy_.rules, deed, who, topic) == Say::allow;
}

bool Access::may_publish(const Who& who, std::string_view topic) const { return may(Deed::publish, who, topic); }

bool Access::may_receive(const Who& who, std::string_view topic) const { return may(Deed::receive, who, topic); }

bool Access::may_receive_all(const Who& who, std::string_view filter) const {
  return open() || say_all(policy_.rules, who, filter) == Say::allow;
}

bool Access::may_subscribe(const Who& who, std::string_view filter) const {
  if (open()) return true;
  const auto parsed = topic::parse_filter(filter);
  return parsed && say_filter(policy_.rules, who, parsed->filter) == Say::allow;
}

}  // namespace hf::access
