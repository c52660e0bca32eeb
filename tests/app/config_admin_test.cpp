// The administration's TLS in the configuration: what makes no sense is told with field and value, the rest reads back.
#include "broker/app/config_admin.hpp"

#include <gtest/gtest.h>

#include "broker/app/config_environment.hpp"

namespace hf::app {
namespace {

using wrapping::ClientCertificate;

Result<Settings> read(std::string_view json) {
  Settings settings;
  if (auto done = apply_text(settings, json, "t.json"); !done) return tl::make_unexpected(done.error());
  if (auto done = complete(settings); !done) return tl::make_unexpected(done.error());
  return settings;
}

std::string error_of(const std::string& tls, const std::string& more = "") {
  const auto settings = read(R"({"admin": {"tls": {)" + tls + "}" + more + "}}");
  return settings ? "" : settings.error().text;
}

const std::string pair = R"("certificate": "c.pem", "key": "k.pem")";
const std::string judged = pair + R"(, "ca": "a.pem", "client_certificate": )";
const std::string token = R"(, "token_file": "/run/token")";

TEST(AdminTls, takes_what_a_listener_does) {
  const auto settings = read(R"({"admin": {"bind": "0.0.0.0", "tls": {)" + judged +
                             R"("required", "crl": "r.pem", "min_version": "1.3", "ciphers": "ECDHE+AESGCM",
                                "ciphersuites": "TLS_AES_128_GCM_SHA256", "allowed_names": ["ann", "bob"]}}})");
  ASSERT_TRUE(settings) << settings.error().text;
  const auto tls = admin_tls_of(settings->admin);
  ASSERT_TRUE(tls);
  EXPECT_EQ(*tls, (wrapping::TlsSettings{"c.pem", "k.pem", "a.pem", "r.pem", ClientCertificate::required, wrapping::UserFrom::none,
                                         wrapping::TlsVersion::v1_3, "ECDHE+AESGCM", "TLS_AES_128_GCM_SHA256"}));
  EXPECT_EQ(settings->admin.allowed_names, (std::vector<std::string>{"ann", "bob"}));
  const auto again = read(print(*settings));
  ASSERT_TRUE(again) << again.error().text;
  EXPECT_EQ(print(*again), print(*settings));
  EXPECT_TRUE(differences(*settings, *again).empty());
  EXPECT_FALSE(admin_tls_of(read("{}")->admin));
}

TEST(AdminTls, comes_by_path_and_from_the_environment_too) {
  Settings settings;
  ASSERT_TRUE(apply_value(settings, "admin.tls.certificate", "c.pem", "--set"));
  ASSERT_TRUE(apply_value(settings, "admin.tls.min_version", "1.3", "--set"));
  ASSERT_TRUE(apply_value(settings, "admin.tls.allowed_names", R"(["ann"])", "--set"));
  const auto done = apply_variables(settings, {{"HOLDFAST_ADMIN_TLS_KEY", "k.pem"}, {"HOLDFAST_ADMIN_TLS_CLIENT_CERTIFICATE", "required"}});
  ASSERT_TRUE(done) << done.error().text;
  EXPECT_EQ(settings.admin.tls.key, "k.pem");
  EXPECT_EQ(settings.admin.tls.client_certificate, ClientCertificate::required);
  EXPECT_EQ(settings.admin.tls.min_version, wrapping::TlsVersion::v1_3);
  EXPECT_EQ(settings.admin.allowed_names, std::vector<std::string>{"ann"});
  ASSERT_TRUE(apply_value(settings, "admin.tls.key", "", "--set")) << "as none";
  EXPECT_EQ(settings.admin.tls.key, "");
}

TEST(AdminTls, mistakes_are_named_with_their_value) {
  EXPECT_EQ(error_of(""), "");
  EXPECT_EQ(error_of(pair), "");
  EXPECT_EQ(error_of(judged + R"("required")"), "");
  EXPECT_EQ(error_of(judged + R"("optional")", token), "");
  EXPECT_EQ(error_of(R"("min_version": "1.1")"), "t.json: admin.tls.min_version is \"1.1\"; expected \"1.2\" or \"1.3\"");
  EXPECT_EQ(error_of(R"("client_certificate": true)"),
            "t.json: admin.tls.client_certificate is true; expected one of \"none\", \"optional\", \"required\"");
  EXPECT_EQ(error_of(R"("allowed_names": ["ann", ""])"),
            "t.json: admin.tls.allowed_names is [\"ann\",\"\"]; expected a list of common names: [\"ann\"], or [] for every certificate of "
            "the authority");
  EXPECT_EQ(error_of(R"("user_from": "subject")").rfind("t.json: admin.tls.user_from (unknown field) is \"...\"", 0), 0U);
  EXPECT_EQ(error_of(R"("certificate": "c.pem")"),
            "admin.tls is {\"certificate\":\"c.pem\",\"client_certificate\":\"none\",\"min_version\":\"1.2\"}; expected a \"key\"");
  EXPECT_EQ(error_of(R"("key": "k.pem")"),
            "admin.tls is {\"key\":\"k.pem\",\"client_certificate\":\"none\",\"min_version\":\"1.2\"}; expected a \"certificate\"");
  EXPECT_EQ(error_of(R"("client_certificate": "required")"),
            "admin.tls is {\"client_certificate\":\"required\",\"min_version\":\"1.2\"}; expected a \"certificate\"");
  EXPECT_EQ(error_of(R"("allowed_names": ["ann"])"), "admin.tls.allowed_names is [\"ann\"]; expected a certificate and a key beside it");
  EXPECT_EQ(error_of(pair + R"(, "client_certificate": "required")"),
            "admin.tls is {\"certificate\":\"c.pem\",\"key\":\"k.pem\",\"client_certificate\":\"required\",\"min_version\":\"1.2\"}; expected a "
            "\"ca\", by which clients' certificates are judged");
  EXPECT_NE(error_of(pair + R"(, "crl": "r.pem")").find("expected \"client_certificate\" beside \"crl\""), std::string::npos);
  const std::string beside = "expected admin.tls.client_certificate \"optional\" or \"required\" beside it";
  EXPECT_EQ(error_of(pair + R"(, "ca": "a.pem")"), "admin.tls.ca is \"a.pem\"; " + beside);
  EXPECT_EQ(error_of(pair + R"(, "allowed_names": ["ann"])"), "admin.tls.allowed_names is [\"ann\"]; " + beside);
}

TEST(AdminTls, certificate_and_token_must_make_sense_together) {
  EXPECT_EQ(error_of(judged + R"("optional")"),
            "admin.tls.client_certificate is \"optional\"; expected \"required\", or an admin.token or admin.token_file for those without a "
            "certificate");
  const std::string none = "; expected none where admin.tls.client_certificate is \"required\": the certificate stands in for it";
  EXPECT_EQ(error_of(judged + R"("required")", token), "admin.token_file is \"/run/token\"" + none);
  EXPECT_EQ(error_of(judged + R"("required")", R"(, "token": "0123456789abcdef")"), "admin.token is \"(hidden)\"" + none);
}

TEST(AdminTls, beyond_loopback_a_token_or_certificates_are_needed) {
  const std::string everywhere = R"(, "bind": "0.0.0.0")";
  EXPECT_EQ(error_of(pair, everywhere),
            "admin.bind is \"0.0.0.0\"; expected an address of loopback, or an admin.token or admin.token_file, or "
            "admin.tls.client_certificate \"required\"");
  EXPECT_EQ(error_of(pair, everywhere + token), "");
  EXPECT_EQ(error_of(judged + R"("required")", everywhere), "");
  EXPECT_EQ(error_of(judged + R"("optional")", everywhere + token), "");
  EXPECT_EQ(error_of(judged + R"("optional")", everywhere).rfind("admin.tls.client_certificate is \"optional\"", 0), 0U);
}

}  // namespace
}  // namespace hf::app
