// The guard of a node that serves: what an operator configured, files included.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/access/guard.hpp"
#include "broker/access/policy.hpp"
#include "broker/access/rules.hpp"
#include "broker/auth/acl_file.hpp"
#include "broker/auth/jwt.hpp"
#include "broker/auth/password_file.hpp"
#include "broker/auth/scram_exchange.hpp"
#include "broker/base/result.hpp"

namespace hf::auth {

/// Who may come without a user name.
enum class Anonymous { loopback, anybody, nobody };
/// At single listeners, by name, in place of what else is so.
using AnonymousAt = std::map<std::string, Anonymous, std::less<>>;

/// access.*, beside users and rules.
struct AuthSettings {
  Anonymous anonymous = Anonymous::loopback;
  AnonymousAt anonymous_at;
  std::vector<std::string> methods{"SCRAM-SHA-256"};
  std::string password_file, acl_file;  ///< "": none
  JwtSettings jwt;
  friend bool operator==(const AuthSettings&, const AuthSettings&) = default;
};

/// Invariants: 1. a user name that nothing proved is no user. 2. with any rule, line of an ACL file or rule of a token,
/// what none allows is denied, and what one denies too. 3. nothing in it changes: a reload makes another.
class OperatorGuard final : public access::Guard {
 public:
  /// Reads the files. `policy.anonymous` is not looked at. `secret`: random bytes, the same for the life of the process.
  static Result<std::shared_ptr<const OperatorGuard>> make(const AuthSettings& settings, const access::Policy& policy,
                                                           const std::string& secret);

  [[nodiscard]] access::Verdict login(const access::Applicant& applicant) const override;
  [[nodiscard]] std::unique_ptr<access::Exchange> begin(std::string_view method, const access::Applicant& applicant,
                                                        const access::Draw& draw) const override;
  [[nodiscard]] bool knows(std::string_view user) const override;
  [[nodiscard]] bool may_publish(const access::Who& who, std::string_view topic) const override;
  [[nodiscard]] bool may_subscribe(const access::Who& who, std::string_view filter) const override;
  [[nodiscard]] bool may_receive(const access::Who& who, std::string_view topic) const override;
  [[nodiscard]] bool may_receive_all(const access::Who& who, std::string_view filter) const override;
  [[nodiscard]] bool open() const override { return rules_.empty() && !acl_ && !jwt_; }

 private:
  OperatorGuard() = default;
  Result<void> read(const AuthSettings& settings, const access::Policy& policy, const std::string& secret);
  [[nodiscard]] access::Verdict by_password(const access::Applicant& applicant) const;
  [[nodiscard]] access::Verdict without_name(const access::Applicant& applicant) const;
  [[nodiscard]] bool may(access::Deed deed, const access::Who& who, std::string_view topic) const;
  /// Nobody's rights are limited, at least not by what is for all.
  [[nodiscard]] bool free_for(const access::Who& who) const { return rules_.empty() && !acl_ && who.rules == nullptr; }

  Anonymous anonymous_ = Anonymous::loopback;
  AnonymousAt anonymous_at_;
  std::vector<access::User> users_;  ///< by name
  access::Rules rules_;
  std::optional<PasswordFile> passwords_;
  std::optional<AclFile> acl_;
  std::optional<Jwt> jwt_;
  std::shared_ptr<const ScramUsers> scram_;  ///< null: not offered
};

}  // namespace hf::auth
