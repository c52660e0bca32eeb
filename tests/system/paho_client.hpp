// A client nobody here wrote: Paho MQTT C++, wrapped for tests. It keeps its session when it moves to another node.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace hf::system_tests {

enum class Speaks { v311, v5 };

/// Errors are exceptions (mqtt::exception), as Paho has it.
class PahoClient {
 public:
  /// Without `clean` the session is persistent, here and in the broker.
  PahoClient(std::string id, bool clean, Speaks version = Speaks::v311);
  PahoClient(const PahoClient&) = delete;
  PahoClient& operator=(const PahoClient&) = delete;
  ~PahoClient();

  /// Connects to 127.0.0.1:`port`; answers "session present".
  bool connect(std::uint16_t port);
  /// PEM files for TLS; those that are empty are not used.
  struct Tls {
    std::string ca, certificate, key;
  };
  /// To "ssl://127.0.0.1:8883", "wss://127.0.0.1:8084/mqtt" and the like.
  bool connect(const std::string& uri, const Tls& tls);
  /// Tries until it works.
  bool connect_patiently(std::uint16_t port, std::chrono::seconds patience);
  void disconnect();
  [[nodiscard]] bool connected() const;
  void subscribe(const std::string& filter, int qos);
  /// Returns when the broker has acknowledged (QoS 1: PUBACK, QoS 2: PUBCOMP).
  void publish(const std::string& topic, const std::string& payload, int qos, bool retain = false);
  /// Without waiting for the acknowledgement.
  void publish_soon(const std::string& topic, const std::string& payload, int qos);

  [[nodiscard]] const std::string& id() const { return id_; }
  /// Payloads received since construction, in order.
  [[nodiscard]] std::vector<std::string> received() const;
  [[nodiscard]] std::size_t count(const std::string& payload) const;
  [[nodiscard]] std::size_t total() const;

 private:
  struct Parts;
  std::string id_;
  bool clean_;
  Speaks version_;
  std::unique_ptr<Parts> parts_;
};

}  // namespace hf::system_tests
