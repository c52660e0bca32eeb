// Lines of the log: fixed fields, one line an event whatever is in it, and few of a kind under attack.
#include <functional>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "broker/app/log_flood.hpp"
#include "broker/app/log_line.hpp"
#include "broker/app/logging.hpp"

namespace hf::app {
namespace {

using env::Level;
using env::LogLine;
using Json = nlohmann::json;

const std::vector<std::string> hostile{"plain",        "a\"b\\c",           "line\nbreak\r\t\x1b[31m", "\x7f",         "\xc2\x85" "next line",
                                       "\x80\xff\xc3", "\xed\xa0\x80",      "\xc0\x80",                "\xf4\x90\x80\x80", "\xe2\x82",
                                       "\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80", "\xe2\x80\xa8\xe2\x80\xa9", "\xe2\x80\xae" "evil", "x client=other node=2",
                                       std::string("nul\0l", 5), "\",\"level\":\"error", "x\" remote=\"1.2.3.4"};

/// Nothing that a viewer could take for the end of a line, for a command, or for text in another order.
bool harmless(std::string_view text) {
  for (const char c : text)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return false;
  for (const char* bad : {"\xc2\x85", "\xe2\x80\xa8", "\xe2\x80\xa9", "\xe2\x80\xae"})
    if (text.find(bad) != std::string_view::npos) return false;
  return true;
}

TEST(LogLine, json_is_json_whatever_a_client_sends) {
  for (const std::string& text : hostile) {
    const LogLine line{.level = Level::info, .text = text, .event = "connected", .client = text, .remote = text};
    const std::string fields = json_fields(line);
    const Json read = Json::parse("{" + fields + "}", nullptr, false);
    ASSERT_FALSE(read.is_discarded()) << text;
    ASSERT_EQ(read.size(), 4U) << fields;
    EXPECT_EQ(read["message"], read["client"]);
    EXPECT_EQ(read["message"], read["remote"]);
    EXPECT_EQ(read["event"], "connected");
    EXPECT_TRUE(harmless(fields)) << fields;
  }
  for (const char* exact : {"\xc3\xa4\n\"", "\x7f", "\xc2\x85", "\xe2\x80\xae", "a\\b"})
    EXPECT_EQ(Json::parse("{" + json_fields({Level::info, exact}) + "}")["message"], exact) << "UTF-8 comes back as it was";
  EXPECT_EQ(json_fields({Level::info, "x"}), R"("message":"x")") << "no field for what there is not";
}

TEST(LogLine, text_cannot_pass_for_another_line_or_field) {
  const auto fields = [](std::string_view text, std::string_view client) { return text_fields({.text = text, .client = client, .remote = "h:1"}); };
  EXPECT_EQ(fields("gone\n2026 error forged", "c\x1b[2J"), "gone\\x0a2026 error forged client=\"c\\x1b[2J\" remote=h:1");
  EXPECT_EQ(fields("gone", "x remote=1.2.3.4:5"), "gone client=\"x remote=1.2.3.4:5\" remote=h:1");
  EXPECT_EQ(fields("gone", "x\" remote=\"y"), "gone client=\"x\\\" remote=\\\"y\" remote=h:1");
  EXPECT_EQ(fields("gone", "a\"b"), "gone client=\"a\\\"b\" remote=h:1");
  EXPECT_EQ(fields("gone", "a\\b"), "gone client=\"a\\\\b\" remote=h:1");
  EXPECT_EQ(fields("gone", "a=b"), "gone client=\"a=b\" remote=h:1");
  EXPECT_EQ(fields("gone", "dev/1"), "gone client=dev/1 remote=h:1");
  EXPECT_EQ(fields("\xc2\x85\xe2\x80\xae\xff", "\xc3\xa4"), "\\u0085\\u202e\\xff client=\"\xc3\xa4\" remote=h:1");
  EXPECT_EQ(text_fields({.text = "gone"}), "gone");
  for (const std::string& text : hostile) EXPECT_TRUE(harmless(fields(text, text))) << text;
}

TEST(LogLine, long_texts_are_cut_between_characters) {
  std::string euros;
  while (euros.size() < 20'000) euros += "\xe2\x82\xac";
  const std::string fields = json_fields({.text = euros, .event = "connected", .client = euros, .remote = euros});
  const Json read = Json::parse("{" + fields + "}", nullptr, false);
  ASSERT_FALSE(read.is_discarded());
  EXPECT_LE(read["client"].get<std::string>().size(), client_max + 3);
  EXPECT_LE(read["message"].get<std::string>().size(), message_max + 3);
  EXPECT_LE(read["remote"].get<std::string>().size(), remote_max + 3);
  EXPECT_EQ(fields.find("fffd"), std::string::npos) << "no character is cut in two";
  EXPECT_LT(text_fields({.text = euros, .client = euros, .remote = euros}).size(), message_max + client_max + remote_max + 50);
}

LogLine about(std::string_view event, std::string_view client, std::string_view remote = "", Level level = Level::info) {
  return {.level = level, .text = "text", .event = event, .client = client, .remote = remote};
}

TEST(LogFlood, a_few_of_a_text_then_a_count) {
  LogFlood flood;
  Instant now = at(5s);
  std::size_t written = 0;
  for (int i = 0; i < 1000; ++i) {
    const std::string text = "connection from 192.0.2." + std::to_string(i) + ":40000 refused";
    if (flood.judge({Level::warn, text}, now)) ++written;
  }
  EXPECT_EQ(written, LogFlood::texts_max);
  EXPECT_TRUE(flood.judge({Level::warn, "node 2 is out of reach"}, now)) << "another kind is not held back";
  EXPECT_TRUE(flood.judge({Level::info, "connection from 192.0.2.1:40000 refused"}, now)) << "what the node says in good order is not bounded";
  EXPECT_TRUE(flood.take(now + LogFlood::window - 1ms).empty()) << "not yet";
  now += LogFlood::window;
  const auto told = flood.take(now);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].lines, 1000 - LogFlood::texts_max);
  EXPECT_EQ(told[0].seconds, 10);
  EXPECT_EQ(told[0].kind, "connection from 192.0.2.20:40000 refused");
  EXPECT_EQ(told[0].level, Level::warn);
  EXPECT_TRUE(flood.take(now + 1h).empty()) << "once";
  EXPECT_TRUE(flood.judge({Level::warn, "connection from [2001:db8::1]:1 refused"}, now)) << "a new window";
}

TEST(LogFlood, an_event_is_one_kind_whoever_it_is_about) {
  LogFlood flood;
  std::size_t connects = 0, refusals = 0;
  for (int i = 0; i < 5000; ++i) {
    const std::string client = "client-" + std::to_string(i), remote = "192.0.2.1:" + std::to_string(i);
    if (flood.judge(about("connected", client, remote), at(1s))) ++connects;
    if (flood.judge(about("refused", client, remote, Level::warn), at(1s))) ++refusals;
  }
  EXPECT_EQ(connects, LogFlood::events_max);
  EXPECT_EQ(refusals, LogFlood::warnings_max);
  EXPECT_TRUE(flood.judge(about("will_published", "client-1"), at(1s)));
  const auto told = flood.take(at(11s));
  ASSERT_EQ(told.size(), 2U);
  std::uint64_t held = 0;
  for (const auto& one : told) held += one.lines;
  EXPECT_EQ(held, 10'000 - LogFlood::events_max - LogFlood::warnings_max) << "none is forgotten";
}

TEST(LogFlood, one_client_does_not_use_up_what_there_is_for_all) {
  LogFlood flood;
  std::size_t written = 0;
  for (int i = 0; i < 100'000; ++i)
    if (flood.judge(about("publish_denied", "noisy", "192.0.2.1:1", Level::warn), at(1s))) ++written;
  EXPECT_EQ(written, LogFlood::client_max);
  EXPECT_TRUE(flood.judge(about("publish_denied", "another", "192.0.2.1:2", Level::warn), at(1s)));
  EXPECT_TRUE(flood.judge(about("disconnected", "noisy", "192.0.2.1:1"), at(1s))) << "another event of the same client";
  written = 0;
  for (int i = 0; i < 1000; ++i)
    if (flood.judge(about("refused", "", "192.0.2.1:" + std::to_string(i)), at(1s))) ++written;
  EXPECT_EQ(written, LogFlood::client_max) << "without a client id, a host is one whatever its port";
}

TEST(LogFlood, kinds_without_end_are_bounded_too) {
  LogFlood flood;
  std::size_t quoted = 0, bare = 0, events = 0;
  for (int i = 0; i < 100'000; ++i) {
    std::string word;
    for (int rest = i; rest > 0; rest /= 26) word += static_cast<char>('a' + rest % 26);
    if (flood.judge({Level::warn, "peer of cluster '" + word + " x'y " + word + "' refused"}, at(1s))) ++quoted;
    if (flood.judge({Level::warn, word + " refused"}, at(1s))) ++bare;
    if (flood.judge(about(word, word), at(1s))) ++events;
  }
  EXPECT_LE(quoted, LogFlood::texts_max) << "what is quoted is somebody's text";
  EXPECT_LE(bare, 256U * LogFlood::texts_max);
  EXPECT_LE(events, 64U * LogFlood::events_max);
  EXPECT_LE(flood.take(at(20s)).size(), 64U + 256U);
}

std::vector<std::string> captured(std::string_view format, const std::string& level, const std::function<void()>& say) {
  testing::internal::CaptureStdout();
  set_up_logging(level, std::string(format), 7);
  say();
  finish_logging();
  std::istringstream out(testing::internal::GetCapturedStdout());
  std::vector<std::string> lines;
  for (std::string line; std::getline(out, line);) lines.push_back(line);
  return lines;
}

void some_lines() {
  log(Level::info, "hello");
  log_client(Level::warn, "dev-1", "disconnected by an operator");
  log_line({.level = Level::info, .text = "connected: MQTT 5.0", .event = "connected", .client = "dev 2", .remote = "h:1"});
  log(Level::debug, "not shown");
}

TEST(Logging, node_event_and_client_stand_in_each_line) {
  const auto lines = captured("json", "info", some_lines);
  ASSERT_EQ(lines.size(), 3U);
  Json first = Json::parse(lines[0]), second = Json::parse(lines[1]), third = Json::parse(lines[2]);
  EXPECT_EQ(first["node"], 7);
  EXPECT_EQ(first["level"], "info");
  EXPECT_EQ(first["message"], "hello");
  EXPECT_TRUE(first.contains("time"));
  EXPECT_FALSE(first.contains("client"));
  EXPECT_EQ(second["client"], "dev-1");
  EXPECT_EQ(second["node"], 7);
  EXPECT_EQ(second["level"], "warning");
  EXPECT_EQ(third["event"], "connected");
  EXPECT_EQ(third["client"], "dev 2");
  EXPECT_EQ(third["remote"], "h:1");
  const auto texts = captured("text", "info", some_lines);
  ASSERT_EQ(texts.size(), 3U);
  EXPECT_NE(texts[0].find(" info     node=7 hello"), std::string::npos) << texts[0];
  EXPECT_NE(texts[1].find(" node=7 disconnected by an operator client=dev-1"), std::string::npos) << texts[1];
  EXPECT_NE(texts[2].find(" node=7 connected: MQTT 5.0 client=\"dev 2\" remote=h:1"), std::string::npos) << texts[2];
}

TEST(Logging, what_was_held_back_is_told) {
  const auto lines = captured("json", "info", [] {
    for (int i = 0; i < 50; ++i) log_line({.level = Level::warn, .text = "denied", .event = "publish_denied", .client = "of this test"});
    log_held_back();
    log_held_back(true);
    log_held_back(true);
  });
  ASSERT_EQ(lines.size(), LogFlood::client_max + 1);
  const Json last = Json::parse(lines.back());
  EXPECT_EQ(last["event"], "suppressed");
  EXPECT_EQ(last["level"], "warning");
  EXPECT_EQ(last["message"].get<std::string>().substr(0, 49), "suppressed 40 more lines of this kind in the last");
  EXPECT_NE(last["message"].get<std::string>().find(" s: publish_denied"), std::string::npos);
}

TEST(Logging, a_level_that_is_off_costs_nothing_and_counts_nothing) {
  const auto lines = captured("json", "error", [] {
    EXPECT_FALSE(logs(Level::warn));
    EXPECT_TRUE(logs(Level::error));
    for (int i = 0; i < 50; ++i) log_line({.level = Level::warn, .text = "denied", .event = "subscribe_denied", .client = "of that test"});
    set_log_level("warn");
    EXPECT_TRUE(logs(Level::warn));
    log_held_back(true);
  });
  EXPECT_TRUE(lines.empty());
}

}  // namespace
}  // namespace hf::app
