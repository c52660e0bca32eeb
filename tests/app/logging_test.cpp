// Lines of the log: fixed fields, one line an event whatever is in it, and few of a kind under attack.
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "broker/app/log_flood.hpp"
#include "broker/app/log_line.hpp"
#include "broker/app/logging.hpp"

namespace hf::app {
namespace {

using Json = nlohmann::json;

TEST(LogLine, json_is_json_whatever_a_client_sends) {
  for (const std::string text : {"plain", "a\"b\\c", "line\nbreak\r\t\x1b[31m", "\x80\xff\xc3", "\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80",
                                 "\xed\xa0\x80", "\xc0\x80", "\xf4\x90\x80\x80", "\xe2\x82"}) {
    const Json line = Json::parse("{" + json_fields(text, text) + "}", nullptr, false);
    ASSERT_FALSE(line.is_discarded()) << text;
    EXPECT_EQ(line.size(), 2U);
    EXPECT_EQ(line["message"], line["client"]);
    EXPECT_EQ(json_fields(text, "").find('\n'), std::string::npos);
  }
  EXPECT_EQ(Json::parse("{" + json_fields("\xc3\xa4\n\"", "") + "}")["message"], "\xc3\xa4\n\"");
}

TEST(LogLine, text_cannot_pass_for_another_line) {
  EXPECT_EQ(text_fields("gone\n2026 error forged", "c\x1b[2J"), "gone\\x0a2026 error forged client=c\\x1b[2J");
  EXPECT_EQ(text_fields("gone", ""), "gone");
}

TEST(LogFlood, a_few_of_a_kind_then_a_count) {
  LogFlood flood;
  Instant now = at(5s);
  std::size_t written = 0;
  for (int i = 0; i < 1000; ++i) {
    if (flood.judge("connection from 192.0.2." + std::to_string(i) + ":40000 refused", now).write) ++written;
  }
  EXPECT_EQ(written, LogFlood::lines_max);
  EXPECT_TRUE(flood.judge("node 2 is out of reach", now).write) << "another kind is not held back";
  now += LogFlood::window;
  const auto next = flood.judge("connection from [2001:db8::1]:1 refused", now);
  EXPECT_TRUE(next.write);
  EXPECT_EQ(next.held_back, 1000 - LogFlood::lines_max);
  EXPECT_EQ(flood.judge("connection from 192.0.2.1:1 refused", now).held_back, 0U);
}

TEST(LogFlood, kinds_without_end_are_bounded_too) {
  LogFlood flood;
  std::size_t written = 0;
  for (int i = 0; i < 100'000; ++i) {
    std::string word;
    for (int rest = i; rest > 0; rest /= 26) word += static_cast<char>('a' + rest % 26);
    if (flood.judge("peer of cluster '" + word + "' refused", at(1s)).write) ++written;
  }
  EXPECT_LE(written, 256U * LogFlood::lines_max);
}

TEST(Logging, node_and_client_stand_in_each_line) {
  for (const bool json : {true, false}) {
    testing::internal::CaptureStdout();
    set_up_logging("info", json ? "json" : "text", 7);
    log(env::Level::info, "hello");
    log_client(env::Level::warn, "dev-1", "disconnected by an operator");
    log(env::Level::debug, "not shown");
    const std::string out = testing::internal::GetCapturedStdout();
    if (json) {
      const auto end = out.find('\n');
      const Json first = Json::parse(out.substr(0, end)), second = Json::parse(out.substr(end + 1));
      EXPECT_EQ(first["node"], 7);
      EXPECT_EQ(first["level"], "info");
      EXPECT_EQ(first["message"], "hello");
      EXPECT_TRUE(first.contains("time"));
      EXPECT_FALSE(first.contains("client"));
      EXPECT_EQ(second["client"], "dev-1");
      EXPECT_EQ(second["node"], 7);
    } else {
      EXPECT_NE(out.find(" info     node=7 hello\n"), std::string::npos) << out;
      EXPECT_NE(out.find(" node=7 disconnected by an operator client=dev-1\n"), std::string::npos) << out;
    }
  }
}

}  // namespace
}  // namespace hf::app
