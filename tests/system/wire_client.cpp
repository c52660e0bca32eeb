// A client in single packets over TCP.
#include "tests/system/wire_client.hpp"

#include <array>
#include <stdexcept>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "broker/mqtt/encoder.hpp"
#include "tests/system/processes.hpp"

namespace hf::system_tests {

WireClient::WireClient(std::uint16_t port, mqtt::Version version) : version_(version), socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  decoder_.set_version(version);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  if (::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) return;
  ::close(socket_);
  throw std::runtime_error("nobody listens at port " + std::to_string(port));
}

WireClient::~WireClient() { ::close(socket_); }

void WireClient::send(const mqtt::Packet& packet) {
  std::string bytes;
  mqtt::encode(packet, version_, bytes);
  static_cast<void>(::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL));
}

std::optional<mqtt::Packet> WireClient::next(std::chrono::milliseconds patience) {
  const auto until = std::chrono::steady_clock::now() + patience;
  while (true) {
    mqtt::Packet packet;
    if (decoder_.next(packet) == mqtt::Decoded::packet) return packet;
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
    pollfd waiting{socket_, POLLIN, 0};
    if (ended_ || left.count() <= 0 || ::poll(&waiting, 1, static_cast<int>(left.count())) <= 0) return std::nullopt;
    std::array<char, 4096> part;
    const ssize_t got = ::recv(socket_, part.data(), part.size(), 0);
    ended_ = got <= 0;
    if (got > 0) decoder_.feed(Bytes::copy({part.data(), static_cast<std::size_t>(got)}));
  }
}

std::optional<mqtt::Reason> WireClient::connect(const std::string& id, std::optional<std::string> user, std::optional<std::string> password) {
  mqtt::Connect packet;
  packet.version = version_;
  packet.client_id = id;
  packet.username = std::move(user);
  packet.password = std::move(password);
  send(packet);
  const auto connack = next<mqtt::Connack>();
  return connack ? std::optional(connack->reason) : std::nullopt;
}

std::optional<mqtt::Reason> WireClient::publish(const std::string& topic, const std::string& payload) {
  mqtt::Publish packet;
  packet.topic = topic;
  packet.payload = Bytes::copy(payload);
  packet.qos = 1;
  packet.packet_id = 1;
  send(packet);
  while (auto answer = next())
    if (const auto* puback = std::get_if<mqtt::Puback>(&*answer)) return puback->reason;
  return std::nullopt;
}

std::optional<std::uint8_t> WireClient::subscribe(const std::string& filter) {
  mqtt::Subscribe packet;
  packet.packet_id = 1;
  packet.subscriptions.push_back({.filter = filter, .qos = 1});
  send(packet);
  const auto suback = next<mqtt::Suback>();
  return suback && suback->codes.size() == 1 ? std::optional(suback->codes.front()) : std::nullopt;
}

bool serves(std::uint16_t port) {
  return eventually([&] {
    try {
      WireClient client(port);
      return client.connect("probe").has_value();
    } catch (const std::runtime_error&) {
      return false;
    }
  });
}

}  // namespace hf::system_tests
