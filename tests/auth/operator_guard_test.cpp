// What a serving node's guard makes of all its sources together.
#include "broker/auth/operator_guard.hpp"

#include <gtest/gtest.h>

#include "broker/auth/base64.hpp"
#include "broker/auth/crypto.hpp"
#include "tests/auth/scratch.hpp"
#include "tests/auth/scram_client.hpp"

namespace hf::auth {
namespace {

using access::Applicant;
using access::Login;

class GuardTest : public testing::Test {
 protected:
  Scratch scratch;
  AuthSettings settings;
  access::Policy policy;

  std::shared_ptr<const OperatorGuard> guard() {
    auto made = OperatorGuard::make(settings, policy, "secret of the process");
    if (!made) throw std::runtime_error(made.error().text);
    return *made;
  }
  Login login(Applicant applicant) { return guard()->login(applicant).login; }
  void use_password_file() {
    scratch.run("mosquitto_passwd -b -c pw fay secret");
    settings.password_file = scratch.path("pw");
  }
  static access::Rule allow(std::string user, std::string filter) {
    return {.user = std::move(user), .client = {}, .allow = true, .publish = true, .subscribe = true, .filter = std::move(filter)};
  }
};

TEST_F(GuardTest, anonymous_clients_come_over_loopback_unless_configured) {
  const Applicant here{.same_machine = true}, there{};
  EXPECT_EQ(login(here), Login::granted);
  EXPECT_EQ(login(there), Login::not_authorized);
  EXPECT_EQ(login({.same_machine = true, .name = "x", .password = "y"}), Login::granted) << "nothing to hold it against";
  EXPECT_EQ(login({.name = "x", .password = "y"}), Login::bad_credentials);
  EXPECT_EQ(guard()->login({.same_machine = true, .name = "x"}).grant.user, "") << "nobody checked the name";
  settings.anonymous = Anonymous::anybody;
  EXPECT_EQ(login(there), Login::granted);
  settings.anonymous = Anonymous::nobody;
  EXPECT_EQ(login(here), Login::not_authorized);
}

TEST_F(GuardTest, a_listener_may_have_another_rule_for_anonymous_clients) {
  settings.anonymous_at = {{"closed", Anonymous::nobody}, {"open", Anonymous::anybody}};
  EXPECT_EQ(login({.listener = "open"}), Login::granted);
  EXPECT_EQ(login({.listener = "closed", .same_machine = true}), Login::not_authorized);
  EXPECT_EQ(login({.listener = "other"}), Login::not_authorized);
  EXPECT_EQ(login({.listener = "other", .same_machine = true}), Login::granted);
}

TEST_F(GuardTest, names_want_their_password) {
  use_password_file();
  policy.users = {{"ann", "hush"}, {.name = "bob", .password = {}, .verifier = {}}};
  const auto verifier = ScramVerifier::of("quiet", "salt");
  policy.users[1].verifier = "SCRAM-SHA-256$4096:" + to_base64("salt") + "$" + to_base64(verifier.stored_key) + ":" + to_base64(verifier.server_key);
  EXPECT_EQ(login({.name = "ann", .password = "hush"}), Login::granted);
  EXPECT_EQ(login({.name = "ann", .password = "secret"}), Login::bad_credentials);
  EXPECT_EQ(login({.name = "bob", .password = "quiet"}), Login::granted) << "by its verifier";
  EXPECT_EQ(login({.name = "bob", .password = "hush"}), Login::bad_credentials);
  EXPECT_EQ(login({.name = "fay", .password = "secret"}), Login::granted) << "of the file";
  EXPECT_EQ(login({.same_machine = true, .name = "fay", .password = "hush"}), Login::bad_credentials);
  EXPECT_EQ(login({.same_machine = true, .name = "fay"}), Login::bad_credentials);
  EXPECT_EQ(login({.same_machine = true, .name = "eve", .password = "secret"}), Login::bad_credentials);
  EXPECT_TRUE(guard()->login({.name = "fay", .password = "secret"}).grant.listed);
  EXPECT_TRUE(guard()->knows("ann") && guard()->knows("fay"));
  EXPECT_FALSE(guard()->knows("eve"));
}

TEST_F(GuardTest, a_certificate_is_a_login) {
  settings.anonymous = Anonymous::nobody;
  use_password_file();
  const auto verdict = guard()->login({.identity = "machine-7"});
  EXPECT_EQ(verdict.login, Login::granted);
  EXPECT_EQ(verdict.grant.user, "machine-7");
  EXPECT_FALSE(verdict.grant.listed) << "on no list: a reload leaves it";
  EXPECT_EQ(guard()->login({.identity = "machine-7", .name = "fay", .password = "x"}).grant.user, "machine-7");
}

TEST_F(GuardTest, a_token_is_a_password_of_who_is_on_no_list) {
  use_password_file();
  settings.jwt.algorithm = "HS256";
  settings.jwt.secret = "0123456789abcdef0123456789abcdef";
  const auto signed_token = [&](const std::string& claims) {
    const auto url = [](std::string text) {
      for (char& c : text) c = c == '+' ? '-' : c == '/' ? '_' : c;
      while (text.ends_with('=')) text.pop_back();
      return text;
    };
    const std::string text = url(to_base64(R"({"alg":"HS256"})")) + "." + url(to_base64(claims));
    return text + "." + url(to_base64(hmac(Hash::sha256, settings.jwt.secret, text)));
  };
  const std::string token = signed_token(R"({"sub":"zoe","acl":[{"allow":"publish","filter":"z/%u"}]})");
  const auto verdict = guard()->login({.name = "anything", .password = token});
  EXPECT_EQ(verdict.login, Login::granted);
  EXPECT_EQ(verdict.grant.user, "zoe");
  EXPECT_EQ(login({.password = token}), Login::granted) << "5.0 can do without a name";
  EXPECT_EQ(login({.name = "fay", .password = token}), Login::bad_credentials) << "fay has a password";
  EXPECT_EQ(login({.name = "fay", .password = "secret"}), Login::granted);
  EXPECT_EQ(login({.same_machine = true, .password = "no token"}), Login::bad_credentials);
  EXPECT_EQ(login({.same_machine = true}), Login::granted) << "anonymous";
  const auto rights = guard();
  const access::Who zoe{"zoe", "c", verdict.grant.rules.get()};
  EXPECT_FALSE(rights->open());
  EXPECT_TRUE(rights->may_publish(zoe, "z/zoe"));
  EXPECT_FALSE(rights->may_publish(zoe, "z/ann"));
  EXPECT_FALSE(rights->may_subscribe(zoe, "z/zoe"));
  EXPECT_TRUE(rights->may_publish({"fay", "c", nullptr}, "z/zoe")) << "there are no rules for her";
}

TEST_F(GuardTest, rules_of_all_sources_count_and_deny_wins) {
  policy.rules = {allow("ann", "a/#")};
  policy.rules.push_back({.user = "bob", .client = {}, .allow = false, .publish = true, .subscribe = true, .filter = "b/x"});
  settings.acl_file = scratch.file("acl", "user ann\ntopic deny a/x\nuser bob\ntopic b/#\n");
  const auto rights = guard();
  EXPECT_TRUE(rights->may_publish({"ann", "c", nullptr}, "a/y"));
  EXPECT_FALSE(rights->may_publish({"ann", "c", nullptr}, "a/x")) << "the file denies it";
  EXPECT_TRUE(rights->may_receive({"bob", "c", nullptr}, "b/y"));
  EXPECT_FALSE(rights->may_receive({"bob", "c", nullptr}, "b/x")) << "the rules deny it";
  EXPECT_TRUE(rights->may_subscribe({"bob", "c", nullptr}, "$share/g/b/+"));
  EXPECT_FALSE(rights->may_subscribe({"bob", "c", nullptr}, "b/x"));
  EXPECT_FALSE(rights->may_subscribe({"bob", "c", nullptr}, "$share/g"));
  EXPECT_FALSE(rights->may_publish({"", "c", nullptr}, "a/y"));
  EXPECT_TRUE(rights->may_receive_all({"ann", "c", nullptr}, "a/y/#"));
  EXPECT_FALSE(rights->may_receive_all({"ann", "c", nullptr}, "a/#")) << "the file denies some of it";
  EXPECT_FALSE(rights->may_receive_all({"bob", "c", nullptr}, "b/+")) << "the rules deny some of it";
  EXPECT_FALSE(rights->may_receive_all({"bob", "c", nullptr}, "+/y")) << "wider than what is allowed";
  const access::Rules own = {allow("", "c/%c/#")};
  EXPECT_TRUE(rights->may_receive_all({"zoe", "me", &own}, "c/me/+")) << "of a token";
  EXPECT_FALSE(rights->may_receive_all({"zoe", "me", &own}, "c/+/x"));
}

TEST_F(GuardTest, an_empty_acl_file_allows_nothing) {
  EXPECT_TRUE(guard()->open());
  settings.acl_file = scratch.file("acl", "");
  EXPECT_FALSE(guard()->open());
  EXPECT_FALSE(guard()->may_publish({"", "c", nullptr}, "a"));
}

TEST_F(GuardTest, scram_is_offered_where_configured) {
  policy.users = {{"ann", "hush"}};
  auto exchange = guard()->begin("SCRAM-SHA-256", {}, {1, 2, 3});
  ASSERT_NE(exchange, nullptr);
  ScramClient client("ann", "hush", "nonce");
  const auto answer = client.last(exchange->step(client.first()).data);
  ASSERT_TRUE(answer);
  EXPECT_EQ(exchange->step(*answer).next, access::Exchange::Next::done) << "the guard that began it is gone";
  EXPECT_EQ(guard()->begin("PLAIN", {}, {}), nullptr);
  settings.methods.clear();
  EXPECT_EQ(guard()->begin("SCRAM-SHA-256", {}, {}), nullptr);
}

TEST_F(GuardTest, bad_files_are_named) {
  settings.acl_file = scratch.file("acl", "topics a\n");
  const auto made = OperatorGuard::make(settings, policy, "s");
  ASSERT_FALSE(made);
  EXPECT_TRUE(made.error().text.starts_with(scratch.path("acl") + ":1: ")) << made.error().text;
  settings.acl_file = "";
  policy.users = {{.name = "ann", .password = {}, .verifier = "(hidden)"}};
  const auto hidden = OperatorGuard::make(settings, policy, "s");
  ASSERT_FALSE(hidden);
  EXPECT_NE(hidden.error().text.find("the verifier of 'ann' is not good"), std::string::npos);
}

}  // namespace
}  // namespace hf::auth
