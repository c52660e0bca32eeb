// Targets taken apart, and who is turned away.
#include <gtest/gtest.h>

#include "broker/admin/guard.hpp"
#include "broker/admin/http_text.hpp"

namespace hf::admin {
namespace {

TEST(Target, is_taken_apart) {
  const auto target = parse_target("/api/v1/sessions/a%2Fb%20%C3%A4/x?limit=10&after=%25+&flag");
  ASSERT_TRUE(target);
  EXPECT_EQ(target->path, (std::vector<std::string>{"api", "v1", "sessions", "a/b \xc3\xa4", "x"}));
  EXPECT_EQ(target->query, (std::map<std::string, std::string>{{"limit", "10"}, {"after", "%+"}, {"flag", ""}}));
  EXPECT_TRUE(parse_target("/")->path.empty());
  EXPECT_TRUE(parse_target("/?")->query.empty());
  EXPECT_EQ(parse_target("/a/")->path, (std::vector<std::string>{"a", ""}));
  EXPECT_EQ(parse_target("//a")->path, (std::vector<std::string>{"", "a"}));
}

TEST(Target, what_is_none_is_refused) {
  for (const char* bad : {"", "*", "a", "http://x/", "/%", "/%4", "/%g0", "/a?b=%zz", "/a?b=1&b=2", "/a?b&b"}) {
    EXPECT_FALSE(parse_target(bad)) << bad;
  }
}

TEST(Target, names_survive_a_url) {
  std::string every;
  for (int c = 0; c < 256; ++c) every += static_cast<char>(c);
  const auto target = parse_target("/" + percent_encoded(every) + "?after=" + percent_encoded(every));
  ASSERT_TRUE(target);
  EXPECT_EQ(target->path.at(0), every);
  EXPECT_EQ(target->query.at("after"), every);
}

unsigned status_of(const std::string& target, const Rights& rights, const std::string& authorization = "", const std::string& host = "127.0.0.1") {
  Request request;
  request.method = "GET";
  request.target = target;
  request.host = host;
  request.authorization = authorization;
  const auto refusal = turned_away(request, *parse_target(target), rights);
  return refusal ? refusal->status : 200;
}

TEST(Guard, a_token_is_wanted_where_there_is_one) {
  const Rights rights{"0123456789abcdef", true, false};
  EXPECT_EQ(status_of("/api/v1/node", rights), 401U);
  EXPECT_EQ(status_of("/api/v1/node", rights, "Bearer 0123456789abcdef"), 200U);
  EXPECT_EQ(status_of("/api/v1/node", rights, "bEARER 0123456789abcdef"), 200U);
  for (const char* wrong : {"0123456789abcdef", "Bearer", "Bearer ", "Bearer 0123456789abcde", "Bearer 0123456789abcdef ", "Bearer  0123456789abcdef",
                            "Basic 0123456789abcdef", "Bearer 0123456789ABCDEF"}) {
    EXPECT_EQ(status_of("/api/v1/node", rights, wrong), 401U) << wrong;
  }
  EXPECT_EQ(status_of("/metrics", rights), 401U);
  EXPECT_EQ(status_of("/health/live", rights), 200U);
  EXPECT_EQ(status_of("/", rights), 200U) << "the page has nothing to hide";
  EXPECT_EQ(status_of("/nothing", rights), 401U) << "strangers do not learn what there is";
  EXPECT_EQ(status_of("/metrics", {"0123456789abcdef", false, true}), 200U);
  EXPECT_EQ(status_of("/health/live", {"0123456789abcdef", false, true}), 401U);
  EXPECT_EQ(status_of("/api/v1/node", rights, "Bearer 0123456789abcdef", "node.example"), 200U);
}

TEST(Guard, without_a_token_a_browser_cannot_be_led_here) {
  const Rights open;
  for (const char* good : {"127.0.0.1", "127.1.2.3", "localhost", "[::1]", ""}) EXPECT_EQ(status_of("/api/v1/node", open, "", good), 200U) << good;
  for (const char* bad : {"evil.example", "127.0.0.1.evil.example", "localhost.evil", "192.0.2.1", "[::2]"}) {
    EXPECT_EQ(status_of("/api/v1/node", open, "", bad), 403U) << bad;
  }
}

}  // namespace
}  // namespace hf::admin
