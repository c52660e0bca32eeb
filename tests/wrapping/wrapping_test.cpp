// The layers on top of each other, against a client's ends put together by hand.
#include "broker/wrapping/wrapping.hpp"

#include <string>

#include <gtest/gtest.h>

#include "tests/support/authority.hpp"

namespace hf::wrapping {
namespace {

using State = Wrapping::State;

const std::string proxy = "PROXY TCP4 192.0.2.1 198.51.100.1 56324 1883\r\n";
const std::string upgrade =
    "GET /mqtt HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n";

/// A short message from a client, with a mask of zeros.
std::string message(const std::string& payload) {
  return std::string("\x82") + static_cast<char>(0x80U | payload.size()) + std::string(4, '\0') + payload;
}

struct Server {
  explicit Server(const Plan& plan) : wrapping(plan) {}
  void feed(std::string_view bytes, std::size_t step) {
    for (std::size_t at = 0; at < bytes.size(); at += step) wrapping.receive(bytes.substr(at, step), up, down);
  }
  Wrapping wrapping;
  std::string up, down;
};

class WrappingTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    authority = new test_support::Authority("authority");
    const auto node = authority->issue("node");
    TlsSettings settings;
    settings.certificate = node.certificate;
    settings.key = node.key;
    settings.ca = authority->certificate();
    accepting = TlsContext::server(settings, "mqtt").value();
    dialling = TlsContext::client(settings).value();
  }
  static void TearDownTestSuite() {
    accepting.reset();
    dialling.reset();
    delete authority;
  }
  static test_support::Authority* authority;
  static std::shared_ptr<const TlsContext> accepting, dialling;
};
test_support::Authority* WrappingTest::authority;
std::shared_ptr<const TlsContext> WrappingTest::accepting, WrappingTest::dialling;

TEST_F(WrappingTest, a_proxy_header_alone_is_soon_spent) {
  for (const std::size_t step : {std::size_t{1}, std::size_t{1000}}) {
    Plan plan;
    plan.proxy_header = true;
    Server server(plan);
    server.feed(proxy + "mqtt", step);
    EXPECT_EQ(server.up, "mqtt");
    EXPECT_EQ(server.down, "");
    EXPECT_TRUE(server.wrapping.spent());
    EXPECT_EQ(server.wrapping.proxied_for(), "192.0.2.1:56324");
  }
}

TEST_F(WrappingTest, without_its_proxy_header_a_connection_is_over) {
  Plan plan;
  plan.proxy_header = true;
  Server server(plan);
  server.feed("\x10\x0C", 1);
  EXPECT_EQ(server.wrapping.state(), State::over);
  EXPECT_EQ(server.wrapping.why(), "no valid PROXY header");
  EXPECT_FALSE(server.wrapping.was_open());
  server.feed(proxy + "mqtt", 100);
  EXPECT_EQ(server.up, "");
}

TEST_F(WrappingTest, websocket_opens_carries_and_closes) {
  for (const std::size_t step : {std::size_t{1}, std::size_t{1000}}) {
    Plan plan;
    plan.websocket_path = "/mqtt";
    Server server(plan);
    server.feed(upgrade + message("mqtt"), step);
    EXPECT_EQ(server.up, "mqtt");
    EXPECT_EQ(server.down.rfind("HTTP/1.1 101 ", 0), 0U);
    EXPECT_EQ(server.wrapping.state(), State::open);
    server.down.clear();
    server.wrapping.send("answer", 0, server.down);
    server.wrapping.finish(server.down);
    EXPECT_EQ(server.down, "\x82\x06" "answer\x88\x02\x03\xE9");
  }
}

TEST_F(WrappingTest, all_three_stack) {
  Plan plan;
  plan.proxy_header = true;
  plan.tls = accepting;
  plan.websocket_path = "/mqtt";
  for (const std::size_t step : {std::size_t{1}, std::size_t{100'000}}) {
    Server server(plan);
    TlsSession client(dialling, TlsSession::End::client);
    std::string heard, out = proxy;
    client.receive({}, heard, out);
    bool asked = false;
    for (int i = 0; i < 10 && (!out.empty() || !server.down.empty()); ++i) {
      server.feed(std::exchange(out, {}), step);
      client.receive(std::exchange(server.down, {}), heard, out);
      if (client.state() == TlsSession::State::open && !std::exchange(asked, true)) {
        EXPECT_EQ(server.up, "");
        client.send(upgrade + message("hello"), out);
      }
    }
    EXPECT_EQ(server.up, "hello") << server.wrapping.why();
    EXPECT_EQ(server.wrapping.proxied_for(), "192.0.2.1:56324");
    EXPECT_EQ(heard.rfind("HTTP/1.1 101 ", 0), 0U);
    heard.clear();
    server.wrapping.send("there", 0, server.down);
    server.wrapping.finish(server.down);
    client.receive(server.down, heard, out);
    EXPECT_EQ(heard, "\x82\x05" "there\x88\x02\x03\xE9");
    EXPECT_EQ(client.state(), TlsSession::State::ended);
  }
}

TEST_F(WrappingTest, what_comes_with_the_good_bye_is_delivered) {
  Plan plan;
  plan.tls = accepting;
  Server server(plan);
  TlsSession client(dialling, TlsSession::End::client);
  std::string heard, out;
  client.receive({}, heard, out);
  server.feed(std::exchange(out, {}), 100'000);
  client.receive(std::exchange(server.down, {}), heard, out);
  client.send("all at once", out);
  client.close(out);
  EXPECT_FALSE(server.wrapping.was_open());
  server.feed(out, 100'000);
  EXPECT_EQ(server.up, "all at once");
  EXPECT_TRUE(server.wrapping.was_open());
  EXPECT_EQ(server.wrapping.state(), State::over);
  EXPECT_TRUE(server.wrapping.orderly());
}

TEST_F(WrappingTest, a_refused_upgrade_is_answered_through_tls) {
  Plan plan;
  plan.tls = accepting;
  plan.websocket_path = "/mqtt";
  Server server(plan);
  TlsSession client(dialling, TlsSession::End::client);
  std::string heard, out;
  client.receive({}, heard, out);
  server.feed(std::exchange(out, {}), 100'000);
  client.receive(std::exchange(server.down, {}), heard, out);
  client.send("GET /else HTTP/1.1\r\n\r\n", out);
  server.feed(out, 100'000);
  EXPECT_EQ(server.wrapping.state(), State::over);
  EXPECT_FALSE(server.wrapping.was_open());
  client.receive(server.down, heard, out);
  EXPECT_EQ(heard.rfind("HTTP/1.1 404 Not Found\r\n", 0), 0U);
  EXPECT_EQ(client.state(), TlsSession::State::ended);
}

}  // namespace
}  // namespace hf::wrapping
