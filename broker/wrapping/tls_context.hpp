// What TLS works with: certificate, key, authority, revocation list, versions, ciphers. Read from files, once.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "broker/base/result.hpp"

struct ssl_ctx_st;

namespace hf::wrapping {

enum class ClientCertificate : std::uint8_t { none, optional, required };
/// Which part of a client's certificate is its user name.
enum class UserFrom : std::uint8_t { none, common_name, subject };
enum class TlsVersion : std::uint8_t { v1_2, v1_3 };

struct TlsSettings {
  std::string certificate;  ///< a PEM file: ours, then those between it and the authority
  std::string key;          ///< a PEM file
  std::string ca;           ///< a PEM file: who must have signed the other end's certificate
  std::string crl;          ///< a PEM file: revoked certificates; empty: none
  ClientCertificate client_certificate = ClientCertificate::none;
  UserFrom user_from = UserFrom::none;
  TlsVersion min_version = TlsVersion::v1_2;
  std::string ciphers;       ///< TLS 1.2, OpenSSL's names; empty: those with forward secrecy and authentication
  std::string ciphersuites;  ///< TLS 1.3; empty: OpenSSL's
  friend bool operator==(const TlsSettings&, const TlsSettings&) = default;
};

/// Connections that began with a context keep it, also when their listener gets another one.
class TlsContext {
 public:
  /// For streams that come in: `protocol` is what we are by ALPN, if the other end offers it.
  static Result<std::shared_ptr<const TlsContext>> server(const TlsSettings& settings, const std::string& protocol);
  /// For streams that we dial; the other end's certificate must be of settings.ca.
  static Result<std::shared_ptr<const TlsContext>> client(const TlsSettings& settings);
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;
  ~TlsContext();

  [[nodiscard]] ssl_ctx_st* get() const { return context_; }
  [[nodiscard]] UserFrom user_from() const { return user_from_; }
  /// When the certificate ends, in seconds since 1970.
  [[nodiscard]] std::int64_t expires() const { return expires_; }

 private:
  TlsContext() = default;
  Result<void> load(const TlsSettings& settings);
  Result<void> load_authority(const TlsSettings& settings);
  Result<void> load_revoked(const std::string& file);
  Result<void> choose_ciphers(const TlsSettings& settings);
  void ask_for_certificates(ClientCertificate wish);

  ssl_ctx_st* context_ = nullptr;
  UserFrom user_from_ = UserFrom::none;
  std::string alpn_;  ///< as it stands on the wire: a length, then the name
  std::int64_t expires_ = 0;
};

}  // namespace hf::wrapping
