// One node of holdfastd that listens on every transport, and bytes spoken to it by hand.
#include "tests/system/transports_node.hpp"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace hf::system_tests {

RawClient::RawClient(std::uint16_t port) : handle_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(::connect(handle_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0) << std::strerror(errno);
}

RawClient::RawClient(const std::string& unix_path) : handle_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  unix_path.copy(address.sun_path, sizeof address.sun_path - 1);
  EXPECT_EQ(::connect(handle_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0) << std::strerror(errno);
}

RawClient::~RawClient() { ::close(handle_); }

void RawClient::say(std::string_view bytes) const {
  static_cast<void>(::send(handle_, bytes.data(), bytes.size(), MSG_NOSIGNAL));
}

std::string RawClient::hear(std::size_t size, Seconds patience) const {
  const timeval limit{patience.count(), 0};
  ::setsockopt(handle_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  std::string text(size, '\0');
  std::size_t have = 0;
  while (have < size) {
    const ssize_t got = ::recv(handle_, text.data() + have, size - have, 0);
    if (got <= 0) break;
    have += static_cast<std::size_t>(got);
  }
  text.resize(have);
  return text;
}

bool RawClient::ended(Seconds patience) const {
  const auto end = std::chrono::steady_clock::now() + patience;
  while (true) {
    const auto left = std::chrono::duration_cast<Seconds>(end - std::chrono::steady_clock::now()) + Seconds(1);
    if (left <= Seconds(0)) return false;
    const timeval limit{left.count(), 0};
    ::setsockopt(handle_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    char bytes[1024];
    const ssize_t got = ::recv(handle_, bytes, sizeof bytes, 0);
    if (got == 0) return true;
    if (got < 0) return errno != EAGAIN && errno != EWOULDBLOCK;
  }
}

std::string connect_packet(const std::string& client_id) {
  const std::string body = std::string("\x00\x04MQTT\x04\x02\x00\x3C\x00", 11) + static_cast<char>(client_id.size()) + client_id;
  return std::string("\x10") + static_cast<char>(body.size()) + body;
}

TransportsNode::TransportsNode() {
  const auto ports = free_ports(7);
  std::size_t next = 0;
  for (const char* name : {"plain", "secure", "strict", "ws", "wss", "proxy", "wsproxy"}) ports_[name] = ports[next++];
  authority.revoked();
  const std::string file = authority.directory() + "/node.json";
  const std::string ours = R"("certificate": ")" + node.certificate + R"(", "key": ")" + node.key + '"';
  const auto at = [&](const char* name) { return R"({"name": ")" + std::string(name) + R"(", "port": )" + std::to_string(port(name)); };
  std::ofstream(file) << R"({"listen": {"bind": "127.0.0.1"}, "access.anonymous": true, "listeners": [)" << at("plain") << "},\n"
                      << at("secure") << R"(, "tls": {)" << ours << "}},\n"
                      << at("strict") << R"(, "tls": {)" << ours << R"(, "ca": ")" << authority.certificate() << R"(", "crl": ")"
                      << authority.directory() << R"(/revoked.pem", "client_certificate": "required", "user_from": "common_name"}},)"
                      << at("ws") << R"(, "protocol": "websocket"},)"
                      << at("wss") << R"(, "protocol": "websocket", "tls": {)" << ours << "}},\n"
                      << at("proxy") << R"(, "proxy_protocol": true},)"
                      << at("wsproxy") << R"(, "protocol": "websocket", "proxy_protocol": true, "tls": {)" << ours << "}},\n"
                      << R"({"name": "local", "unix": ")" << unix_path() << R"(", "unix_mode": "0600"}]})";
  cluster_ = std::make_unique<Cluster>(1, std::vector<std::string>{"--config", file});
  cluster_->start_all();
  if (!eventually([&] { return cluster_->log(0).find("clients at") != std::string::npos; })) {
    ADD_FAILURE() << cluster_->log(0);
  }
  EXPECT_TRUE(eventually([&] { return alive(); })) << cluster_->log(0);
}

std::string TransportsNode::uri(const std::string& scheme, const std::string& listener) const {
  const bool http = scheme[0] == 'w';
  return scheme + "://127.0.0.1:" + std::to_string(port(listener)) + (http ? "/mqtt" : "");
}

bool TransportsNode::reload(const std::string& words) {
  const std::size_t before = cluster_->log(0).size();
  cluster_->signal(0, SIGHUP);
  return eventually([&] { return cluster_->log(0).find(words, before) != std::string::npos; });
}

bool TransportsNode::alive() const {
  const RawClient client(port("plain"));
  client.say(connect_packet("alive"));
  return client.hear(4) == connack;
}

std::string TransportsNode::s_client(const std::string& listener, const std::string& options) const {
  int status = 0;
  // It ends when its input does; until then alerts of the other end are printed too.
  return run_tool({"sh", "-c", "sleep 0.5 | openssl s_client -connect 127.0.0.1:" + std::to_string(port(listener)) + " -CAfile " +
                                   authority.certificate() + " " + options + " 2>&1"},
                  status);
}

}  // namespace hf::system_tests
