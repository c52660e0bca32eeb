// A server's side of one SCRAM-SHA-256 exchange.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "broker/access/guard.hpp"
#include "broker/auth/scram.hpp"

namespace hf::auth {

/// Who can prove themselves by SCRAM. For anybody else there is a verifier that nothing fits, always the same while
/// `secret` is: who asks cannot tell whether a user exists.
class ScramUsers {
 public:
  /// `secret`: bytes that nobody else knows.
  explicit ScramUsers(std::string secret) : secret_(std::move(secret)) {}
  void add(const std::string& user, ScramVerifier verifier);
  /// From a password; its salt hangs on the secret.
  void add_password(const std::string& user, std::string_view password);

  [[nodiscard]] ScramVerifier find(std::string_view user) const;
  [[nodiscard]] bool knows(std::string_view user) const { return users_.contains(user); }
  /// A part of a nonce that nobody can guess.
  [[nodiscard]] std::string nonce(const access::Draw& draw) const;

 private:
  [[nodiscard]] std::string derived(std::string_view what, std::string_view from) const;

  std::string secret_;
  std::map<std::string, ScramVerifier, std::less<>> users_;
  std::vector<std::pair<unsigned, std::size_t>> shapes_;  ///< iterations and length of salt, as users have them
};

class ScramExchange final : public access::Exchange {
 public:
  ScramExchange(std::shared_ptr<const ScramUsers> users, const access::Draw& draw)
      : users_(std::move(users)), nonce_(users_->nonce(draw)) {}
  Step step(std::string_view data) override;

 private:
  Step first(std::string_view message);
  Step last(std::string_view message);

  std::shared_ptr<const ScramUsers> users_;
  std::string nonce_;
  bool asked_ = false;  ///< the client began without data
  std::optional<ClientFirst> first_;
  std::string server_first_;
  ScramVerifier verifier_;
};

}  // namespace hf::auth
