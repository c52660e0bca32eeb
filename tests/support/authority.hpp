// A certificate authority for tests, made by the openssl command in a temporary directory.
#pragma once

#include <string>

namespace hf::test_support {

struct Issued {
  std::string certificate;  ///< paths
  std::string key;
};

class Authority {
 public:
  /// Its files are in a directory of its own, removed at the end.
  explicit Authority(const std::string& name);
  Authority(const Authority&) = delete;
  Authority& operator=(const Authority&) = delete;
  ~Authority();

  enum class Valid { now, not_any_more };
  /// For 127.0.0.1 and localhost, in both directions.
  Issued issue(const std::string& common_name, Valid valid = Valid::now);
  void revoke(const Issued& issued);
  /// Writes the revocation list anew.
  std::string revoked();
  [[nodiscard]] std::string certificate() const { return directory_ + "/ca.pem"; }
  [[nodiscard]] const std::string& directory() const { return directory_; }

 private:
  void openssl(const std::string& arguments) const;
  std::string directory_;
  int issued_ = 0;
};

}  // namespace hf::test_support
