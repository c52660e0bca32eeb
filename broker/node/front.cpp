// The front: connections from accept to close.
#include "broker/node/front.hpp"

#include <algorithm>

#include "broker/mqtt/encoder.hpp"
#include "broker/node/parts.hpp"

namespace hf::node {

namespace {
constexpr std::uint32_t never = 0xFFFFFFFF;
constexpr std::size_t publishes_max = 1000;  ///< unacknowledged per connection, then it is read no further
}  // namespace

template <class Packet>
void Front::write(Connection& connection, const Packet& packet) {
  mqtt::encode(packet, connection.version, connection.out);
  dirty_.insert(connection.stream);
}

Connection* Front::find(StreamId stream) {
  const auto it = connections_.find(stream);
  return it == connections_.end() ? nullptr : it->second.get();
}

void Front::accepted(StreamId stream) {
  auto connection = std::make_unique<Connection>(stream, parts_.config.max_packet_size);
  if (connections_.size() >= parts_.config.max_connections) {
    parts_.env.close(stream, false);
    return;
  }
  connection->last_heard = parts_.env.now();
  connection->silence_max = parts_.config.connect_timeout;
  arm(*connection, connection->last_heard + connection->silence_max);
  connections_.emplace(stream, std::move(connection));
  parts_.counters.connections = connections_.size();
}

void Front::arm(Connection& connection, Instant when) { timers_.insert({when, connection.stream}); }

void Front::bytes(StreamId stream, const Bytes& bytes) {
  Connection* connection = find(stream);
  if (connection == nullptr || connection->phase == Connection::Phase::closing) return;
  connection->decoder.feed(bytes);
  process(*connection);
}

void Front::process(Connection& connection) {
  // Nothing is taken from a client before every slot's routes stand: it could be acknowledged and dropped.
  const StreamId stream = connection.stream;
  while (parts_.routes.complete()) {
    if (connection.phase == Connection::Phase::opening || connection.phase == Connection::Phase::closing) return;
    if (unacknowledged(connection) >= publishes_max) {
      connection.paused = true;
      parts_.env.pause_reading(stream, true);
      return;
    }
    mqtt::Packet packet;
    const mqtt::Decoded decoded = connection.decoder.next(packet);
    if (decoded == mqtt::Decoded::need_more) return;
    if (decoded == mqtt::Decoded::failed) {
      const auto& error = connection.decoder.error();
      if (connection.phase == Connection::Phase::fresh) {
        // 3.1.1 has a return code for the protocol level alone: else no CONNACK [MQTT-3.1.4-1], [MQTT-3.2.2-6].
        if (error.version == mqtt::Version::v5 ||
            (error.version && error.reason == mqtt::Reason::unsupported_protocol_version)) {
          connection.version = *error.version;
          return refuse(connection, error.reason);
        }
        return finish(connection, false);
      }
      return fail(connection, error.reason, error.text);
    }
    connection.last_heard = parts_.env.now();  // whole packets count, dripping bytes do not [MQTT-3.1.2-22]
    handle(connection, packet);
    if (find(stream) == nullptr) return;
  }
}

void Front::routes_complete() {
  std::vector<StreamId> all;
  for (const auto& [stream, connection] : connections_) all.push_back(stream);
  for (const StreamId stream : all)
    if (Connection* connection = find(stream)) process(*connection);
}

void Front::handle(Connection& connection, mqtt::Packet& packet) {
  if (auto* connect = std::get_if<mqtt::Connect>(&packet)) return on_connect(connection, *connect);
  if (const auto* publish = std::get_if<mqtt::Publish>(&packet)) return on_publish(connection, *publish);
  if (const auto* ack = std::get_if<mqtt::Puback>(&packet))
    return on_ack(connection, pb::Ack::PUBACK, ack->packet_id, mqtt::is_error(ack->reason));
  if (const auto* rec = std::get_if<mqtt::Pubrec>(&packet))
    return on_ack(connection, pb::Ack::PUBREC, rec->packet_id, mqtt::is_error(rec->reason));
  if (const auto* rel = std::get_if<mqtt::Pubrel>(&packet)) return on_pubrel(connection, *rel);
  if (const auto* comp = std::get_if<mqtt::Pubcomp>(&packet))
    return on_ack(connection, pb::Ack::PUBCOMP, comp->packet_id, false);
  if (const auto* subscribe = std::get_if<mqtt::Subscribe>(&packet)) return on_subscribe(connection, *subscribe);
  if (const auto* unsubscribe = std::get_if<mqtt::Unsubscribe>(&packet)) return on_unsubscribe(connection, *unsubscribe);
  if (std::holds_alternative<mqtt::Pingreq>(packet)) return write(connection, mqtt::Pingresp{});
  if (const auto* disconnect = std::get_if<mqtt::Disconnect>(&packet)) return on_disconnect(connection, *disconnect);
  // AUTH without an authentication method agreed on [MQTT-4.12.0-6].
  fail(connection, mqtt::Reason::protocol_error, "unexpected packet");
}

pb::Request Front::request_for(const Connection& connection) const {
  pb::Request request;
  request.set_client(connection.session_key);
  request.set_connection(connection.stream);
  return request;
}

void Front::on_connect(Connection& connection, mqtt::Connect& packet) {
  connection.version = packet.version;
  ++parts_.counters.connects;
  const bool v5 = packet.version == mqtt::Version::v5;
  if (packet.properties->authentication_method) return refuse(connection, mqtt::Reason::bad_authentication_method);
  if (packet.client_id.find('\x1f') != std::string::npos || packet.client_id.size() > 1024)
    return refuse(connection, mqtt::Reason::client_identifier_not_valid);
  if (packet.client_id.empty()) {
    if (!v5 && !packet.clean_start) return refuse(connection, mqtt::Reason::client_identifier_not_valid);
    connection.client = "auto-" + std::to_string(parts_.self.node) + "-" + std::to_string(parts_.self.boot) + "-" +
                        std::to_string(++assigned_ids_);
  } else {
    connection.client = packet.client_id;
  }
  if (packet.will && packet.will->retain && v5) return refuse(connection, mqtt::Reason::retain_not_supported);
  std::uint32_t expiry = v5 ? packet.properties->session_expiry_interval.value_or(0) : (packet.clean_start ? 0 : never);
  expiry = std::min(expiry, parts_.config.session_expiry_max);
  connection.bound = packet.clean_start && expiry == 0;
  connection.home = parts_.slots.slot_of(connection.client);
  connection.session_slot = connection.bound ? parts_.local_slot() : connection.home;
  connection.session_key = connection.bound ? connection.client + '\x1f' + std::to_string(connection.stream) : connection.client;
  connection.phase = Connection::Phase::opening;
  connection.silence_max = std::chrono::milliseconds(std::int64_t{packet.keep_alive} * 1500);
  connection.last_heard = parts_.env.now();
  if (packet.keep_alive != 0) arm(connection, connection.last_heard + connection.silence_max);

  slot::pb::Connect& record = connection.record;
  record.set_clean(packet.clean_start);
  record.set_bound(connection.bound);
  record.mutable_front()->set_node(parts_.self.node);
  record.mutable_front()->set_boot(parts_.self.boot);
  record.mutable_front()->set_connection(connection.stream);
  record.set_expiry_s(expiry);
  record.set_receive_maximum(packet.properties->receive_maximum.value_or(0));
  record.set_version(static_cast<std::uint32_t>(packet.version));
  record.set_keep_alive_s(packet.keep_alive);
  record.set_maximum_packet_size(packet.properties->maximum_packet_size.value_or(0));
  connection.connect = std::move(packet);
  by_home_[connection.home].insert(connection.stream);

  pb::Request request = request_for(connection);
  request.set_client(connection.client);
  *request.mutable_open()->mutable_connect() = record;
  parts_.requests.submit(connection.home, std::move(request),
                         [this, stream = connection.stream](const pb::Reply& reply) { opened(stream, reply); });
}

void Front::opened(StreamId stream, const pb::Reply& reply) {
  Connection* connection = find(stream);
  if (connection == nullptr || connection->phase != Connection::Phase::opening) return;
  connection->connected = slot::from_pb(reply.connect());
  connection->session_present = reply.session_present();
  if (!connection->bound) return accept(*connection);
  pb::Request request = request_for(*connection);
  *request.mutable_open()->mutable_connect() = connection->record;
  parts_.requests.submit(parts_.local_slot(), std::move(request), [this, stream](const pb::Reply&) {
    if (Connection* now = find(stream)) accept(*now);
  });
}

void Front::accept(Connection& connection) {
  connection.phase = Connection::Phase::open;
  connection.will_armed = connection.connect.will.has_value();
  mqtt::Connack connack;
  connack.session_present = connection.session_present;
  if (connection.version == mqtt::Version::v5) {
    auto& properties = connack.properties.edit();
    properties.receive_maximum = parts_.config.receive_maximum;
    properties.maximum_packet_size = parts_.config.max_packet_size;
    properties.retain_available = false;
    properties.shared_subscription_available = false;
    if (connection.connect.client_id.empty()) properties.assigned_client_identifier = connection.client;
  }
  write(connection, connack);
  process(connection);
}

void Front::refuse(Connection& connection, mqtt::Reason reason) {
  mqtt::Connack connack;
  connack.reason = reason;
  write(connection, connack);
  finish(connection, false);
}

void Front::fail(Connection& connection, mqtt::Reason reason, std::string_view text) {
  if (connection.version == mqtt::Version::v5 && connection.phase == Connection::Phase::open) {
    mqtt::Disconnect disconnect;
    disconnect.reason = reason;
    if (!text.empty() && connection.connect.properties->request_problem_information.value_or(true) &&
        !connection.connect.properties->maximum_packet_size)
      disconnect.properties.edit().reason_string = std::string(text);
    write(connection, disconnect);
  }
  finish(connection, true);
}

void Front::finish(Connection& connection, bool send_will) {
  const StreamId stream = connection.stream;
  if (!connection.out.empty()) parts_.env.send(stream, Bytes(std::exchange(connection.out, {})));
  parts_.env.close(stream, true);
  if (!send_will) connection.will_armed = false;
  closed(stream);
}

void Front::closed(StreamId stream) {
  const auto it = connections_.find(stream);
  if (it == connections_.end()) return;
  const std::unique_ptr<Connection> connection = std::move(it->second);
  connections_.erase(it);
  parts_.counters.connections = connections_.size();
  dirty_.erase(stream);
  with_acks_.erase(stream);
  if (connection->phase == Connection::Phase::fresh) return;
  by_home_[connection->home].erase(stream);
  parts_.requests.drop_publishes(stream);
  if (connection->acks.acks_size() != 0) {
    pb::Request acks = request_for(*connection);
    *acks.mutable_acks() = std::move(connection->acks);
    parts_.requests.submit(connection->session_slot, std::move(acks), {});
  }
  parts_.requests.drop_connection(connection->session_slot, stream);
  const auto close_in = [&](SlotId slot, const std::string& key) {
    pb::Request request;
    request.set_client(key);
    request.set_connection(stream);
    request.mutable_close()->set_override_expiry(connection->expiry_override.has_value());
    request.mutable_close()->set_expiry_s(connection->expiry_override.value_or(0));
    parts_.requests.submit(slot, std::move(request), {});
  };
  close_in(connection->home, connection->client);
  if (connection->bound) close_in(parts_.local_slot(), connection->session_key);
  if (!connection->will_armed) return;
  mqtt::Publish will;
  will.topic = connection->connect.will->topic;
  will.payload = connection->connect.will->payload;
  will.qos = connection->connect.will->qos;
  route(*connection, stored_message(will, connection->client, parts_.env.wall_ms()), nullptr);
}

void Front::on_disconnect(Connection& connection, const mqtt::Disconnect& packet) {
  if (packet.properties->session_expiry_interval) {
    if (connection.record.expiry_s() == 0 && *packet.properties->session_expiry_interval != 0)
      return fail(connection, mqtt::Reason::protocol_error, "session expiry raised from 0 [MQTT-3.14.2-2]");
    connection.expiry_override = *packet.properties->session_expiry_interval;
  }
  finish(connection, packet.reason == mqtt::Reason::disconnect_with_will_message);
}

void Front::on_kick(const pb::Kick& kick) {
  Connection* connection = find(kick.connection());
  if (connection == nullptr || connection->client != kick.client()) return;
  fail(*connection, mqtt::Reason::session_taken_over, "");
}

std::pair<pb::Request, Requests::Then> Front::attachment(Connection& connection) {
  connection.held.clear();  // the new coordinator sends what it knows to be owed
  pb::Request request = request_for(connection);
  request.set_client(connection.client);
  *request.mutable_open()->mutable_connect() = connection.record;
  request.mutable_open()->set_attach(true);
  slot::to_pb(connection.connected, request.mutable_open()->mutable_connected());
  return {std::move(request), [this, stream = connection.stream](const pb::Reply& reply) {
            if (reply.superseded()) superseded(stream);
          }};
}

Requests::Batch Front::attachments(SlotId slot) {
  Requests::Batch all;
  const auto it = by_home_.find(slot);
  if (it == by_home_.end()) return all;
  for (const StreamId stream : it->second) {
    Connection* connection = find(stream);
    if (connection != nullptr && connection->phase == Connection::Phase::open) all.push_back(attachment(*connection));
  }
  return all;
}

/// A coordinator knows of a later connection of this client, or of none.
void Front::superseded(StreamId stream) {
  if (Connection* now = find(stream)) fail(*now, mqtt::Reason::session_taken_over, "");
}

void Front::tick() {
  const Instant now = parts_.env.now();
  while (!timers_.empty() && timers_.begin()->first <= now) {
    const StreamId stream = timers_.begin()->second;
    timers_.erase(timers_.begin());
    Connection* connection = find(stream);
    if (connection == nullptr || connection->silence_max == Duration{}) continue;
    if (connection->paused) connection->last_heard = now;  // it is we who do not listen
    const Instant due = connection->last_heard + connection->silence_max;
    if (due > now) {
      arm(*connection, due);
      continue;
    }
    if (connection->phase == Connection::Phase::fresh)
      finish(*connection, false);
    else
      fail(*connection, mqtt::Reason::keep_alive_timeout, "no packet within 1.5 times the keep alive");
  }
}

std::optional<Instant> Front::deadline() const {
  if (timers_.empty()) return std::nullopt;
  return timers_.begin()->first;
}

void Front::gather() {
  const std::set<StreamId> streams = std::exchange(with_acks_, {});
  for (const StreamId stream : streams) {
    Connection* connection = find(stream);
    if (connection == nullptr) continue;
    pb::Request request = request_for(*connection);
    *request.mutable_acks() = std::exchange(connection->acks, {});
    parts_.requests.submit(connection->session_slot, std::move(request), {});
  }
}

void Front::flush() {
  for (const StreamId stream : dirty_) {
    Connection* connection = find(stream);
    if (connection != nullptr && !connection->out.empty())
      parts_.env.send(stream, Bytes(std::exchange(connection->out, {})));
  }
  dirty_.clear();
}

void Front::stop() {
  std::vector<StreamId> all;
  for (const auto& [stream, connection] : connections_) all.push_back(stream);
  for (const StreamId stream : all)
    if (Connection* connection = find(stream)) fail(*connection, mqtt::Reason::server_shutting_down, "");
}

}  // namespace hf::node
