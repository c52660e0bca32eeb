// Who may ask what: tokens, certificates, and what a browser that was led here may not do.
#include "broker/admin/guard.hpp"

#include <algorithm>
#include <array>
#include <cctype>

#include <openssl/crypto.h>
#include <openssl/sha.h>

namespace hf::admin {
namespace {

using wrapping::ClientCertificate;
using Digest = std::array<unsigned char, SHA256_DIGEST_LENGTH>;

Digest digest_of(std::string_view text) {
  Digest digest{};
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  return digest;
}

/// What follows "Bearer "; the word in any case (RFC 9110, 11.1).
std::string_view bearer(std::string_view authorization) {
  constexpr std::string_view word = "bearer ";
  if (authorization.size() < word.size()) return {};
  const bool same = std::equal(word.begin(), word.end(), authorization.begin(),
                               [](char a, char b) { return a == static_cast<char>(std::tolower(static_cast<unsigned char>(b))); });
  return same ? authorization.substr(word.size()) : std::string_view();
}

bool names_loopback(std::string_view host) {
  if (host == "localhost" || host == "::1" || host == "[::1]") return true;
  return host.substr(0, 4) == "127." && std::all_of(host.begin(), host.end(), [](char c) { return c == '.' || (c >= '0' && c <= '9'); });
}

/// The status page has nothing to hide: it asks for the token itself.
bool open_to_all(const Target& target, const Rights& rights) {
  if (target.path.empty()) return true;
  return (target.path[0] == "health" && rights.open_health) || (target.path[0] == "metrics" && rights.open_metrics);
}

/// By a certificate that TLS has verified.
bool certified(const Request& request, const Rights& rights) {
  if (!request.certificate || rights.certificates == ClientCertificate::none) return false;
  return rights.names.empty() || std::find(rights.names.begin(), rights.names.end(), *request.certificate) != rights.names.end();
}

std::string what_is_needed(const Request& request, const Rights& rights) {
  if (!request.authorization.empty()) return "wrong token";
  if (rights.certificates == ClientCertificate::none) return "a token is needed: Authorization: Bearer ...";
  return std::string(request.certificate ? "this certificate's name is not among admin.tls.allowed_names; " : "") +
         "a certificate or a token is needed: Authorization: Bearer ...";
}

}  // namespace

std::string operator_of(const std::optional<std::string>& certificate) {
  return certificate.value_or("").empty() ? "an operator" : "operator '" + *certificate + "'";
}

bool same_secret(std::string_view given, std::string_view secret) {
  // Digests are of one size, so that the length is not told either.
  const Digest one = digest_of(given), other = digest_of(secret);
  return CRYPTO_memcmp(one.data(), other.data(), one.size()) == 0;
}

std::optional<Reply> turned_away(const Request& request, const Target& target, const Rights& rights) {
  if (open_to_all(target, rights) || certified(request, rights)) return std::nullopt;
  if (rights.certificates == ClientCertificate::required) {
    return error_reply(403, "certificate",
                       request.certificate ? "this certificate's name is not among admin.tls.allowed_names" : "a certificate is needed");
  }
  if (rights.token.empty()) {
    if (request.host.empty() || names_loopback(request.host)) return std::nullopt;
    return error_reply(403, "host", "without a token this listener answers to 127.0.0.1, [::1] and localhost only");
  }
  if (same_secret(bearer(request.authorization), rights.token)) return std::nullopt;
  Reply reply = error_reply(401, "token", what_is_needed(request, rights));
  reply.fields.emplace_back("WWW-Authenticate", "Bearer realm=\"holdfast\"");
  return reply;
}

}  // namespace hf::admin
