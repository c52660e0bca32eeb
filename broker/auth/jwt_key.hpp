// The key that signatures of tokens are checked with; its algorithm is fixed by who configured it.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "broker/base/result.hpp"

struct evp_pkey_st;

namespace hf::auth {

class JwtKey {
 public:
  /// Bytes shared with who signs: HS256 wants 32 at least.
  static Result<JwtKey> shared(std::string secret, const std::string& source);
  /// A public key in PEM: RSA of 2048 bits at least for RS256, P-256 for ES256. `source` is what errors call it.
  static Result<JwtKey> of_public(const std::string& algorithm, const std::string& pem, const std::string& source);

  [[nodiscard]] const std::string& algorithm() const { return algorithm_; }
  [[nodiscard]] bool signed_by(std::string_view text, std::string_view signature) const;

 private:
  explicit JwtKey(std::string algorithm) : algorithm_(std::move(algorithm)) {}

  std::string algorithm_;
  std::string secret_;
  std::shared_ptr<evp_pkey_st> key_;
};

}  // namespace hf::auth
