// The administration in the configuration file: who may, and by what.
#include "broker/app/config_admin.hpp"

#include <string>

#include "broker/app/config_tls.hpp"
#include "broker/host/sockets.hpp"

namespace hf::app {
namespace {

using wrapping::ClientCertificate;

tl::unexpected<Error> wrong(const std::string& field, const Json& value, const std::string& expected) {
  return fail(Blame::user, "admin." + field + " is " + value.dump(-1, ' ', false, Json::error_handler_t::replace) + "; expected " + expected);
}

Result<void> check_tls(const AdminSettings& admin) {
  const wrapping::TlsSettings& tls = admin.tls;
  Json shown = tls_shown(tls);
  shown.erase("user_from");  // no user comes in here
  if (tls == wrapping::TlsSettings{}) {
    if (admin.allowed_names.empty()) return {};
    return wrong("tls.allowed_names", admin.allowed_names, "a certificate and a key beside it");
  }
  if (const char* lack = lack_of(tls)) return wrong("tls", shown, lack);
  if (tls.client_certificate == ClientCertificate::none) {
    // Who gives an authority, or names, means clients to be judged by them.
    const std::string expected = R"(admin.tls.client_certificate "optional" or "required" beside it)";
    if (!tls.ca.empty()) return wrong("tls.ca", tls.ca, expected);
    if (!admin.allowed_names.empty()) return wrong("tls.allowed_names", admin.allowed_names, expected);
  }
  return {};
}

}  // namespace

Result<void> check_admin(const AdminSettings& admin) {
  if (!admin.enabled) return {};
  if (!admin.token.empty() && !admin.token_file.empty()) {
    return wrong("token_file", admin.token_file, "either admin.token or admin.token_file");
  }
  if (auto done = check_tls(admin); !done) return done;
  const bool token = !admin.token.empty() || !admin.token_file.empty();
  const ClientCertificate certificate = admin.tls.client_certificate;
  // Who has both would think that both are needed.
  if (token && certificate == ClientCertificate::required) {
    const std::string expected = R"(none where admin.tls.client_certificate is "required": the certificate stands in for it)";
    return admin.token.empty() ? wrong("token_file", admin.token_file, expected) : wrong("token", "(hidden)", expected);
  }
  if (!token && certificate == ClientCertificate::optional) {
    return wrong("tls.client_certificate", "optional", R"("required", or an admin.token or admin.token_file for those without a certificate)");
  }
  const bool loopback = host::is_loopback(*host::numeric_endpoint(admin.bind, 1));
  if (!loopback && !token && certificate != ClientCertificate::required) {
    return wrong("bind", admin.bind,
                 R"(an address of loopback, or an admin.token or admin.token_file, or admin.tls.client_certificate "required")");
  }
  return {};
}

std::optional<wrapping::TlsSettings> admin_tls_of(const AdminSettings& admin) {
  if (admin.tls.certificate.empty()) return std::nullopt;
  return admin.tls;
}

}  // namespace hf::app
