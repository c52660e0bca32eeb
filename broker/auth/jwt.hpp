// JSON Web Tokens (RFC 7519) as passwords: signed, of now, for us, and what they grant.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "broker/access/guard.hpp"
#include "broker/auth/jwt_key.hpp"
#include "broker/base/result.hpp"
#include "broker/base/time.hpp"

namespace hf::auth {

/// access.jwt.*
struct JwtSettings {
  std::string algorithm;  ///< "" no tokens, "HS256", "RS256", "ES256"
  std::string secret, secret_file;  ///< HS256: one of them
  std::string public_key_file;      ///< RS256, ES256
  std::string issuer, audience;     ///< "": not looked at
  std::string user_claim = "sub";   ///< the claim that names the user
  std::string user_is;              ///< "" anything, "user_name" or "client_id" of the CONNECT
  Duration leeway = 30s;            ///< how far the clocks of signer and node may be apart
  friend bool operator==(const JwtSettings&, const JwtSettings&) = default;
};

inline constexpr std::size_t token_max = 16384;  ///< bytes

class Jwt {
 public:
  /// Reads the key.
  static Result<Jwt> make(const JwtSettings& settings);
  Jwt(JwtSettings settings, JwtKey key) : settings_(std::move(settings)), key_(std::move(key)) {}

  /// Nothing: not a token that lets this client in. Which of the reasons it was is nobody's business.
  [[nodiscard]] std::optional<access::Grant> check(std::string_view token, const access::Applicant& applicant) const;

 private:
  JwtSettings settings_;
  JwtKey key_;
};

}  // namespace hf::auth
