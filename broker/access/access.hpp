// Who may connect, publish, subscribe and receive: one small interface that hides where users and rules come from.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "broker/access/policy.hpp"

namespace hf::access {

/// An authenticated client. `user` is empty for anonymous ones.
struct Who {
  std::string_view user, client;
};

enum class Login { granted, bad_credentials, not_authorized };

/// Deny beats allow, whatever the order; once there are rules, what no rule allows is denied (as in Mosquitto).
class Access {
 public:
  explicit Access(Policy policy) : policy_(std::move(policy)) {}

  /// Name and password of a CONNECT.
  [[nodiscard]] Login login(const std::optional<std::string>& name, const std::optional<std::string>& password) const;
  /// The name that rules go by: of a known user, else none. A name that nobody checked is no user.
  [[nodiscard]] std::string user_of(const std::optional<std::string>& name) const;
  [[nodiscard]] const User* find(std::string_view name) const;

  [[nodiscard]] bool may_publish(const Who& who, std::string_view topic) const;
  /// Some topic that the filter matches may be received, and none of it is denied as a whole.
  [[nodiscard]] bool may_subscribe(const Who& who, std::string_view filter) const;
  [[nodiscard]] bool may_receive(const Who& who, std::string_view topic) const;
  /// There are no rules: nobody needs to ask.
  [[nodiscard]] bool open() const { return policy_.rules.empty(); }

 private:
  template <class Allows, class Denies>
  [[nodiscard]] bool decide(const Who& who, bool publish, Allows&& allows, Denies&& denies) const;

  Policy policy_;
};

/// '*' stands for any text, the empty one too.
[[nodiscard]] bool fits(std::string_view pattern, std::string_view text);
/// The filter with %u and %c replaced; none where the name in question is missing or has a wildcard in it.
[[nodiscard]] std::optional<std::string> filled_in(std::string_view filter, const Who& who);

}  // namespace hf::access
