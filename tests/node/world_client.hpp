// An MQTT client of nodes in a simulated world, driven packet by packet.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "broker/mqtt/decoder.hpp"
#include "broker/mqtt/encoder.hpp"
#include "sim/world/world.hpp"

namespace hf::sim {

/// Sends CONNECT once it is connected, dials again where nobody answers, and collects packets.
class WorldClient final : public ClientEnd {
 public:
  WorldClient(World& world, std::string name, std::string node, bool clean = true, std::uint32_t expiry_s = 0)
      : world_(world), name_(std::move(name)), node_(std::move(node)), clean_(clean), expiry_s_(expiry_s) {
    dial();
  }
  void on_connected(StreamId stream) override {
    stream_ = stream;
    decoder_ = mqtt::Decoder(mqtt::Role::client);
    mqtt::Connect connect;
    connect.client_id = name_;
    connect.clean_start = clean_;
    connect.will = will;
    connect.keep_alive = keep_alive;
    if (expiry_s_ != 0) connect.properties.edit().session_expiry_interval = expiry_s_;
    send(connect);
  }
  void on_bytes(StreamId, const Bytes& bytes) override {
    decoder_.feed(bytes);
    mqtt::Packet packet;
    while (decoder_.next(packet) == mqtt::Decoded::packet) {
      connacks += std::holds_alternative<mqtt::Connack>(packet) ? 1 : 0;
      subacks += std::holds_alternative<mqtt::Suback>(packet) ? 1 : 0;
      publishes += std::holds_alternative<mqtt::Publish>(packet) ? 1 : 0;
      if (on_packet) on_packet(packet);
    }
  }
  void on_closed(StreamId, env::CloseReason) override {
    if (on_close) on_close();
    if (gone_) return;
    world_.at(world_.now() + Duration(5ms).count(), [this] { dial(); });
  }
  void send(const mqtt::Packet& packet) {
    std::string bytes;
    mqtt::encode(packet, mqtt::Version::v5, bytes);
    send_bytes(std::move(bytes));
  }
  void send_bytes(std::string bytes) { world_.send(stream_, Bytes(std::move(bytes))); }
  void subscribe(std::string filter, std::uint8_t qos) {
    mqtt::Subscribe packet;
    packet.packet_id = 1;
    packet.subscriptions.push_back({.filter = std::move(filter), .qos = qos});
    send(packet);
  }
  void publish(std::string topic, std::uint8_t qos, mqtt::PacketId id = 0) {
    mqtt::Publish packet;
    packet.topic = std::move(topic);
    packet.payload = Bytes(std::string("now"));
    packet.qos = qos;
    packet.packet_id = id;
    send(packet);
  }
  /// Is gone without a word.
  void drop() {
    gone_ = true;
    world_.close(stream_);
  }
  /// Dials no more.
  void stay_away() { gone_ = true; }
  /// Says goodbye and stays away.
  void leave() {
    gone_ = true;
    send(mqtt::Disconnect{});
    world_.close(stream_);
  }
  std::optional<mqtt::Will> will;  ///< before it is connected
  std::uint16_t keep_alive = 0;     ///< likewise, in seconds
  int connacks = 0, subacks = 0, publishes = 0;
  std::function<void(const mqtt::Packet&)> on_packet;
  std::function<void()> on_close;

 private:
  void dial() { world_.dial_as_client(name_, node_, this); }
  World& world_;
  std::string name_, node_;
  bool clean_, gone_ = false;
  std::uint32_t expiry_s_;
  StreamId stream_ = 0;
  mqtt::Decoder decoder_{mqtt::Role::client};
};

}  // namespace hf::sim
