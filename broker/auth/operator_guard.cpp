// The guard of a node that serves.
#include "broker/auth/operator_guard.hpp"

#include <algorithm>
#include <utility>

#include "broker/auth/crypto.hpp"
#include "broker/topic/name.hpp"

namespace hf::auth {

using access::Applicant;
using access::Deed;
using access::Grant;
using access::Login;
using access::Say;
using access::User;
using access::Verdict;
using access::Who;

namespace {

constexpr std::string_view scram_method = "SCRAM-SHA-256";

const User* find(const std::vector<User>& users, std::string_view name) {
  const auto it = std::lower_bound(users.begin(), users.end(), name, [](const User& u, std::string_view n) { return u.name < n; });
  return it == users.end() || it->name != name ? nullptr : &*it;
}

bool fits(const User& user, std::string_view password) {
  if (user.verifier.empty()) return same(digest(Hash::sha256, user.password), digest(Hash::sha256, password));
  const auto verifier = ScramVerifier::read(user.verifier);
  return verifier && verifier->fits(password);
}

Verdict granted(std::string_view user, bool listed) {
  Verdict verdict{Login::granted, {}};
  verdict.grant.user = user;
  verdict.grant.listed = listed;
  return verdict;
}

}  // namespace

Result<std::shared_ptr<const OperatorGuard>> OperatorGuard::make(const AuthSettings& settings, const access::Policy& policy,
                                                                 const std::string& secret) {
  std::shared_ptr<OperatorGuard> guard(new OperatorGuard);
  if (auto done = guard->read(settings, policy, secret); !done) return tl::make_unexpected(done.error());
  return std::shared_ptr<const OperatorGuard>(std::move(guard));
}

Result<void> OperatorGuard::read(const AuthSettings& settings, const access::Policy& policy, const std::string& secret) {
  anonymous_ = settings.anonymous;
  anonymous_at_ = settings.anonymous_at;
  rules_ = policy.rules;
  users_ = policy.users;
  std::sort(users_.begin(), users_.end(), [](const User& a, const User& b) { return a.name < b.name; });
  const auto take = [](auto& to, auto read_one) -> Result<void> {
    if (!read_one) return tl::make_unexpected(read_one.error());
    to = std::move(*read_one);
    return {};
  };
  if (!settings.password_file.empty())
    if (auto done = take(passwords_, PasswordFile::read(settings.password_file)); !done) return done;
  if (!settings.acl_file.empty())
    if (auto done = take(acl_, AclFile::read(settings.acl_file)); !done) return done;
  if (!settings.jwt.algorithm.empty())
    if (auto done = take(jwt_, Jwt::make(settings.jwt)); !done) return done;
  const bool offered = std::find(settings.methods.begin(), settings.methods.end(), scram_method) != settings.methods.end();
  auto scram = std::make_shared<ScramUsers>(secret);
  for (const User& user : users_) {
    auto verifier = ScramVerifier::read(user.verifier);
    if (!user.verifier.empty() && !verifier)
      return fail(Blame::user, "access.users: the verifier of '" + user.name +
                                   "' is not good; expected SCRAM-SHA-256$ITERATIONS:SALT$STOREDKEY:SERVERKEY in base64");
    if (verifier)
      scram->add(user.name, std::move(*verifier));
    else if (offered)
      scram->add_password(user.name, user.password);
  }
  if (offered) scram_ = std::move(scram);
  return {};
}

bool OperatorGuard::knows(std::string_view user) const {
  return find(users_, user) != nullptr || (passwords_ && passwords_->knows(user));
}

Verdict OperatorGuard::login(const Applicant& applicant) const {
  if (!applicant.identity.empty()) return granted(applicant.identity, false);
  return applicant.name ? by_password(applicant) : without_name(applicant);
}

Verdict OperatorGuard::without_name(const Applicant& applicant) const {
  if (applicant.password && jwt_) {
    auto grant = jwt_->check(*applicant.password, applicant);
    return grant ? Verdict{Login::granted, std::move(*grant)} : Verdict{Login::bad_credentials, {}};
  }
  const auto here = anonymous_at_.find(applicant.listener);
  const Anonymous who = here == anonymous_at_.end() ? anonymous_ : here->second;
  const bool welcome = who == Anonymous::anybody || (who == Anonymous::loopback && applicant.same_machine);
  return welcome ? granted("", false) : Verdict{Login::not_authorized, {}};
}

Verdict OperatorGuard::by_password(const Applicant& applicant) const {
  const Verdict refused{Login::bad_credentials, {}};
  const std::string_view name = *applicant.name;
  if (users_.empty() && !passwords_ && !jwt_) {
    // There is nothing to hold the name against: whoever may come without one may come with it.
    const Verdict verdict = without_name(applicant);
    return verdict.login == Login::granted ? verdict : refused;
  }
  if (!applicant.password) return refused;
  if (const User* user = find(users_, name)) return fits(*user, *applicant.password) ? granted(name, true) : refused;
  // Asked for unknown users too, so that they take as long.
  if (passwords_ && passwords_->fits(name, *applicant.password)) return granted(name, true);
  if (!jwt_ || knows(name)) return refused;
  auto grant = jwt_->check(*applicant.password, applicant);
  return grant ? Verdict{Login::granted, std::move(*grant)} : refused;
}

std::unique_ptr<access::Exchange> OperatorGuard::begin(std::string_view method, const Applicant&, const access::Draw& draw) const {
  if (scram_ == nullptr || method != scram_method) return nullptr;
  return std::make_unique<ScramExchange>(scram_, draw);
}

bool OperatorGuard::may(Deed deed, const Who& who, std::string_view topic) const {
  if (free_for(who)) return true;
  Say said = access::say(rules_, deed, who, topic);
  if (acl_) said = both(said, acl_->say(deed, who, topic));
  if (who.rules != nullptr) said = both(said, access::say(*who.rules, deed, who, topic));
  return said == Say::allow;
}

bool OperatorGuard::may_publish(const Who& who, std::string_view topic) const { return may(Deed::publish, who, topic); }

bool OperatorGuard::may_receive(const Who& who, std::string_view topic) const { return may(Deed::receive, who, topic); }

bool OperatorGuard::may_receive_all(const Who& who, std::string_view filter) const {
  if (free_for(who)) return true;
  Say said = access::say_all(rules_, who, filter);
  if (acl_) said = both(said, acl_->say_all(who, filter));
  if (who.rules != nullptr) said = both(said, access::say_all(*who.rules, who, filter));
  return said == Say::allow;
}

bool OperatorGuard::may_subscribe(const Who& who, std::string_view filter) const {
  if (free_for(who)) return true;
  const auto parsed = topic::parse_filter(filter);
  if (!parsed) return false;
  Say said = access::say_filter(rules_, who, parsed->filter);
  if (acl_) said = both(said, acl_->say_filter(who, parsed->filter));
  if (who.rules != nullptr) said = both(said, access::say_filter(*who.rules, who, parsed->filter));
  return said == Say::allow;
}

}  // namespace hf::auth
