// The front: clients' connections. It decodes, asks the coordinators, and writes what it is given.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "broker/access/guard.hpp"
#include "broker/base/bytes.hpp"
#include "broker/env/environment.hpp"
#include "broker/mqtt/encoder.hpp"
#include "broker/mqtt/packet.hpp"
#include "broker/node/connection.hpp"
#include "broker/node/inspection.hpp"
#include "broker/node/message.pb.h"
#include "broker/node/pressure.hpp"
#include "broker/node/requests.hpp"
#include "broker/slot/state.hpp"

namespace hf::node {

struct ShardParts;

/// Why a request of a client is not carried out.
struct Refusal {
  mqtt::Reason reason = mqtt::Reason::success;
  std::string text;
};

class Front {
 public:
  explicit Front(ShardParts& parts);

  void accepted(StreamId stream, const env::Arrival& arrival);
  void bytes(StreamId stream, const Bytes& bytes);
  /// The transport says that it is over.
  void lost(StreamId stream, env::CloseReason reason);
  [[nodiscard]] bool owns(StreamId stream) const { return connections_.contains(stream); }

  /// A packet from the session's coordinator; from anybody else it is dropped: the coordinator sends it again.
  void deliver(NodeId from, const pb::Deliver& deliver, const slot::pb::Message& message);
  void on_kick(const pb::Kick& kick);
  void on_mark(NodeId from, pb::RetainedMark mark);
  /// What a new coordinator of the slot must hear of first: the connections here that live there.
  [[nodiscard]] Requests::Batch attachments(SlotId slot);
  /// Every slot's routes are known: clients may be served.
  void routes_complete();
  void guard_changed();
  /// Its client reads again.
  void writable(StreamId stream);
  void set_pressure(Pressure pressure);
  [[nodiscard]] Pressure pressure() const { return pressure_; }
  void tick();
  [[nodiscard]] std::optional<Instant> deadline() const;
  /// Hands acknowledgements to coordinators, and bytes to the environment.
  void gather();
  void flush();
  /// Everybody is sent away: to `mqtt.server_reference` if there is one (0x9C, or 0x9D if that is for ever), else with 0x8B.
  /// Who comes later is answered the same. At once, or one after the other at an even pace until `over` has passed.
  void send_away(Duration over);
  /// Some are still to be sent away.
  [[nodiscard]] bool draining() const { return leave_.has_value(); }

  // --- for inspection
  using Connections = std::map<StreamId, std::unique_ptr<Connection>>;
  [[nodiscard]] const Connections& connections() const { return connections_; }
  [[nodiscard]] const Connection* of_client(std::string_view client) const;
  [[nodiscard]] std::size_t size() const { return connections_.size(); }
  [[nodiscard]] std::size_t pending() const { return pending_; }
  [[nodiscard]] bool away() const { return away_.has_value(); }
  /// By an operator's word. False: it has no connection here.
  bool disconnect(std::string_view client);

 private:
  void process(Connection& connection);
  [[nodiscard]] std::optional<Refusal> crowded(const mqtt::Connect& packet);
  [[nodiscard]] std::optional<Refusal> no_room() const;
  void pause(Connection& connection, Pause why, bool on);
  void tell_begun(Connection& connection);
  void note_partial(Connection& connection);
  void spend_publish(Connection& connection);
  [[nodiscard]] bool short_of_memory(Connection& connection, const mqtt::Publish& packet);
  void check_time(Connection& connection, Instant now);
  void send_credit(const Connection& connection);
  /// Hands what is written to the environment.
  void put_out(Connection& connection);
  /// What waited for the client to read goes back to who asked.
  void return_marks(Connection& connection);
  /// A message that this client does not get is done with, and counted; and told in the log if that is not the usual course.
  void lose(Connection& connection, const pb::Deliver& deliver, std::uint64_t& counter, std::string_view log_text = {});
  [[nodiscard]] static access::Who who(const Connection& connection) {
    return {connection.grant.user, connection.client, connection.grant.rules.get()};
  }
  [[nodiscard]] bool may_publish(const Connection& connection, std::string_view topic) const;
  void handle(Connection& connection, mqtt::Packet& packet);
  void on_connect(Connection& connection, mqtt::Connect& packet);
  [[nodiscard]] std::optional<Refusal> connect_refusal(const mqtt::Connect& packet) const;
  [[nodiscard]] std::optional<Refusal> will_refusal(const Connection& connection, const mqtt::Connect& packet) const;
  [[nodiscard]] std::optional<Refusal> login_refusal(Connection& connection);
  [[nodiscard]] access::Applicant applicant(const Connection& connection) const;
  /// Begins the method that the client names; false: there is none such.
  [[nodiscard]] bool begin_exchange(Connection& connection);
  /// Hands the client's data to the exchange that goes on, and says what comes of it.
  void step(Connection& connection, const mqtt::Properties& properties);
  void proved(Connection& connection, std::string data);
  void on_auth(Connection& connection, const mqtt::Auth& packet);
  void let_in(Connection& connection, access::Grant grant);
  [[nodiscard]] std::uint32_t session_expiry(const mqtt::Connect& packet) const;
  [[nodiscard]] std::uint16_t keep_alive(const mqtt::Connect& packet) const;
  /// The client is who it says: its session is asked for.
  void open(Connection& connection);
  void opened(StreamId stream, const pb::Reply& reply);
  void accept(Connection& connection);
  [[nodiscard]] mqtt::Connack connack(const Connection& connection) const;
  /// CONNACK with an error code, then the end.
  void refuse(Connection& connection, mqtt::Reason reason, std::string_view text);
  std::pair<pb::Request, Requests::Then> attachment(Connection& connection, bool with_will = false);
  void superseded(StreamId stream);
  void on_publish(Connection& connection, mqtt::Publish& packet);
  [[nodiscard]] bool within_receive_maximum(Connection& connection, const mqtt::Publish& packet) const;
  /// Puts the topic in the place of its alias; false: the connection is over.
  [[nodiscard]] bool resolve_alias(Connection& connection, mqtt::Publish& packet);
  [[nodiscard]] std::optional<Refusal> publish_refusal(const Connection& connection, const mqtt::Publish& packet) const;
  [[nodiscard]] std::optional<Refusal> topic_refusal(std::string_view topic) const;
  /// Not published, and said so where the protocol can.
  void deny(Connection& connection, const mqtt::Publish& packet, const Refusal& refusal);
  static void short_of_room(Unacknowledged& one, std::string_view text);
  void route(Connection& connection, const slot::pb::Message& message, std::shared_ptr<Unacknowledged> waiting);
  void acknowledge(Connection& connection);
  void on_pubrel(Connection& connection, const mqtt::Pubrel& packet);
  void write_publish(Connection& connection, const pb::Deliver& deliver, const slot::pb::Message& message);
  void spoil_expiry(const pb::Deliver& deliver, const slot::pb::Message& message, mqtt::Version version,
                    std::optional<mqtt::Publish>& packet) const;
  void release_held(Connection& connection);
  void forget_written(StreamId stream, const pb::Acks& acks);
  void ask(Connection& connection, pb::Request request, std::size_t weight, std::function<void(Connection&, const pb::Reply&)> then);
  void read_on(Connection& connection);
  void settle_doubts(Connection& connection, const pb::Reply& reply);
  void doubt(Connection& connection, std::uint16_t id, bool failed);
  void unknown(Connection& connection, std::uint16_t id);
  void on_ack(Connection& connection, pb::Ack::Kind kind, std::uint16_t id, bool failed);
  void acknowledge(Connection& connection, pb::Ack::Kind kind, std::uint16_t id, bool failed);
  [[nodiscard]] std::optional<Refusal> subscribe_refusal(const Connection& connection, const mqtt::Subscribe& packet) const;
  [[nodiscard]] mqtt::Reason filter_answer(const Connection& connection, const mqtt::Subscription& one) const;
  void on_subscribe(Connection& connection, const mqtt::Subscribe& packet);
  void on_unsubscribe(Connection& connection, const mqtt::Unsubscribe& packet);
  void on_disconnect(Connection& connection, const mqtt::Disconnect& packet);
  pb::Request request_for(const Connection& connection) const;
  /// Says why (to a 5.0 client) and closes.
  void fail(Connection& connection, mqtt::Reason reason, std::string_view text);
  void finish(Connection& connection);
  void closed(StreamId stream);
  bool said_goodbye(Connection& connection);
  void arm(Connection& connection, Instant when);
  void disarm(const Connection& connection);
  template <class Packet>
  void write(Connection& connection, Packet packet);
  /// Untrimmed, and not marked as to be flushed.
  template <class Packet>
  void put(Connection& connection, const Packet& packet);
  /// Counts a packet. True: somebody follows some client.
  [[nodiscard]] bool counted(Inspection::Direction direction);
  void show(const Connection& connection, Inspection::Direction direction, const mqtt::Packet& packet) const;
  Connection* find(StreamId stream);
  // front_logging.cpp
  void log(const Connection& connection, env::Level level, std::string_view event, std::string_view text) const;
  void log_connected(const Connection& connection) const;
  void log_refused(const Connection& connection, mqtt::Reason reason, std::string_view why) const;
  /// `by`: "disconnected by the client", say.
  void log_disconnected(const Connection& connection, env::Level level, std::string_view by, mqtt::Reason reason, std::string_view why) const;
  void log_lost(const Connection& connection, env::CloseReason reason) const;
  /// `more`: filters of the same packet that were denied too.
  void log_denied(const Connection& connection, std::string_view event, std::string_view topic, const Refusal& refusal, std::size_t more = 0) const;

  ShardParts& parts_;
  Connections connections_;
  std::map<SlotId, std::set<StreamId>> by_home_;
  std::set<std::pair<Instant, StreamId>> timers_;
  std::set<StreamId> dirty_, with_acks_;
  std::set<StreamId> doomed_;  ///< something they must be told is larger than they take
  std::size_t pending_ = 0;  ///< connections in phase fresh
  Rate connects_;
  Pressure pressure_ = Pressure::none;
  std::vector<StreamId> held_;  ///< paused for memory
  std::optional<mqtt::Reason> away_;  ///< everybody is being sent away
  /// The drain under way: `sent` of `total` by now.
  struct Leave {
    Instant begin;
    Duration over{};
    std::size_t total = 0, sent = 0;
    [[nodiscard]] Instant next() const {
      return total == 0 ? begin + over : begin + over * static_cast<std::int64_t>(sent + 1) / static_cast<std::int64_t>(total);
    }
  };
  std::optional<Leave> leave_;
  void leave_on(Instant now);
};

template <class Packet>
void Front::write(Connection& connection, Packet packet) {
  if constexpr (requires { packet.properties; })
    if (!trim(packet, connection.allowance, connection.version)) {
      doomed_.insert(connection.stream);  // silence would leave the client waiting
      return;
    }
  put(connection, packet);
  dirty_.insert(connection.stream);
}

template <class Packet>
void Front::put(Connection& connection, const Packet& packet) {
  if (counted(Inspection::Direction::out)) show(connection, Inspection::Direction::out, packet);
  mqtt::encode(packet, connection.version, connection.out);
}

/// What the session's slot keeps of a will: its expiry is counted from when it is published.
[[nodiscard]] slot::pb::Message stored_will(const mqtt::Will& will, std::string_view client);
/// Between a PUBLISH and what is stored and sent to other nodes.
[[nodiscard]] slot::pb::Message stored_message(const mqtt::Publish& packet, std::string_view publisher, std::uint64_t wall_ms);
/// The PUBLISH to send, or nothing where it has expired.
[[nodiscard]] std::optional<mqtt::Publish> publish_packet(const pb::Deliver& deliver, const slot::pb::Message& message,
                                                          mqtt::Version version, std::uint64_t wall_ms);

}  // namespace hf::node
