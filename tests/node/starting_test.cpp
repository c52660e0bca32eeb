// Nodes that start at different moments: whoever serves clients knows what the others' clients have asked for.
#include <gtest/gtest.h>

#include "broker/mqtt/decoder.hpp"
#include "broker/mqtt/encoder.hpp"
#include "sim/world/shard_factory.hpp"
#include "sim/world/world.hpp"

namespace hf::sim {
namespace {

/// Sends CONNECT once it is connected, dials again where nobody answers, and collects packets.
class Client final : public ClientEnd {
 public:
  Client(World& world, std::string name, std::string node) : world_(world), name_(std::move(name)), node_(std::move(node)) { dial(); }
  void on_connected(StreamId stream) override {
    stream_ = stream;
    decoder_ = mqtt::Decoder(mqtt::Role::client);
    mqtt::Connect connect;
    connect.client_id = name_;
    connect.clean_start = true;
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
    world_.at(world_.now() + Duration(5ms).count(), [this] { dial(); });
  }
  void send(const mqtt::Packet& packet) {
    std::string bytes;
    mqtt::encode(packet, mqtt::Version::v5, bytes);
    world_.send(stream_, Bytes(std::move(bytes)));
  }
  int connacks = 0, subacks = 0, publishes = 0;
  std::function<void(const mqtt::Packet&)> on_packet;

 private:
  void dial() { world_.dial_as_client(name_, node_, this); }
  World& world_;
  std::string name_, node_;
  StreamId stream_ = 0;
  mqtt::Decoder decoder_{mqtt::Role::client};
};

/// Does a message of QoS 0, published at n2 the moment n1 has acknowledged the subscription, arrive?
bool arrives(std::uint64_t seed) {
  History history;
  World world(seed, history, shard_factory());
  node::Config config;
  config.slots = 16;
  for (NodeId id = 1; id <= 3; ++id) config.members.push_back({id, "n" + std::to_string(id), "n" + std::to_string(id), "z"});
  for (NodeId id = 1; id <= 3; ++id) {
    config.id = id;
    world.add_node("n" + std::to_string(id), config);
  }
  // Two meet the third long before they meet each other.
  faultnet::Wire far;
  far.latency = 100ms;
  world.set_wire("n1", "n2", far);
  world.set_wire("n2", "n1", far);
  DrawSequence& draws = world.draws().of("start", "nodes");
  for (NodeId id = 1; id <= 3; ++id)
    world.at(static_cast<VirtualTime>(draws.between(0, Duration(400ms).count())), [&world, id] { world.start("n" + std::to_string(id)); });
  Client subscriber(world, "subscriber", "n1"), publisher(world, "publisher", "n2");
  bool published = false;
  const auto go_on = [&] {
    if (subscriber.subacks == 0 || publisher.connacks == 0 || std::exchange(published, true)) return;
    mqtt::Publish message;
    message.topic = "t";
    message.payload = Bytes(std::string("now"));
    publisher.send(message);
  };
  subscriber.on_packet = [&](const mqtt::Packet& packet) {
    if (std::holds_alternative<mqtt::Connack>(packet)) {
      mqtt::Subscribe subscribe;
      subscribe.packet_id = 1;
      subscribe.subscriptions.push_back({.filter = "t", .qos = 0});
      subscriber.send(subscribe);
    }
    go_on();
  };
  publisher.on_packet = [&](const mqtt::Packet&) { go_on(); };
  world.run_for(10s);
  EXPECT_TRUE(published) << "seed " << seed;
  return subscriber.publishes == 1;
}

TEST(Starting, who_serves_its_first_client_has_met_its_neighbours_neighbours) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) EXPECT_TRUE(arrives(seed)) << "seed " << seed;
}

}  // namespace
}  // namespace hf::sim
