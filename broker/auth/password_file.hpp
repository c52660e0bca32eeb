// A password file in Mosquitto's format, as mosquitto_passwd writes it.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>

#include "broker/base/result.hpp"

namespace hf::auth {

/// Lines `USER:$6$SALT$HASH` (SHA-512 of password and salt) and `USER:$7$ITERATIONS$SALT$HASH` (PBKDF2 with
/// HMAC-SHA-512), salt and hash in base64. Empty lines and lines that begin with '#' are skipped.
class PasswordFile {
 public:
  static Result<PasswordFile> read(const std::string& path);
  /// `source` is what errors call it.
  static Result<PasswordFile> parse(std::string_view text, const std::string& source);

  /// A user that is not there costs as much as one that is.
  [[nodiscard]] bool fits(std::string_view user, std::string_view password) const;
  [[nodiscard]] bool knows(std::string_view user) const { return users_.contains(user); }
  [[nodiscard]] std::size_t size() const { return users_.size(); }

 private:
  struct Kept {
    unsigned iterations = 0;  ///< 0: hashed once
    std::string salt, hash;
  };
  /// What is wrong with the line, or nothing.
  std::string take(std::string_view line);
  static std::string read_kept(std::string_view text, Kept& kept);

  std::map<std::string, Kept, std::less<>> users_;
};

}  // namespace hf::auth
