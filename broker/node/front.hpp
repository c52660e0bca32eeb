// The front: clients' connections. It decodes, asks the coordinators, and writes what it is given.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "broker/base/bytes.hpp"
#include "broker/env/environment.hpp"
#include "broker/mqtt/decoder.hpp"
#include "broker/mqtt/packet.hpp"
#include "broker/node/message.pb.h"
#include "broker/node/requests.hpp"
#include "broker/slot/state.hpp"

namespace hf::node {

struct ShardParts;

/// A PUBLISH of a client that is not acknowledged yet. Acknowledgements of one QoS leave in order [MQTT-4.6.0-2].
struct Unacknowledged {
  std::uint16_t packet_id = 0;
  std::uint8_t qos = 1;
  std::uint32_t matched = 0;
  bool complete = false;
};

/// What was written on this connection under a packet id of ours, so that a new coordinator that sends it
/// again is told what the client said instead of the client being told twice.
struct Written {
  enum class Step : std::uint8_t { publish, puback, pubrec, pubrel, pubcomp };
  slot::Name name;
  Step step = Step::publish;
  [[nodiscard]] bool open() const { return name.dot.seq != 0 && step != Step::puback && step != Step::pubcomp; }
};

struct Connection {
  enum class Phase : std::uint8_t { fresh, opening, open, closing };
  StreamId stream = 0;
  Phase phase = Phase::fresh;
  mqtt::Decoder decoder;
  mqtt::Connect connect;  ///< the will's payload included
  mqtt::Version version = mqtt::Version::v5;
  std::string client;
  std::string session_key;  ///< in session_slot
  SlotId home = 0;          ///< slot of the client id
  SlotId session_slot = 0;  ///< home, or the local slot for connection-bound sessions
  bool bound = false;
  slot::pb::Connect record;
  slot::Stamp connected;
  bool session_present = false;
  std::string out;
  std::deque<std::shared_ptr<Unacknowledged>> publishes[2];  ///< QoS 1; QoS 2: one must not hold up the other
  std::map<std::uint16_t, Written> written;
  std::uint32_t outstanding = 0;  ///< of `written`: not finished by the client
  std::deque<pb::Deliver> held;   ///< beyond the client's receive maximum, or under an id still in use
  pb::Acks acks;
  Instant last_heard{};
  Duration silence_max{};  ///< 0: none
  std::optional<std::uint32_t> expiry_override;
  bool will_armed = false;
  bool paused = false;

  Connection(StreamId id, std::uint32_t max_packet_size)
      : stream(id), decoder(mqtt::Role::server, max_packet_size) {}
};

class Front {
 public:
  explicit Front(ShardParts& parts) : parts_(parts) {}

  void accepted(StreamId stream);
  void bytes(StreamId stream, const Bytes& bytes);
  void closed(StreamId stream);
  [[nodiscard]] bool owns(StreamId stream) const { return connections_.contains(stream); }

  /// A packet from the session's coordinator; from anybody else it is dropped: the coordinator sends it again.
  void deliver(NodeId from, const pb::Deliver& deliver, const slot::pb::Message& message);
  void on_kick(const pb::Kick& kick);
  /// What a new coordinator of the slot must hear of first: the connections here that live there.
  [[nodiscard]] Requests::Batch attachments(SlotId slot);
  /// Every slot's routes are known: clients may be served.
  void routes_complete();
  void tick();
  [[nodiscard]] std::optional<Instant> deadline() const;
  /// Hands acknowledgements to coordinators, and bytes to the environment.
  void gather();
  void flush();
  void stop();

 private:
  void process(Connection& connection);
  void handle(Connection& connection, mqtt::Packet& packet);
  void on_connect(Connection& connection, mqtt::Connect& packet);
  void opened(StreamId stream, const pb::Reply& reply);
  void accept(Connection& connection);
  void refuse(Connection& connection, mqtt::Reason reason);
  std::pair<pb::Request, Requests::Then> attachment(Connection& connection);
  void superseded(StreamId stream);
  void on_publish(Connection& connection, const mqtt::Publish& packet);
  void route(Connection& connection, const slot::pb::Message& message, std::shared_ptr<Unacknowledged> waiting);
  void acknowledge(Connection& connection);
  [[nodiscard]] static std::size_t unacknowledged(const Connection& connection);
  void on_pubrel(Connection& connection, const mqtt::Pubrel& packet);
  void write_publish(Connection& connection, const pb::Deliver& deliver, const slot::pb::Message& message);
  void release_held(Connection& connection);
  void on_ack(Connection& connection, pb::Ack::Kind kind, std::uint16_t id, bool failed);
  void on_subscribe(Connection& connection, const mqtt::Subscribe& packet);
  void on_unsubscribe(Connection& connection, const mqtt::Unsubscribe& packet);
  void on_disconnect(Connection& connection, const mqtt::Disconnect& packet);
  pb::Request request_for(const Connection& connection) const;
  /// Says why (to a 5.0 client) and closes.
  void fail(Connection& connection, mqtt::Reason reason, std::string_view text);
  void finish(Connection& connection, bool send_will);
  void arm(Connection& connection, Instant when);
  template <class Packet>
  void write(Connection& connection, const Packet& packet);
  Connection* find(StreamId stream);

  ShardParts& parts_;
  std::map<StreamId, std::unique_ptr<Connection>> connections_;
  std::map<SlotId, std::set<StreamId>> by_home_;
  std::set<std::pair<Instant, StreamId>> timers_;
  std::set<StreamId> dirty_, with_acks_;
  std::uint64_t assigned_ids_ = 0;
};

/// Between a PUBLISH and what is stored and sent to other nodes.
[[nodiscard]] slot::pb::Message stored_message(const mqtt::Publish& packet, std::string_view publisher, std::uint64_t wall_ms);
/// The PUBLISH to send, or nothing where it has expired.
[[nodiscard]] std::optional<mqtt::Publish> publish_packet(const pb::Deliver& deliver, const slot::pb::Message& message,
                                                          mqtt::Version version, std::uint64_t wall_ms);

}  // namespace hf::node
