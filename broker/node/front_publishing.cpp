// A client publishes: matched against the routes, asked of each slot, acknowledged once all have confirmed.
#include "broker/mqtt/encoder.hpp"
#include "broker/node/front.hpp"
#include "broker/node/parts.hpp"

namespace hf::node {

namespace {

template <class Packet>
void append_ack(Connection& connection, std::uint16_t id, mqtt::Reason reason) {
  Packet packet;
  packet.packet_id = id;
  packet.reason = reason;
  mqtt::encode(packet, connection.version, connection.out);
}

}  // namespace

void Front::on_publish(Connection& connection, const mqtt::Publish& packet) {
  ++parts_.counters.publishes_in;
  if (packet.properties->topic_alias)
    return fail(connection, mqtt::Reason::topic_alias_invalid, "no topic aliases were offered [MQTT-3.3.2-9]");
  if (packet.retain && connection.version == mqtt::Version::v5)
    return fail(connection, mqtt::Reason::retain_not_supported, "retained messages are not available [MQTT-3.2.2-14]");
  slot::pb::Message message = stored_message(packet, connection.client, parts_.env.wall_ms());
  if (packet.qos == 0) return route(connection, message, nullptr);
  if (connection.version == mqtt::Version::v5 && unacknowledged(connection) >= parts_.config.receive_maximum)
    return fail(connection, mqtt::Reason::receive_maximum_exceeded, "[MQTT-3.3.4-7]");
  auto waiting = std::make_shared<Unacknowledged>();
  waiting->packet_id = packet.packet_id;
  waiting->qos = packet.qos;
  connection.publishes[packet.qos - 1].push_back(waiting);
  if (packet.qos == 1) return route(connection, message, std::move(waiting));
  pb::Request request = request_for(connection);
  request.set_inbound(packet.packet_id);
  parts_.requests.submit(connection.session_slot, std::move(request),
                         [this, stream = connection.stream, waiting, message](const pb::Reply& reply) mutable {
                           Connection* now = find(stream);
                           if (now == nullptr) return;
                           if (reply.superseded()) return superseded(stream);
                           *message.mutable_identity() = reply.identity();
                           route(*now, message, std::move(waiting));
                         });
}

void Front::route(Connection& connection, const slot::pb::Message& message, std::shared_ptr<Unacknowledged> waiting) {
  if (waiting == nullptr) return parts_.publishing.route(message, connection.stream, {});
  parts_.publishing.route(message, connection.stream,
                          [this, stream = connection.stream, waiting = std::move(waiting)](std::uint32_t matched) {
                            waiting->matched = matched;
                            waiting->complete = true;
                            if (Connection* now = find(stream)) acknowledge(*now);
                          });
}

std::size_t Front::unacknowledged(const Connection& connection) {
  return connection.publishes[0].size() + connection.publishes[1].size();
}

void Front::acknowledge(Connection& connection) {
  for (auto& queue : connection.publishes) {
    for (; !queue.empty() && queue.front()->complete; queue.pop_front()) {
      const Unacknowledged& one = *queue.front();
      const auto reason = one.matched == 0 ? mqtt::Reason::no_matching_subscribers : mqtt::Reason::success;
      parts_.env.reached("publish.acked");
      ++parts_.counters.acknowledgements;
      if (one.qos == 1)
        append_ack<mqtt::Puback>(connection, one.packet_id, reason);
      else
        append_ack<mqtt::Pubrec>(connection, one.packet_id, reason);
      dirty_.insert(connection.stream);
    }
  }
  if (!connection.paused || unacknowledged(connection) >= 500) return;
  connection.paused = false;
  parts_.env.pause_reading(connection.stream, false);
  process(connection);
}

void Front::on_pubrel(Connection& connection, const mqtt::Pubrel& packet) {
  pb::Request request = request_for(connection);
  request.set_release(packet.packet_id);
  parts_.requests.submit(connection.session_slot, std::move(request),
                         [this, stream = connection.stream, id = packet.packet_id](const pb::Reply& reply) {
                           Connection* now = find(stream);
                           if (now == nullptr) return;
                           if (reply.superseded()) return superseded(stream);
                           append_ack<mqtt::Pubcomp>(*now, id, mqtt::Reason::success);
                           dirty_.insert(stream);
                         });
}

}  // namespace hf::node
