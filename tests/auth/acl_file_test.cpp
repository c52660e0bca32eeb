// Access-control files: their lines, and what they mean. tests/system compares them with mosquitto itself.
#include "broker/auth/acl_file.hpp"

#include <gtest/gtest.h>

namespace hf::auth {
namespace {

using access::Deed;
using access::Say;

std::string error_of(const std::string& text) {
  const auto file = AclFile::parse(text, "acl");
  return file ? "none" : file.error().text;
}

constexpr const char* example = R"(# first the anonymous
topic read news/#
topic deny news/secret
user ann
topic a/#
topic write up
topic read down
topic deny a/closed/+
user bob
topic readwrite with space/x y
user ann
topic late
pattern write from/%u/%c
pattern read to/%c/#
pattern deny to/%c/never
)";

class AclExample : public testing::Test {
 protected:
  [[nodiscard]] Say publish(std::string_view user, std::string_view topic) const { return file->say(Deed::publish, {user, "c", {}}, topic); }
  [[nodiscard]] Say receive(std::string_view user, std::string_view topic) const { return file->say(Deed::receive, {user, "c", {}}, topic); }
  [[nodiscard]] Say subscribe(std::string_view user, std::string_view filter) const { return file->say_filter({user, "c", {}}, filter); }
  Result<AclFile> file = AclFile::parse(example, "acl");
};

TEST_F(AclExample, general_lines_are_for_the_anonymous) {
  ASSERT_TRUE(file);
  EXPECT_EQ(receive("", "news/1"), Say::allow);
  EXPECT_EQ(receive("", "news/secret"), Say::deny);
  EXPECT_EQ(publish("", "news/1"), Say::nothing);
  EXPECT_EQ(receive("ann", "news/1"), Say::nothing);
  EXPECT_EQ(publish("", "from//c"), Say::nothing) << "%u of nobody";
}

TEST_F(AclExample, all_of_a_filter) {
  const auto all = [&](std::string_view user, std::string_view filter) { return file->say_all({user, "c", {}}, filter); };
  EXPECT_EQ(all("ann", "a/+"), Say::allow);
  EXPECT_EQ(all("ann", "a/closed"), Say::allow);
  EXPECT_EQ(all("ann", "a/#"), Say::deny) << "a/closed/+ is";
  EXPECT_EQ(all("ann", "+/x"), Say::nothing);
  EXPECT_EQ(all("ann", "up"), Say::nothing) << "to write to";
  EXPECT_EQ(all("bob", "to/c/x/#"), Say::allow);
  EXPECT_EQ(all("bob", "to/c/+"), Say::deny);
  EXPECT_EQ(all("bob", "to/+/x"), Say::nothing);
}

TEST_F(AclExample, lines_of_a_user) {
  EXPECT_EQ(publish("ann", "a/x"), Say::allow);
  EXPECT_EQ(receive("ann", "a"), Say::allow);
  EXPECT_EQ(publish("ann", "a/closed/x"), Say::deny) << "denials come first";
  EXPECT_EQ(publish("ann", "up"), Say::allow);
  EXPECT_EQ(receive("ann", "up"), Say::nothing);
  EXPECT_EQ(publish("ann", "down"), Say::nothing);
  EXPECT_EQ(publish("ann", "late"), Say::allow) << "the user was named before";
  EXPECT_EQ(publish("bob", "with space/x y"), Say::allow);
  EXPECT_EQ(publish("bob", "a/x"), Say::nothing);
  EXPECT_EQ(publish("zoe", "a/x"), Say::nothing);
}

TEST_F(AclExample, patterns_are_for_everybody) {
  EXPECT_EQ(publish("bob", "from/bob/c"), Say::allow);
  EXPECT_EQ(publish("bob", "from/ann/c"), Say::nothing);
  EXPECT_EQ(receive("zoe", "to/c/x"), Say::allow);
  EXPECT_EQ(receive("", "to/c/x"), Say::allow);
  EXPECT_EQ(receive("zoe", "to/c/never"), Say::deny);
  EXPECT_EQ(file->say(Deed::receive, {"zoe", "#", {}}, "to/c/x"), Say::deny) << "a client that calls itself '#'";
  EXPECT_EQ(file->say(Deed::publish, {"ann", "+", {}}, "a/x"), Say::allow) << "the user's own lines come first";
}

TEST_F(AclExample, subscriptions) {
  EXPECT_EQ(subscribe("ann", "#"), Say::allow) << "some of it may be received";
  EXPECT_EQ(subscribe("ann", "a/closed/x"), Say::deny);
  EXPECT_EQ(subscribe("ann", "up"), Say::nothing) << "may only be written";
  EXPECT_EQ(subscribe("bob", "to/c/never"), Say::deny);
  EXPECT_EQ(subscribe("bob", "to/c/+"), Say::allow);
  EXPECT_EQ(subscribe("bob", "to/d/#"), Say::nothing);
}

TEST(AclFile, tells_what_is_wrong_and_where) {
  EXPECT_EQ(error_of("\n  \n# topic\ntopic a\r\n"), "none");
  EXPECT_EQ(error_of("topic a\ngroup x"), "acl:2: 'group' is not known; expected user, topic, pattern or a comment");
  EXPECT_EQ(error_of("user"), "acl:1: user without a name; expected user NAME");
  EXPECT_EQ(error_of("topic"), "acl:1: no filter; expected [read|write|readwrite|deny] FILTER");
  EXPECT_EQ(error_of("topic reed a"), "acl:1: 'reed' is not known; expected read, write, readwrite or deny before the filter");
  EXPECT_EQ(error_of("pattern a/#/b"), "acl:1: 'a/#/b' is no topic filter");
}

TEST(AclFile, without_lines_allows_nothing) {
  const auto file = AclFile::parse("", "acl");
  ASSERT_TRUE(file);
  EXPECT_EQ(file->say(Deed::publish, {"ann", "c", {}}, "a"), Say::nothing);
}

}  // namespace
}  // namespace hf::auth
