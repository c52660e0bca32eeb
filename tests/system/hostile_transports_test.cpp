// What nobody should send to a port, or should not stop sending: each ends in bounded time, and the node lives.
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/system/transports_node.hpp"

namespace hf::system_tests {
namespace {

struct Case {
  const char* name;
  const char* listener;
  std::string bytes;
};

TEST(HostileTransports, end_in_bounded_time) {
  TransportsNode node;
  const std::string hello("\x16\x03\x01\x00\xC8\x01\x00\x00\xC4\x03\x03", 11);  // a ClientHello's first bytes
  const std::string garbage(1000, '\xA5');
  const std::string get = "GET /mqtt HTTP/1.1\r\nHost: h\r\n";
  const std::vector<Case> cases{
      {"tls_nothing", "secure", ""},
      {"tls_slow", "secure", hello},
      {"tls_garbage", "secure", garbage},
      {"tls_plain_mqtt", "secure", connect_packet("plain")},
      {"tls_http", "secure", get + "\r\n"},
      {"tls_record_too_long", "secure", std::string("\x16\x03\x01\xFF\xFF", 5) + garbage},
      {"strict_slow", "strict", hello},
      {"websocket_nothing", "ws", ""},
      {"websocket_half", "ws", get},
      {"websocket_garbage", "ws", garbage},
      {"websocket_plain_mqtt", "ws", connect_packet("plain")},
      {"websocket_header_too_large", "ws", get + "X: " + std::string(20'000, 'x')},
      {"websocket_elsewhere", "ws", "GET /else HTTP/1.1\r\n\r\n"},
      {"secure_websocket_slow", "wss", hello},
      {"proxy_nothing", "proxy", ""},
      {"proxy_half", "proxy", "PROXY TCP4 192.0.2.1 "},
      {"proxy_garbage", "proxy", garbage},
      {"proxy_then_half_tls", "wsproxy", "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n" + hello},
  };
  std::vector<std::unique_ptr<RawClient>> clients;
  for (const Case& each : cases) {
    clients.push_back(std::make_unique<RawClient>(node.port(each.listener)));
    clients.back()->say(each.bytes);
  }
  EXPECT_TRUE(node.alive()) << "while all of them hang";
  const auto begin = std::chrono::steady_clock::now();
  for (std::size_t i = 0; i < cases.size(); ++i) EXPECT_TRUE(clients[i]->ended(Seconds(13))) << cases[i].name;
  // 10 s for the handshake; a refusal that is answered waits up to 5 s for the other end.
  EXPECT_LT(std::chrono::steady_clock::now() - begin, Seconds(17));
  EXPECT_TRUE(node.alive());
  const RawClient metrics(node.cluster().admin_port(0));
  metrics.say("GET /metrics HTTP/1.0\r\nHost: localhost\r\n\r\n");
  const std::string told = metrics.hear(1'000'000);
  const std::string counter = "\nholdfast_connections_refused_total{kind=\"client\",reason=\"transport\"} ";
  ASSERT_NE(told.find(counter), std::string::npos) << told;
  EXPECT_GE(std::stoul(told.substr(told.find(counter) + counter.size())), cases.size() - 2);
  EXPECT_EQ(node.cluster().stop(0), 0);
}

TEST(HostileTransports, a_websocket_answers_http_with_http) {
  TransportsNode node;
  const auto answer = [&](const std::string& request) {
    const RawClient client(node.port("ws"));
    client.say(request);
    return client.hear(20).substr(0, 12);
  };
  EXPECT_EQ(answer("GET / HTTP/1.1\r\n\r\n"), "HTTP/1.1 404");
  EXPECT_EQ(answer("GET /mqtt HTTP/1.1\r\n\r\n"), "HTTP/1.1 426");
  EXPECT_EQ(answer("POST /mqtt HTTP/1.1\r\n\r\n"), "HTTP/1.1 405");
  EXPECT_EQ(answer("GET /mqtt HTTP/1.1\r\nX: " + std::string(9000, 'x')), "HTTP/1.1 431");
}

TEST(HostileTransports, many_unfinished_handshakes_do_not_keep_others_out) {
  TransportsNode node;
  std::vector<std::unique_ptr<RawClient>> holders;
  for (int i = 0; i < 1200; ++i) holders.push_back(std::make_unique<RawClient>(node.port("ws")));
  const RawClient client(node.port("ws"));
  client.say("GET /mqtt HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
             "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n");
  EXPECT_EQ(client.hear(12, Seconds(6)), "HTTP/1.1 101") << "the oldest make way after 2 s";
  EXPECT_TRUE(node.alive());
}

}  // namespace
}  // namespace hf::system_tests
