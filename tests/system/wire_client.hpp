// A client in single packets over TCP: what libraries do not let a test do, such as AUTH.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "broker/mqtt/decoder.hpp"
#include "broker/mqtt/packet.hpp"

namespace hf::system_tests {

class WireClient {
 public:
  /// To 127.0.0.1:`port`; throws when nobody listens.
  explicit WireClient(std::uint16_t port, mqtt::Version version = mqtt::Version::v5);
  WireClient(const WireClient&) = delete;
  WireClient& operator=(const WireClient&) = delete;
  ~WireClient();

  void send(const mqtt::Packet& packet);
  /// The next packet; nothing when the connection has ended or nothing came in time.
  std::optional<mqtt::Packet> next(std::chrono::milliseconds patience = std::chrono::seconds(10));
  /// The next packet if it is of this type; any other is lost.
  template <class Packet>
  std::optional<Packet> next() {
    auto packet = next();
    if (!packet || !std::holds_alternative<Packet>(*packet)) return std::nullopt;
    return std::get<Packet>(*std::move(packet));
  }
  /// CONNECT; what CONNACK says, or nothing.
  std::optional<mqtt::Reason> connect(const std::string& id, std::optional<std::string> user = {}, std::optional<std::string> password = {});
  /// PUBLISH at QoS 1; what PUBACK says, or nothing.
  std::optional<mqtt::Reason> publish(const std::string& topic, const std::string& payload);
  /// SUBSCRIBE at QoS 1; the code of SUBACK, or nothing.
  std::optional<std::uint8_t> subscribe(const std::string& filter);
  /// The server has ended the connection.
  [[nodiscard]] bool ended() const { return ended_; }

 private:
  mqtt::Version version_;
  mqtt::Decoder decoder_{mqtt::Role::client};
  int socket_ = -1;
  bool ended_ = false;
};

/// Waits for a node that answers CONNECT: its routes stand then.
bool serves(std::uint16_t port);

}  // namespace hf::system_tests
