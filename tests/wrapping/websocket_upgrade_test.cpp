// The request that opens a WebSocket: taken, or refused with an answer that says why.
#include "broker/wrapping/websocket_upgrade.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace hf::wrapping {
namespace {

using State = WebSocketUpgrade::State;

const std::string key = "dGhlIHNhbXBsZSBub25jZQ==";  // RFC 6455, 1.3
const std::string usual = "Host: h\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n";
const std::string version = "Sec-WebSocket-Version: 13\r\n";

std::string request(const std::string& line, const std::string& fields) { return line + "\r\n" + fields + "\r\n"; }
const std::string good = request("GET /mqtt HTTP/1.1", usual + version + "Sec-WebSocket-Key: " + key +
                                                           "\r\nSec-WebSocket-Protocol: mqtt\r\n");

State feed(WebSocketUpgrade& upgrade, const std::string& bytes, std::string& down, std::size_t step) {
  State state = State::reading;
  for (std::size_t at = 0; state == State::reading && at < bytes.size(); at += step) {
    state = upgrade.receive(std::string_view(bytes).substr(at, step), down);
  }
  return state;
}

TEST(WebSocketUpgrade, answers_with_the_digest_of_the_key) {
  EXPECT_EQ(websocket_accept(key), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  for (const std::size_t step : {good.size() + 5, std::size_t{1}, std::size_t{10}}) {
    WebSocketUpgrade upgrade("/mqtt");
    std::string down;
    EXPECT_EQ(feed(upgrade, good + "after", down, step), State::upgraded);
    EXPECT_EQ(down, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n");
    EXPECT_EQ(std::string("after").rfind(upgrade.left(), 0), 0U);
    EXPECT_EQ(upgrade.left().size(), step == 1 ? 0 : step == 10 ? (10 - good.size() % 10) % 10 : 5);
  }
}

TEST(WebSocketUpgrade, takes_a_query_the_older_subprotocol_and_lists) {
  const auto chosen = [](const std::string& line, const std::string& protocols) {
    WebSocketUpgrade upgrade("/mqtt");
    std::string down;
    EXPECT_EQ(upgrade.receive(request(line, usual + version + "Sec-WebSocket-Key: " + key + "\r\n" + protocols), down),
              State::upgraded)
        << down;
    const std::size_t at = down.find("Sec-WebSocket-Protocol: ");
    return down.substr(at + 24, down.find("\r\n", at) - at - 24);
  };
  EXPECT_EQ(chosen("GET /mqtt?token=1 HTTP/1.1", "Sec-WebSocket-Protocol: mqttv3.1\r\n"), "mqttv3.1");
  EXPECT_EQ(chosen("GET /mqtt HTTP/1.1", "Sec-WebSocket-Protocol: mqttv3.1, mqtt\r\n"), "mqtt");
  EXPECT_EQ(chosen("GET /mqtt HTTP/1.1", "Sec-WebSocket-Protocol: chat\r\nSec-WebSocket-Protocol: mqtt\r\n"), "mqtt");
}

struct Case {
  const char* name;
  std::string bytes;
  const char* status;
};

const std::vector<Case>& cases() {
  const std::string keyed = "Sec-WebSocket-Key: " + key + "\r\n";
  const std::string protocol = "Sec-WebSocket-Protocol: mqtt\r\n";
  const std::string get = "GET /mqtt HTTP/1.1";
  static const std::vector<Case> all{
      {"another_path", request("GET /other HTTP/1.1", usual + version + keyed + protocol), "404 Not Found"},
      {"a_longer_path", request("GET /mqtt2 HTTP/1.1", usual + version + keyed + protocol), "404 Not Found"},
      {"no_upgrade", request(get, "Host: h\r\n"), "426 Upgrade Required"},
      {"another_upgrade", request(get, "Host: h\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n" + version + keyed + protocol),
       "426 Upgrade Required"},
      {"an_older_version", request(get, usual + "Sec-WebSocket-Version: 8\r\n" + keyed + protocol), "426 Upgrade Required"},
      {"no_version", request(get, usual + keyed + protocol), "426 Upgrade Required"},
      {"no_key", request(get, usual + version + protocol), "400 Bad Request"},
      {"a_short_key", request(get, usual + version + "Sec-WebSocket-Key: c2hvcnQ=\r\n" + protocol), "400 Bad Request"},
      {"a_bad_key", request(get, usual + version + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZ!==\r\n" + protocol), "400 Bad Request"},
      {"no_subprotocol", request(get, usual + version + keyed), "400 Bad Request"},
      {"another_subprotocol", request(get, usual + version + keyed + "Sec-WebSocket-Protocol: chat\r\n"), "400 Bad Request"},
      {"post", request("POST /mqtt HTTP/1.1", usual + version + keyed + protocol), "405 Method Not Allowed"},
      {"http_1_0", request("GET /mqtt HTTP/1.0", usual + version + keyed + protocol), "400 Bad Request"},
      {"a_body", request(get, usual + version + keyed + protocol + "Content-Length: 5\r\n") + "hello", "400 Bad Request"},
      {"a_chunked_body", request(get, usual + version + keyed + protocol + "Transfer-Encoding: chunked\r\n"), "400 Bad Request"},
      {"garbage", "GARBAGE\r\n\r\n", "400 Bad Request"},
      {"a_broken_field", request(get, "no colon\r\n"), "400 Bad Request"},
      {"mqtt", "\x10\x0C", "400 Bad Request"},
      {"tls", "\x16\x03\x01", "400 Bad Request"},
      {"a_header_too_large", get + "\r\nX: " + std::string(9000, 'x'), "431 Request Header Fields Too Large"},
      {"a_header_too_large_with_an_end", request(get, "X: " + std::string(9000, 'x') + "\r\n"), "431 Request Header Fields Too Large"},
  };
  return all;
}

class Refused : public testing::TestWithParam<Case> {};
INSTANTIATE_TEST_SUITE_P(WebSocketUpgrade, Refused, testing::ValuesIn(cases()), [](const auto& each) { return each.param.name; });

TEST_P(Refused, with_an_answer) {
  const Case& each = GetParam();
  for (const std::size_t step : {each.bytes.size(), std::size_t{1}, std::size_t{100}}) {
    WebSocketUpgrade upgrade("/mqtt");
    std::string down;
    EXPECT_EQ(feed(upgrade, each.bytes, down, step), State::refused);
    EXPECT_EQ(down.rfind("HTTP/1.1 " + std::string(each.status) + "\r\n", 0), 0U) << down;
    EXPECT_EQ(down.substr(down.size() - 4), "\r\n\r\n");
    EXPECT_FALSE(upgrade.why().empty());
  }
}

}  // namespace
}  // namespace hf::wrapping
