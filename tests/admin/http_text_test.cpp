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

unsigned status_of(const std::string& target, const Rights& rights, const std::string& authorization = "", const std::string& host = "127.0.0.1",
                   const std::optional<std::string>& certificate = std::nullopt) {
  Request request;
  request.method = "GET";
  request.target = target;
  request.host = host;
  request.authorization = authorization;
  request.certificate = certificate;
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

TEST(Guard, a_certificate_stands_in_for_a_token) {
  using wrapping::ClientCertificate;
  const auto node = [](const Rights& rights, const std::optional<std::string>& certificate, const std::string& authorization = "") {
    return status_of("/api/v1/node", rights, authorization, "127.0.0.1", certificate);
  };
  const Rights required{"", true, false, ClientCertificate::required, {}};
  EXPECT_EQ(node(required, "ann"), 200U);
  EXPECT_EQ(status_of("/api/v1/node", required, "", "node.example", "ann"), 200U) << "under any name of the node";
  EXPECT_EQ(node(required, ""), 200U) << "a certificate without a name is one of the authority too";
  EXPECT_EQ(node(required, std::nullopt), 403U) << "a connection of before the reload that wants one";
  const Rights optional{"0123456789abcdef", true, false, ClientCertificate::optional, {}};
  EXPECT_EQ(node(optional, "ann"), 200U);
  EXPECT_EQ(node(optional, "ann", "Bearer wrong"), 200U);
  EXPECT_EQ(node(optional, std::nullopt), 401U);
  EXPECT_EQ(node(optional, std::nullopt, "Bearer 0123456789abcdef"), 200U);
  const Rights none{"0123456789abcdef", true, false, ClientCertificate::none, {}};
  EXPECT_EQ(node(none, "ann"), 401U) << "a connection of before the reload that wants none any more";
}

TEST(Guard, of_certificates_only_those_of_the_names_count) {
  using wrapping::ClientCertificate;
  const auto node = [](const Rights& rights, const std::string& name, const std::string& authorization = "") {
    return status_of("/api/v1/node", rights, authorization, "127.0.0.1", name);
  };
  const Rights required{"", true, false, ClientCertificate::required, {"ann", "bob"}};
  EXPECT_EQ(node(required, "ann"), 200U);
  EXPECT_EQ(node(required, "bob"), 200U);
  for (const char* wrong : {"", "an", "Ann", "ann ", "carl"}) EXPECT_EQ(node(required, wrong), 403U) << wrong;
  EXPECT_EQ(status_of("/health/live", required, "", "node.example", "carl"), 200U) << "open to all that TLS lets in";
  const Rights optional{"0123456789abcdef", true, false, ClientCertificate::optional, {"ann"}};
  EXPECT_EQ(node(optional, "ann"), 200U);
  EXPECT_EQ(node(optional, "carl"), 401U);
  EXPECT_EQ(node(optional, "carl", "Bearer 0123456789abcdef"), 200U);
}

}  // namespace
}  // namespace hf::admin
