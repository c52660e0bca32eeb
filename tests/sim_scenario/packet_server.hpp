// A server of one node that takes packets and sends what a test has it send: no state, no disk, no time.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "broker/env/environment.hpp"
#include "broker/mqtt/decoder.hpp"
#include "broker/mqtt/encoder.hpp"

namespace hf::sim {

class PacketServer : public env::Handler {
 public:
  explicit PacketServer(env::Environment& environment) : environment_(environment) {}

  void on_start() override {}
  void on_accepted(StreamId, const env::Arrival&) override {}
  void on_connected(StreamId) override {}
  void on_closed(StreamId, env::CloseReason) override {}
  void on_writable(StreamId) override {}
  void on_committed(env::CommitId, env::CommitStatus) override {}
  void on_rows(env::ReadId, std::vector<env::Row>, env::ReadStatus) override {}
  void on_deadline() override {}
  void on_stop() override {}
  void end_turn() override {}
  [[nodiscard]] std::optional<Instant> deadline() const override { return std::nullopt; }
  [[nodiscard]] bool stopped() const override { return false; }

  void on_bytes(StreamId stream, const Bytes& bytes) override {
    mqtt::Decoder& decoder = decoders_.try_emplace(stream, mqtt::Role::server).first->second;
    decoder.feed(bytes);
    mqtt::Packet packet;
    while (decoder.next(packet) == mqtt::Decoded::packet) on_packet(stream, packet);
  }

 protected:
  virtual void on_packet(StreamId stream, const mqtt::Packet& packet) = 0;

  void send(StreamId stream, const mqtt::Packet& packet) {
    std::string bytes;
    mqtt::encode(packet, mqtt::Version::v5, bytes);
    environment_.send(stream, Bytes(std::move(bytes)));
  }

  env::Environment& environment_;

 private:
  std::map<StreamId, mqtt::Decoder> decoders_;
};

}  // namespace hf::sim
