// MQTT over every transport by clients nobody here wrote; what one says arrives on all others.
#include <sys/stat.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "tests/system/paho_client.hpp"
#include "tests/system/transports_node.hpp"

namespace hf::system_tests {
namespace {

class TransportsTest : public testing::Test {
 protected:
  void everybody_hears_everybody(const std::string& websocket);
  TransportsNode node_;
};

TEST_F(TransportsTest, paho_talks_over_tcp_tls_and_websocket) { everybody_hears_everybody("ws"); }
TEST_F(TransportsTest, paho_talks_over_tcp_tls_and_secure_websocket) { everybody_hears_everybody("wss"); }

/// One client over WebSocket at a time: Paho C 1.3.11 keeps the frames of all clients of a process in one list.
void TransportsTest::everybody_hears_everybody(const std::string& websocket) {
  const PahoClient::Tls trust{node_.authority.certificate(), "", ""};
  const PahoClient::Tls known{node_.authority.certificate(), node_.ann.certificate, node_.ann.key};
  struct Way {
    std::string uri;
    PahoClient::Tls tls;
  };
  const std::vector<Way> ways{{node_.uri("tcp", "plain"), {}},     {node_.uri("ssl", "secure"), trust},
                              {node_.uri("ssl", "strict"), known},
                              {node_.uri(websocket, websocket), websocket == "wss" ? trust : PahoClient::Tls{}}};
  for (const Speaks version : {Speaks::v311, Speaks::v5}) {
    std::vector<std::unique_ptr<PahoClient>> clients;
    for (const Way& way : ways) {
      clients.push_back(std::make_unique<PahoClient>("paho-" + std::to_string(clients.size()), true, version));
      ASSERT_NO_THROW(clients.back()->connect(way.uri, way.tls)) << way.uri << "\n" << node_.cluster().log(0);
      clients.back()->subscribe("all/#", 2);
    }
    const std::string large(10'000, 'l');
    for (std::size_t i = 0; i < clients.size(); ++i) {
      for (int qos = 0; qos <= 2; ++qos) clients[i]->publish("all/t", std::to_string(i) + "-" + std::to_string(qos), qos);
      clients[i]->publish("all/t", std::to_string(i) + large, 1);
    }
    for (std::size_t i = 0; i < clients.size(); ++i) {
      EXPECT_TRUE(eventually([&] { return clients[i]->total() >= 4 * clients.size(); })) << ways[i].uri << ": " << clients[i]->total();
      for (std::size_t from = 0; from < clients.size(); ++from) {
        EXPECT_EQ(clients[i]->count(std::to_string(from) + large), 1U) << ways[from].uri << " to " << ways[i].uri;
      }
    }
    for (const auto& client : clients) client->disconnect();
  }
}

TEST_F(TransportsTest, mosquitto_talks_over_tls_client_certificates_and_a_unix_socket) {
  const std::vector<std::vector<std::string>> ways{
      {"-p", std::to_string(node_.port("secure")), "--cafile", node_.authority.certificate()},
      {"-p", std::to_string(node_.port("strict")), "--cafile", node_.authority.certificate(), "--cert", node_.ann.certificate,
       "--key", node_.ann.key},
      {"--unix", node_.unix_path()}};
  for (std::size_t i = 0; i < ways.size(); ++i) {
    const std::string text = "kept-" + std::to_string(i);
    std::vector<std::string> pub{"mosquitto_pub", "-r", "-q", "1", "-t", text, "-m", text};
    pub.insert(pub.end(), ways[i].begin(), ways[i].end());
    int status = 0;
    std::string said = run_tool(pub, status);
    EXPECT_EQ(status, 0) << said << node_.cluster().log(0);
    const auto& other = ways[(i + 1) % ways.size()];
    std::vector<std::string> sub{"mosquitto_sub", "-C", "1", "-W", "10", "-t", text};
    sub.insert(sub.end(), other.begin(), other.end());
    said = run_tool(sub, status);
    EXPECT_EQ(status, 0) << said;
    EXPECT_EQ(said, text + "\n");
  }
}

TEST_F(TransportsTest, a_unix_socket_has_its_permissions_and_goes_with_the_node) {
  struct stat found {};
  ASSERT_EQ(::stat(node_.unix_path().c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777U, 0600U);
  const RawClient client(node_.unix_path());
  client.say(connect_packet("local"));
  EXPECT_EQ(client.hear(4), connack);
  node_.cluster().kill(0);
  ASSERT_EQ(::stat(node_.unix_path().c_str(), &found), 0) << "kill -9 leaves it behind";
  node_.cluster().start(0);
  EXPECT_TRUE(eventually([&] { return node_.cluster().log(0).rfind("clients at") != node_.cluster().log(0).find("clients at"); }))
      << "a stale socket is replaced:\n" << node_.cluster().log(0);
  EXPECT_EQ(node_.cluster().stop(0), 0);
  EXPECT_NE(::stat(node_.unix_path().c_str(), &found), 0);
}

TEST_F(TransportsTest, a_proxy_header_comes_first_in_either_version) {
  const std::string v1 = "PROXY TCP4 192.0.2.7 198.51.100.1 4711 1883\r\n";
  const std::string v2 = std::string("\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0C\xC0\x00\x02\x08\xC6\x33\x64\x01\x12\x68\x07\x5B", 28);
  for (const std::string& header : {v1, v2}) {
    for (const std::size_t step : {std::size_t{1000}, std::size_t{1}}) {
      const RawClient client(node_.port("proxy"));
      const std::string all = header + connect_packet("proxied");
      for (std::size_t at = 0; at < all.size(); at += step) client.say(std::string_view(all).substr(at, step));
      EXPECT_EQ(client.hear(4), connack);
    }
  }
  const RawClient without(node_.port("proxy"));
  without.say(connect_packet("direct"));
  EXPECT_EQ(without.hear(1), "") << "closed without a word";
  const RawClient broken(node_.port("proxy"));
  broken.say("PROXY TCP4 1.2.3.4 nonsense\r\n" + connect_packet("direct"));
  EXPECT_EQ(broken.hear(1), "");
  EXPECT_TRUE(eventually([&] { return node_.cluster().log(0).find("refused: no valid PROXY header") != std::string::npos; }));
}

}  // namespace
}  // namespace hf::system_tests
