// Users and rules as the operator wrote them.
#pragma once

#include <string>
#include <vector>

namespace hf::access {

struct User {
  std::string name;
  std::string password;  ///< bytes
  std::string verifier{};  ///< in place of the password: what SCRAM keeps of it
  friend bool operator==(const User&, const User&) = default;
};

/// Allows or denies. A rule that names no user (client) is for all; '*' in a name stands for anything. In the filter,
/// %u is the user's name and %c the client id.
struct Rule {
  std::string user, client;
  bool allow = true;
  bool publish = true, subscribe = true;  ///< what it is about; subscribing includes receiving
  std::string filter;
  friend bool operator==(const Rule&, const Rule&) = default;
};

using Rules = std::vector<Rule>;

struct Policy {
  bool anonymous = true;  ///< clients without a user name may connect
  std::vector<User> users;
  Rules rules;             ///< none: everybody may do everything
  friend bool operator==(const Policy&, const Policy&) = default;
};

}  // namespace hf::access
