// Rules and filters, without a node.
#include <optional>
#include <string_view>

#include <gtest/gtest.h>

#include "broker/access/access.hpp"

namespace hf::access {
namespace {

Rule allow(std::string user, std::string filter, bool publish = true, bool subscribe = true) {
  return {.user = std::move(user), .client = {}, .allow = true, .publish = publish, .subscribe = subscribe, .filter = std::move(filter)};
}

Login login(const Access& access, std::optional<std::string_view> name, std::optional<std::string_view> password) {
  return access.login({.name = name, .password = password}).login;
}

TEST(Names, fit_patterns) {
  EXPECT_TRUE(fits("*", ""));
  EXPECT_TRUE(fits("dev-*", "dev-1"));
  EXPECT_TRUE(fits("*-a-*", "x-a-b-a-y"));
  EXPECT_FALSE(fits("dev-*", "adev-1"));
  EXPECT_FALSE(fits("dev", "dev1"));
}

TEST(Names, bring_no_wildcards_into_filters) {
  EXPECT_EQ(filled_in("a/%u/%c/%%", {"u", "c"}), "a/u/c/%%");
  EXPECT_FALSE(filled_in("a/%c", {"u", "#"}));
  EXPECT_FALSE(filled_in("a/%u", {"+", "c"}));
  EXPECT_FALSE(filled_in("a/%u", {"", "c"}));
  EXPECT_FALSE(filled_in("%c/#", {"u", "$SYS"}));
  EXPECT_EQ(filled_in("a/%c", {"u", "$SYS"}), "a/$SYS");
}

TEST(Access, is_open_without_rules) {
  const Access access{Policy{}};
  EXPECT_TRUE(access.may_publish({"", "c"}, "t"));
  EXPECT_TRUE(access.may_subscribe({"", "c"}, "#"));
  EXPECT_EQ(login(access, std::nullopt, std::nullopt), Login::granted);
  const auto named = access.login({.name = "anybody", .password = "anything"});
  EXPECT_EQ(named.login, Login::granted);
  EXPECT_EQ(named.grant.user, "") << "nobody checked it";
  EXPECT_EQ(access.begin("SCRAM-SHA-256", {}, {}), nullptr);
}

TEST(Access, denies_what_no_rule_allows) {
  const Access access{Policy{.anonymous = true, .users = {{"u", "p"}}, .rules = {allow("u", "a/+")}}};
  EXPECT_TRUE(access.may_publish({"u", "c"}, "a/1"));
  EXPECT_FALSE(access.may_publish({"u", "c"}, "b"));
  EXPECT_FALSE(access.may_publish({"", "c"}, "a/1")) << "a rule for a user is not for the anonymous";
  EXPECT_TRUE(access.may_subscribe({"u", "c"}, "#"));
  EXPECT_FALSE(access.may_subscribe({"u", "c"}, "b/#"));
  EXPECT_TRUE(access.may_subscribe({"u", "c"}, "$share/g/a/1"));
}

TEST(Access, lets_deny_win) {
  Policy policy{.anonymous = true, .users = {}, .rules = {allow("", "#")}};
  policy.rules.push_back({.user = {}, .client = "bad-*", .allow = false, .publish = true, .subscribe = false, .filter = "a/#"});
  const Access access{policy};
  EXPECT_TRUE(access.may_publish({"", "good"}, "a/1"));
  EXPECT_FALSE(access.may_publish({"", "bad-1"}, "a/1"));
  EXPECT_TRUE(access.may_receive({"", "bad-1"}, "a/1"));
}

TEST(Access, knows_who_may_have_all_of_a_filter) {
  Policy policy{.anonymous = true, .users = {{"u", "p"}}, .rules = {allow("", "a/#"), allow("u", "own/%u/%c/#"), allow("", "w", true, false)}};
  policy.rules.push_back({.user = {}, .client = {}, .allow = false, .publish = false, .subscribe = true, .filter = "a/+/x"});
  policy.rules.push_back({.user = {}, .client = {}, .allow = false, .publish = true, .subscribe = false, .filter = "a/w"});
  const Access access{policy};
  const Who who{"u", "c"};
  EXPECT_TRUE(access.may_receive_all(who, "a"));
  EXPECT_TRUE(access.may_receive_all(who, "a/+")) << "who may not publish to some of it may receive it";
  EXPECT_TRUE(access.may_receive_all(who, "a/b/c/#"));
  EXPECT_TRUE(access.may_receive_all(who, "own/u/c/#"));
  EXPECT_FALSE(access.may_receive_all(who, "a/#")) << "some of it is denied";
  EXPECT_FALSE(access.may_receive_all(who, "+")) << "wider than what is allowed";
  EXPECT_FALSE(access.may_receive_all(who, "own/u/+/x"));
  EXPECT_FALSE(access.may_receive_all({"", "c"}, "own/u/c/x"));
  EXPECT_FALSE(access.may_receive_all(who, "w"));
  EXPECT_TRUE(Access{Policy{}}.may_receive_all(who, "#"));
}

TEST(Access, wants_passwords_of_users) {
  const Access access{Policy{.anonymous = false, .users = {{"u", "p"}}, .rules = {}}};
  EXPECT_EQ(login(access, "u", "p"), Login::granted);
  EXPECT_EQ(login(access, "u", "q"), Login::bad_credentials);
  EXPECT_EQ(login(access, "u", std::nullopt), Login::bad_credentials);
  EXPECT_EQ(login(access, "v", "p"), Login::bad_credentials);
  EXPECT_EQ(login(access, std::nullopt, "p"), Login::not_authorized);
  EXPECT_TRUE(access.knows("u"));
  EXPECT_FALSE(access.knows("v"));
}

TEST(Access, knows_no_password_by_its_verifier) {
  const Access access{Policy{.anonymous = false, .users = {{.name = "u", .password = {}, .verifier = "x"}}, .rules = {}}};
  EXPECT_EQ(login(access, "u", ""), Login::bad_credentials);
}

TEST(Rules, of_several_lists_deny_wins) {
  EXPECT_EQ(both(Say::allow, Say::deny), Say::deny);
  EXPECT_EQ(both(Say::nothing, Say::allow), Say::allow);
  EXPECT_EQ(both(Say::nothing, Say::nothing), Say::nothing);
}

}  // namespace
}  // namespace hf::access
