// access.*: what is taken, what is refused, and that secrets are not told.
#include "broker/app/config_file.hpp"

#include <gtest/gtest.h>

namespace hf::app {
namespace {

std::string error_of(const std::string& json) {
  Settings settings;
  auto done = apply_text(settings, json, "t");
  if (done) done = complete(settings);
  return done ? "none" : done.error().text;
}

TEST(ConfigAccess, anonymous_has_three_values) {
  using auth::Anonymous;
  const auto read = [](const std::string& value) {
    Settings settings;
    EXPECT_TRUE(apply_text(settings, R"({"access": {"anonymous": )" + value + "}}", "t"));
    return settings.auth.anonymous;
  };
  EXPECT_EQ(Settings{}.auth.anonymous, Anonymous::loopback);
  EXPECT_EQ(read("true"), Anonymous::anybody);
  EXPECT_EQ(read("false"), Anonymous::nobody);
  EXPECT_EQ(read("\"loopback\""), Anonymous::loopback);
  EXPECT_EQ(error_of(R"({"access.anonymous": "all"})"), R"(t: access.anonymous is "all"; expected "loopback", true or false)");
  Settings settings;
  ASSERT_TRUE(apply_value(settings, "access.anonymous", "false", "--set"));
  EXPECT_EQ(settings.auth.anonymous, Anonymous::nobody) << "a word of the command line";
}

TEST(ConfigAccess, users_have_a_password_or_a_verifier) {
  EXPECT_EQ(error_of(R"({"access.users": [{"name": "ann", "password": "p"}, {"name": "bob", "scram": "v"}]})"), "none");
  for (const char* bad : {R"([{"name": "ann"}])", R"([{"name": "ann", "password": "p", "scram": "v"}])", R"([{"name": "ann", "scram": ""}])",
                          R"([{"name": "a", "password": "p"}, {"name": "a", "password": "q"}])"})
    EXPECT_NE(error_of(std::string(R"({"access.users": )") + bad + "}"), "none") << bad;
}

TEST(ConfigAccess, methods_are_known_ones) {
  EXPECT_EQ(error_of(R"({"access.methods": []})"), "none");
  EXPECT_EQ(error_of(R"({"access.methods": ["SCRAM-SHA-256"]})"), "none");
  EXPECT_NE(error_of(R"({"access.methods": ["PLAIN"]})"), "none");
}

TEST(ConfigAccess, tokens_need_the_key_of_their_algorithm) {
  EXPECT_EQ(error_of(R"({"access.jwt": {"algorithm": "HS256", "secret": "s"}})"), "none");
  EXPECT_EQ(error_of(R"({"access": {"jwt": {"algorithm": "ES256", "public_key_file": "k", "user_is": "client_id"}}})"), "none");
  EXPECT_EQ(error_of(R"({"access.jwt": {"algorithm": "HS256"}})"),
            R"(access.jwt.algorithm is "HS256"; expected either access.jwt.secret or access.jwt.secret_file)");
  EXPECT_NE(error_of(R"({"access.jwt": {"algorithm": "HS256", "secret": "s", "secret_file": "f"}})"), "none");
  EXPECT_NE(error_of(R"({"access.jwt": {"algorithm": "HS256", "secret": "s", "public_key_file": "f"}})"), "none");
  EXPECT_NE(error_of(R"({"access.jwt": {"algorithm": "RS256", "secret": "s"}})"), "none");
  EXPECT_NE(error_of(R"({"access.jwt": {"algorithm": "none"}})"), "none");
  EXPECT_NE(error_of(R"({"access.jwt": {"secret": "s"}})"), "none") << "no algorithm";
}

TEST(ConfigAccess, secrets_are_not_told) {
  Settings settings;
  ASSERT_TRUE(apply_text(settings, R"({"access": {"users": [{"name": "a", "password": "hush1"}, {"name": "b", "scram": "hush2"}],
                                                  "jwt": {"algorithm": "HS256", "secret": "hush3"}}})", "t"));
  EXPECT_EQ(print(settings).find("hush"), std::string::npos) << print(settings);
  EXPECT_NE(print(settings).find("(hidden)"), std::string::npos);
  EXPECT_EQ(error_of(R"({"access.users": [{"name": "a", "password": "hush", "x": "y"}]})").find("hush"), std::string::npos);
  EXPECT_EQ(error_of(R"({"access.jwt.secret": ["hush"]})").find("hush"), std::string::npos);
  Settings again;
  EXPECT_TRUE(apply_text(again, print(settings), "printed")) << "as a text to read";
}

}  // namespace
}  // namespace hf::app
