// Tokens as passwords, signed by the openssl command.
#include "broker/auth/jwt.hpp"

#include <gtest/gtest.h>

#include "broker/auth/base64.hpp"
#include "tests/auth/scratch.hpp"

namespace hf::auth {
namespace {

constexpr std::uint64_t now_s = 1'800'000'000;
constexpr const char* secret = "0123456789abcdef0123456789abcdef";

std::string url(const std::string& bytes) {
  std::string text = to_base64(bytes);
  for (char& c : text) c = c == '+' ? '-' : c == '/' ? '_' : c;
  while (text.ends_with('=')) text.pop_back();
  return text;
}

std::string claims_until(std::int64_t from_now, const std::string& more = "") {
  return R"({"sub":"ann","exp":)" + std::to_string(static_cast<std::int64_t>(now_s) + from_now) + more + "}";
}

class Tokens : public testing::Test {
 protected:
  Scratch scratch;
  JwtSettings settings;
  access::Applicant applicant{.client = "c", .wall_ms = now_s * 1000, .name = "ann"};

  /// The signature of what stands in file "text", by a command that reads that.
  std::string sign(const std::string& header, const std::string& claims, const std::string& command) {
    const std::string text = url(header) + "." + url(claims);
    scratch.file("text", text);
    scratch.run(command + " > signature");
    return text + "." + url(scratch.read("signature"));
  }
  std::string hs256(const std::string& claims, const std::string& header = R"({"alg":"HS256","typ":"JWT"})") {
    return sign(header, claims, std::string("openssl dgst -sha256 -mac HMAC -macopt key:") + secret + " -binary text");
  }
  std::optional<access::Grant> check(const std::string& token) {
    const auto jwt = Jwt::make(settings);
    EXPECT_TRUE(jwt) << jwt.error().text;
    return jwt ? jwt->check(token, applicant) : std::nullopt;
  }
  void use_hs256() {
    settings.algorithm = "HS256";
    settings.secret = secret;
  }
  void use_public(const std::string& algorithm, const std::string& generate) {
    scratch.run(generate + " -out key && openssl pkey -in key -pubout -out public");
    settings.algorithm = algorithm;
    settings.public_key_file = scratch.path("public");
  }
};

TEST_F(Tokens, hs256) {
  use_hs256();
  const auto grant = check(hs256(claims_until(60)));
  ASSERT_TRUE(grant);
  EXPECT_EQ(grant->user, "ann");
  EXPECT_EQ(grant->until_ms, (now_s + 60 + 30) * 1000) << "with the leeway";
  EXPECT_EQ(grant->rules, nullptr);
  EXPECT_FALSE(grant->listed);
  settings.secret = "";
  settings.secret_file = scratch.file("secret", std::string(secret) + "\n");
  EXPECT_TRUE(check(hs256(claims_until(60))));
  settings.secret_file = scratch.file("secret", "another secret of thirty-two bytes");
  EXPECT_FALSE(check(hs256(claims_until(60))));
}

/// RFC 7515, appendix A.1.
TEST_F(Tokens, example_of_rfc_7515) {
  auto key = JwtKey::shared(*from_base64url("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"), "k");
  ASSERT_TRUE(key);
  const std::string text = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
  EXPECT_TRUE(key->signed_by(text, *from_base64url("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")));
  settings.user_claim = "iss";
  applicant.wall_ms = 1'300'819'379'000;
  const Jwt jwt(settings, *key);
  EXPECT_EQ(jwt.check(text + ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", applicant)->user, "joe");
}

TEST_F(Tokens, rs256) {
  use_public("RS256", "openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048");
  const std::string token = sign(R"({"alg":"RS256"})", claims_until(60), "openssl dgst -sha256 -sign key text");
  EXPECT_TRUE(check(token));
  std::string changed = token;
  changed[token.size() / 2] = changed[token.size() / 2] == 'A' ? 'B' : 'A';
  EXPECT_FALSE(check(changed));
}

TEST_F(Tokens, es256) {
  use_public("ES256", "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256");
  // openssl writes ASN.1; a token wants r and s, 32 bytes each.
  const std::string command =
      "openssl dgst -sha256 -sign key text | openssl asn1parse -inform DER | sed -n 's/.*INTEGER *://p' | "
      "awk '{ while (length($0) < 64) $0 = \"0\" $0; printf \"%s\", $0 }' | sed 's/../\\\\x&/g' | xargs -0 printf '%b'";
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(check(sign(R"({"alg":"ES256"})", claims_until(60 + i), command)));
  EXPECT_FALSE(check(sign(R"({"alg":"ES256"})", claims_until(60), "openssl dgst -sha256 -sign key text"))) << "ASN.1 is no token's";
}

TEST_F(Tokens, the_algorithm_is_not_the_tokens_to_say) {
  use_public("RS256", "openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048");
  EXPECT_FALSE(check(sign(R"({"alg":"HS256"})", claims_until(60),
                          "openssl dgst -sha256 -mac HMAC -macopt hexkey:$(od -An -v -tx1 public | tr -d ' \\n') -binary text")))
      << "the public key is no secret";
  EXPECT_FALSE(check(url(R"({"alg":"none"})") + "." + url(claims_until(60)) + "."));
  settings = {};
  use_hs256();
  EXPECT_FALSE(check(url(R"({"alg":"none"})") + "." + url(claims_until(60)) + "."));
  EXPECT_FALSE(check(url(R"({"alg":"HS256"})") + "." + url(claims_until(60)) + "."));
  for (const char* header : {R"({"alg":"hs256"})", R"({"alg":["HS256"]})", R"({})", R"(["HS256"])", R"({"alg":"HS256","crit":["x"],"x":1})"})
    EXPECT_FALSE(check(hs256(claims_until(60), header))) << header;
}

TEST_F(Tokens, are_of_now) {
  use_hs256();
  EXPECT_TRUE(check(hs256(claims_until(-29))));
  EXPECT_FALSE(check(hs256(claims_until(-30))));
  const auto at = [](std::uint64_t s) { return std::to_string(s); };
  EXPECT_TRUE(check(hs256(claims_until(60, R"(,"nbf":)" + at(now_s + 30)))));
  EXPECT_FALSE(check(hs256(claims_until(60, R"(,"nbf":)" + at(now_s + 31)))));
  EXPECT_TRUE(check(hs256(claims_until(60, R"(,"iat":)" + at(now_s - 99999)))));
  EXPECT_FALSE(check(hs256(claims_until(60, R"(,"iat":)" + at(now_s + 31)))));
  const auto endless = check(hs256(R"({"sub":"ann"})"));
  ASSERT_TRUE(endless);
  EXPECT_FALSE(endless->until_ms);
  EXPECT_TRUE(check(hs256(R"({"sub":"ann","exp":1800000000.5})")));
  for (const char* bad : {R"("1900000000")", "-1", "1e99", "null", "true"})
    EXPECT_FALSE(check(hs256(std::string(R"({"sub":"ann","exp":)") + bad + "}"))) << bad;
}

TEST_F(Tokens, are_by_and_for_whom_the_settings_say) {
  use_hs256();
  settings.issuer = "us";
  settings.audience = "broker";
  EXPECT_TRUE(check(hs256(claims_until(60, R"(,"iss":"us","aud":"broker")"))));
  EXPECT_TRUE(check(hs256(claims_until(60, R"(,"iss":"us","aud":["x","broker"])"))));
  EXPECT_FALSE(check(hs256(claims_until(60, R"(,"iss":"them","aud":"broker")"))));
  EXPECT_FALSE(check(hs256(claims_until(60, R"(,"iss":"us","aud":["x"])"))));
  EXPECT_FALSE(check(hs256(claims_until(60, R"(,"iss":"us")"))));
  EXPECT_FALSE(check(hs256(claims_until(60, R"(,"aud":"broker")"))));
}

TEST_F(Tokens, name_a_user) {
  use_hs256();
  settings.user_claim = "mqtt_user";
  EXPECT_EQ(check(hs256(R"({"mqtt_user":"bob"})"))->user, "bob");
  EXPECT_FALSE(check(hs256(R"({"sub":"bob"})")));
  EXPECT_FALSE(check(hs256(R"({"mqtt_user":7})")));
  EXPECT_FALSE(check(hs256(R"({"mqtt_user":""})")));
  settings.user_claim = "sub";
  settings.user_is = "user_name";
  EXPECT_TRUE(check(hs256(R"({"sub":"ann"})")));
  EXPECT_FALSE(check(hs256(R"({"sub":"bob"})")));
  applicant.name.reset();
  EXPECT_FALSE(check(hs256(R"({"sub":"ann"})")));
  settings.user_is = "client_id";
  EXPECT_TRUE(check(hs256(R"({"sub":"c"})")));
  EXPECT_FALSE(check(hs256(R"({"sub":"ann"})")));
}

TEST_F(Tokens, grant_rights) {
  use_hs256();
  const auto grant = check(hs256(R"({"sub":"ann","acl":[{"allow":"publish","filter":"up/%c/#"},{"deny":"all","filter":"up/c/x"},{"filter":"down","allow":"subscribe"}]})"));
  ASSERT_TRUE(grant && grant->rules);
  const access::Rules expected{{.user = {}, .client = {}, .allow = true, .publish = true, .subscribe = false, .filter = "up/%c/#"},
                               {.user = {}, .client = {}, .allow = false, .publish = true, .subscribe = true, .filter = "up/c/x"},
                               {.user = {}, .client = {}, .allow = true, .publish = false, .subscribe = true, .filter = "down"}};
  EXPECT_EQ(*grant->rules, expected);
  EXPECT_TRUE(check(hs256(R"({"sub":"ann","acl":[]})"))->rules->empty());
  for (const char* bad : {R"({})", R"(null)", R"([1])", R"([{"allow":"publish"}])", R"([{"allow":"read","filter":"a"}])", R"([{"allow":"publish","filter":"a/#/b"}])",
                          R"([{"allow":"publish","deny":"publish","filter":"a"}])", R"([{"allow":"publish","filter":"a","user":"x"}])"})
    EXPECT_FALSE(check(hs256(std::string(R"({"sub":"ann","acl":)") + bad + "}"))) << bad;
}

TEST_F(Tokens, that_are_none) {
  use_hs256();
  const std::string good = hs256(claims_until(60));
  EXPECT_TRUE(check(good));
  for (const std::string& bad : {std::string(), std::string("secret"), std::string(".."), good + ".", "." + good, good + "=", good + "\n",
                                 good.substr(0, good.rfind('.')), good + std::string(token_max, 'A')})
    EXPECT_FALSE(check(bad)) << bad.substr(0, 200);
  std::string deep = std::string(3000, '[') + std::string(3000, ']');
  EXPECT_FALSE(check(url(R"({"alg":)" + deep + "}") + ".e30."));
}

TEST_F(Tokens, keys_that_are_refused) {
  const auto error = [&] {
    const auto jwt = Jwt::make(settings);
    return jwt ? std::string("none") : jwt.error().text;
  };
  settings.algorithm = "HS256";
  settings.secret = "short";
  EXPECT_EQ(error(), "access.jwt.secret: the secret has 5 bytes; expected at least 32");
  settings.algorithm = "RS256";
  settings.public_key_file = scratch.file("public", "no key");
  EXPECT_NE(error().find("is no public key"), std::string::npos);
  scratch.run("openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:1024 | openssl pkey -pubout -out public");
  EXPECT_NE(error().find("expected RSA of at least 2048 bits"), std::string::npos);
  scratch.run("openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 | openssl pkey -pubout -out public");
  settings.algorithm = "ES256";
  EXPECT_NE(error().find("P-256"), std::string::npos);
}

}  // namespace
}  // namespace hf::auth
