// A client's side of SCRAM-SHA-256, for tests: written from RFC 5802, with hashes of OpenSSL alone.
#pragma once

#include <optional>
#include <string>

namespace hf::auth {

class ScramClient {
 public:
  ScramClient(std::string user, std::string password, std::string nonce, std::string gs2 = "n,,");
  [[nodiscard]] std::string first() const { return gs2_ + bare(); }
  /// The answer to the server's first message; nothing where that is not well formed.
  std::optional<std::string> last(const std::string& server_first);
  /// The server knows the password too.
  [[nodiscard]] bool trusts(const std::string& server_final) const;

 private:
  [[nodiscard]] std::string bare() const { return "n=" + user_ + ",r=" + nonce_; }
  std::string user_, password_, nonce_, gs2_, signature_;
};

}  // namespace hf::auth
