// The front: connections from accept to close.
#include "broker/node/front.hpp"

#include <algorithm>

#include "broker/mqtt/encoder.hpp"
#include "broker/node/client_log.hpp"
#include "broker/node/parts.hpp"

namespace hf::node {

namespace {
constexpr std::size_t waiting_max = 1000;  ///< publications of a connection, or what else it asked for, then it is read no further
}  // namespace

Front::Front(ShardParts& parts) : parts_(parts), connects_(parts.config.connect_rate, parts.config.connect_burst) {}

Connection* Front::find(StreamId stream) {
  const auto it = connections_.find(stream);
  return it == connections_.end() ? nullptr : it->second.get();
}

void Front::process(Connection& connection) {
  // Nothing is taken from a client before every slot's routes stand: it could be acknowledged and dropped.
  const StreamId stream = connection.stream;
  while (parts_.routes.complete()) {
    if (connection.phase == Connection::Phase::opening || connection.phase == Connection::Phase::closing) return;
    if (connection.underway->unacknowledged() >= waiting_max || connection.underway->asked >= waiting_max)
      pause(connection, Pause::unacknowledged, true);
    if (connection.pauses != 0) return;
    mqtt::Packet packet;
    const mqtt::Decoded decoded = connection.decoder.next(packet);
    if (decoded == mqtt::Decoded::need_more) return note_partial(connection);
    if (decoded == mqtt::Decoded::failed) {
      const auto& error = connection.decoder.error();
      if (connection.phase == Connection::Phase::fresh) {
        // 3.1.1 has a return code for the protocol level alone: else no CONNACK [MQTT-3.1.4-1], [MQTT-3.2.2-6].
        if (error.version == mqtt::Version::v5 ||
            (error.version && error.reason == mqtt::Reason::unsupported_protocol_version)) {
          connection.version = *error.version;
          return refuse(connection, error.reason, error.text);
        }
        log_refused(connection, error.reason, error.text);
        return finish(connection);
      }
      return fail(connection, error.reason, error.text);
    }
    connection.partial_since.reset();
    if (connection.phase == Connection::Phase::open)
      connection.last_heard = parts_.env.now();  // whole packets count, dripping bytes do not [MQTT-3.1.2-22]
    if (counted(Inspection::Direction::in)) show(connection, Inspection::Direction::in, packet);
    handle(connection, packet);
    if (find(stream) == nullptr) return;
  }
}

/// Asks the connection's coordinator, and counts it as `weight` until the answer is there.
void Front::ask(Connection& connection, pb::Request request, std::size_t weight,
                std::function<void(Connection&, const pb::Reply&)> then) {
  connection.underway.edit().asked += weight;
  parts_.requests.submit(connection.session_slot, std::move(request),
                         [this, stream = connection.stream, weight, then = std::move(then)](const pb::Reply& reply) {
                           Connection* now = find(stream);
                           if (now == nullptr) return;
                           now->underway.edit().asked -= weight;
                           if (reply.superseded()) return superseded(stream);
                           then(*now, reply);
                           read_on(*now);
                         });
}

/// Half of what it waited for is done.
void Front::read_on(Connection& connection) {
  const bool paused = (connection.pauses & static_cast<std::uint8_t>(Pause::unacknowledged)) != 0;
  const Underway& underway = *connection.underway;
  if (!paused || underway.unacknowledged() >= waiting_max / 2 || underway.asked >= waiting_max / 2) return;
  pause(connection, Pause::unacknowledged, false);
  process(connection);
}

void Front::routes_complete() {
  std::vector<StreamId> all;
  for (const auto& [stream, connection] : connections_) all.push_back(stream);
  for (const StreamId stream : all)
    if (Connection* connection = find(stream)) {
      if (connection->phase != Connection::Phase::opening) pause(*connection, Pause::waiting, false);
      process(*connection);
    }
}

void Front::handle(Connection& connection, mqtt::Packet& packet) {
  if (auto* connect = std::get_if<mqtt::Connect>(&packet)) return on_connect(connection, *connect);
  if (const auto* auth = std::get_if<mqtt::Auth>(&packet)) return on_auth(connection, *auth);
  if (const auto* disconnect = std::get_if<mqtt::Disconnect>(&packet)) return on_disconnect(connection, *disconnect);
  if (connection.phase == Connection::Phase::proving)  // [MQTT-3.1.2-30]
    return fail(connection, mqtt::Reason::protocol_error, "another packet than AUTH before CONNACK");
  if (auto* publish = std::get_if<mqtt::Publish>(&packet)) return on_publish(connection, *publish);
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
  fail(connection, mqtt::Reason::protocol_error, "unexpected packet");
}

pb::Request Front::request_for(const Connection& connection) const {
  pb::Request request;
  request.set_client(connection.session_key());
  request.set_connection(connection.stream);
  return request;
}

void Front::fail(Connection& connection, mqtt::Reason reason, std::string_view text) {
  if (connection.phase == Connection::Phase::proving)  // CONNACK knows no fault of an alias
    return refuse(connection, reason == mqtt::Reason::topic_alias_invalid ? mqtt::Reason::protocol_error : reason, text);
  log_disconnected(connection, level_of(reason), "disconnected", reason, text);
  if (connection.v5() && connection.phase == Connection::Phase::open) {
    mqtt::Disconnect disconnect;
    disconnect.reason = reason;
    if (!text.empty()) disconnect.properties.edit().reason_string = std::string(text);
    const bool elsewhere = reason == mqtt::Reason::use_another_server || reason == mqtt::Reason::server_moved;
    if (elsewhere) disconnect.properties.edit().server_reference = parts_.config.server_reference;
    if (trim(disconnect, connection.allowance, connection.version))
      put(connection, disconnect);
  }
  finish(connection);
}

void Front::finish(Connection& connection) {
  const StreamId stream = connection.stream;
  parts_.counters.bytes_out += connection.out.size();
  if (!connection.out.empty()) parts_.env.send(stream, Bytes(std::exchange(connection.out, {})));
  parts_.env.close(stream, !connection.full);  // who does not read would not read the rest
  closed(stream);
}

void Front::lost(StreamId stream, env::CloseReason reason) {
  Connection* connection = find(stream);
  if (connection == nullptr) return;
  // A client need not wait for CONNACK before it sends (3.1.4), nor stay for it: what came counts, once its session is open.
  if (connection->phase == Connection::Phase::opening && connection->decoder.buffered() != 0) {
    connection->over = parts_.env.now() + parts_.config.connect_timeout;
    return arm(*connection, *connection->over);
  }
  if (said_goodbye(*connection)) return;
  log_lost(*connection, reason);
  closed(stream);
}

/// A DISCONNECT that came, behind what was not taken from the client yet, is heeded.
bool Front::said_goodbye(Connection& connection) {
  if (connection.phase != Connection::Phase::open || connection.pauses == 0) return false;
  mqtt::Packet packet;
  while (connection.decoder.next(packet) == mqtt::Decoded::packet) {
    const auto* disconnect = std::get_if<mqtt::Disconnect>(&packet);
    if (disconnect == nullptr) continue;
    on_disconnect(connection, *disconnect);
    return true;
  }
  return false;
}

void Front::closed(StreamId stream) {
  const auto it = connections_.find(stream);
  if (it == connections_.end()) return;
  const std::unique_ptr<Connection> connection = std::move(it->second);
  connections_.erase(it);
  disarm(*connection);
  parts_.counters.connections = connections_.size();
  if (connection->pending()) --pending_;
  dirty_.erase(stream);
  with_acks_.erase(stream);
  if (connection->pending()) return;
  by_home_[connection->home].erase(stream);
  parts_.requests.drop_publishes(stream);
  if (connection->underway->acks.acks_size() != 0) {
    pb::Request acks = request_for(*connection);
    *acks.mutable_acks() = std::move(connection->underway.edit().acks);
    parts_.requests.submit(connection->session_slot, std::move(acks), {});
  }
  parts_.requests.drop_connection(connection->session_slot, stream);
  const auto close_in = [&](SlotId slot, const std::string& key) {
    pb::Request request;
    request.set_client(key);
    request.set_connection(stream);
    request.mutable_close()->set_override_expiry(connection->expiry_override && !parts_.config.mutant.is("expiry_at_disconnect_ignored"));
    request.mutable_close()->set_expiry_s(connection->expiry_override.value_or(0));
    request.mutable_close()->set_goodbye(connection->goodbye || connection->phase == Connection::Phase::opening);
    parts_.requests.submit(slot, std::move(request), {});
  };
  close_in(connection->home, connection->client);
  if (connection->bound) close_in(parts_.local_slot(), connection->session_key());
}

void Front::on_disconnect(Connection& connection, const mqtt::Disconnect& packet) {
  if (packet.properties->session_expiry_interval) {
    if (!connection.asked_to_last && *packet.properties->session_expiry_interval != 0)
      return fail(connection, mqtt::Reason::protocol_error, "session expiry raised from 0 [MQTT-3.14.2-2]");
    connection.expiry_override = std::min(*packet.properties->session_expiry_interval, parts_.config.session_expiry_max);
  }
  log_disconnected(connection, env::Level::info, "disconnected by the client", packet.reason, "");
  connection.goodbye = packet.reason == mqtt::Reason::success ||  // any other publishes the will [MQTT-3.14.4-3]
                       parts_.config.mutant.is("any_disconnect_voids_will");
  finish(connection);
}

void Front::gather() {
  const std::set<StreamId> doomed = std::exchange(doomed_, {});
  for (const StreamId stream : doomed)
    if (Connection* connection = find(stream))
      fail(*connection, mqtt::Reason::packet_too_large, "an answer is larger than the maximum packet size");
  const std::set<StreamId> streams = std::exchange(with_acks_, {});
  for (const StreamId stream : streams) {
    Connection* connection = find(stream);
    if (connection == nullptr) continue;
    if (connection->underway->doubts.packet_ids_size() != 0) {
      pb::Request request = request_for(*connection);
      *request.mutable_doubts() = std::exchange(connection->underway.edit().doubts, {});
      parts_.requests.submit(connection->session_slot, std::move(request), [this, stream](const pb::Reply& reply) {
        if (Connection* now = find(stream)) settle_doubts(*now, reply);
      });
    }
    if (connection->underway->acks.acks_size() == 0) continue;
    pb::Request request = request_for(*connection);
    *request.mutable_acks() = std::exchange(connection->underway.edit().acks, {});
    Requests::Then then = [this, stream, acks = request.acks()](const pb::Reply& reply) {
      if (reply.had_size() != 0 && reply.had(0)) forget_written(stream, acks);
    };
    parts_.requests.submit(connection->session_slot, std::move(request), std::move(then));
  }
}

/// Their session has nothing under way under these ids.
void Front::settle_doubts(Connection& connection, const pb::Reply& reply) {
  for (const std::uint32_t one : reply.unknown_ids()) {
    const auto id = static_cast<std::uint16_t>(one);
    if (connection.underway.edit().doubted.erase(id) != 0) unknown(connection, id);
  }
  connection.underway.tidy();
}

/// The coordinator has stored what is done with: no other will send it again.
void Front::forget_written(StreamId stream, const pb::Acks& acks) {
  Connection* connection = find(stream);
  if (connection == nullptr || connection->underway->written.empty()) return;
  Underway& underway = connection->underway.edit();
  for (const pb::Ack& ack : acks.acks()) {
    const auto it = underway.written.find(static_cast<std::uint16_t>(ack.packet_id()));
    if (it != underway.written.end() && !it->second.open() && it->second.name == slot::from_pb(ack.name()))
      underway.written.erase(it);
  }
  connection->underway.tidy();
}

}  // namespace hf::node
