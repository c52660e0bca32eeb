// Packets from coordinators to clients, and the clients' acknowledgements back.
#include <algorithm>

#include "broker/mqtt/encoder.hpp"
#include "broker/node/client_log.hpp"
#include "broker/node/front.hpp"
#include "broker/node/parts.hpp"

namespace hf::node {

namespace {
constexpr std::size_t alias_bytes = 5;  ///< what telling an alias may add to a packet: the property, and either length may need a byte more
}

slot::pb::Message stored_message(const mqtt::Publish& packet, std::string_view publisher, std::uint64_t wall_ms) {
  slot::pb::Message message;
  message.set_topic(packet.topic);
  message.set_payload(std::string(packet.payload.view()));
  message.set_qos(packet.qos);
  message.set_retain(packet.retain);
  message.set_publisher(std::string(publisher));
  if (packet.properties->message_expiry_interval)
    message.set_expires_ms(wall_ms + std::uint64_t{*packet.properties->message_expiry_interval} * 1000);
  if (!packet.properties.empty()) {
    mqtt::Publish carrier;  // properties are kept as they stand in an MQTT 5.0 PUBLISH
    carrier.topic = "p";
    carrier.properties = packet.properties;
    std::string bytes;
    mqtt::encode(carrier, mqtt::Version::v5, bytes);
    message.set_properties(std::move(bytes));
  }
  return message;
}

slot::pb::Message stored_will(const mqtt::Will& will, std::string_view client) {
  mqtt::Publish packet;
  packet.topic = will.topic;
  packet.payload = will.payload;
  packet.qos = will.qos;
  packet.retain = will.retain;
  packet.properties = will.properties;
  if (packet.properties->will_delay_interval) packet.properties.edit().will_delay_interval.reset();
  slot::pb::Message message = stored_message(packet, client, 0);
  // Kept is how long it lasts, and 0 is for ever: one that expires at once lasts as little as can be said.
  if (packet.properties->message_expiry_interval == 0U) message.set_expires_ms(1);
  return message;
}

std::optional<mqtt::Publish> publish_packet(const pb::Deliver& deliver, const slot::pb::Message& message,
                                            mqtt::Version version, std::uint64_t wall_ms) {
  mqtt::Publish out;
  const bool expired = message.expires_ms() != 0 && message.expires_ms() <= wall_ms;
  if (expired && !deliver.dup()) return std::nullopt;  // what was begun is finished [MQTT-3.3.2-5]
  out.topic = message.topic();
  out.qos = static_cast<std::uint8_t>(deliver.qos());
  out.dup = deliver.dup();
  out.retain = deliver.retain();
  out.packet_id = static_cast<std::uint16_t>(deliver.packet_id());
  if (version != mqtt::Version::v5) return out;
  if (!message.properties().empty()) {
    mqtt::Decoder decoder(mqtt::Role::client);
    decoder.feed(Bytes::copy(message.properties()));
    mqtt::Packet packet;
    if (decoder.next(packet) == mqtt::Decoded::packet)
      if (const auto* carrier = std::get_if<mqtt::Publish>(&packet)) out.properties = carrier->properties;
  }
  if (message.expires_ms() != 0)
    out.properties.edit().message_expiry_interval = expired ? 0 : static_cast<std::uint32_t>((message.expires_ms() - wall_ms) / 1000);
  if (deliver.identifiers_size() != 0)
    out.properties.edit().subscription_identifiers = {deliver.identifiers().begin(), deliver.identifiers().end()};
  return out;
}

void Front::deliver(NodeId from, const pb::Deliver& deliver, const slot::pb::Message& message) {
  Connection* connection = find(deliver.connection());
  if (connection == nullptr || connection->phase != Connection::Phase::open) return;
  if (from != parts_.slots.coordinator(connection->session_slot)) return;
  const auto id = static_cast<std::uint16_t>(deliver.packet_id());
  if (deliver.qos() == 0) {
    if (connection->out.size() + parts_.env.unsent(connection->stream) <= parts_.config.max_unsent_bytes)
      return write_publish(*connection, deliver, message);
    return lose(*connection, deliver, parts_.counters.dropped_slow_reader, "a QoS 0 message was dropped: the client does not read what it is sent");
  }
  const slot::Name name = slot::from_pb(deliver.name());
  Underway& underway = connection->underway.edit();
  const bool answered = deliver.dup() && !deliver.pubrel() && underway.doubted.contains(id);
  const auto before = underway.written.find(id);
  if (before != underway.written.end() && before->second.name == name && name.dot.seq != 0) {
    // A new coordinator repeats what this connection already had: say again what the client said.
    switch (before->second.step) {
      case Written::Step::publish:
        if (!deliver.pubrel()) return;
        break;
      case Written::Step::puback: return acknowledge(*connection, pb::Ack::PUBACK, id, false);
      case Written::Step::pubcomp: return acknowledge(*connection, pb::Ack::PUBCOMP, id, false);
      case Written::Step::pubrec:
        if (!deliver.pubrel()) return acknowledge(*connection, pb::Ack::PUBREC, id, false);
        break;
      case Written::Step::pubrel: return;
    }
  } else if (!deliver.pubrel()) {
    // The coordinator before may have sent what this one does not know of: its window is not the client's. What waits is not
    // overtaken.
    const std::uint32_t maximum = connection->record.receive_maximum() == 0 ? 65535 : connection->record.receive_maximum();
    const bool in_use = before != underway.written.end() && before->second.open();
    if (in_use || underway.outstanding >= maximum || !underway.held.empty()) {
      underway.held.push_back(deliver);
      *underway.held.back().mutable_message() = message;
      return;
    }
  }
  Written& written = underway.written[id];
  if (!written.open()) ++underway.outstanding;
  written.name = name;
  written.step = deliver.pubrel() ? Written::Step::pubrel : Written::Step::publish;
  const auto doubted = underway.doubted.extract(id);
  if (answered) return acknowledge(*connection, pb::Ack::PUBREC, id, doubted.mapped());
  if (!doubted.empty() && !deliver.pubrel()) unknown(*connection, id);  // given out anew: nothing was under way
  if (!deliver.pubrel()) return write_publish(*connection, deliver, message);
  mqtt::Pubrel packet;
  packet.packet_id = id;
  write(*connection, std::move(packet));
}

void Front::release_held(Connection& connection) {
  std::list<pb::Deliver> held;
  held.swap(connection.underway.edit().held);
  const NodeId coordinator = parts_.slots.coordinator(connection.session_slot);
  for (const pb::Deliver& one : held) deliver(coordinator, one, one.message());
}

/// What a mutant makes of a message that expires.
void Front::spoil_expiry(const pb::Deliver& deliver, const slot::pb::Message& message, mqtt::Version version,
                         std::optional<mqtt::Publish>& packet) const {
  const Mutant& mutant = parts_.config.mutant;
  const bool late = mutant.is("expired_delivered") || (mutant.is("expired_retained_delivered") && deliver.retain());
  if (!packet && late) packet = publish_packet(deliver, message, version, message.expires_ms() - 1);
  if (!packet || !mutant.is("message_expiry_not_counted_down")) return;
  slot::pb::Message as_sent = message;
  as_sent.clear_expires_ms();
  packet = publish_packet(deliver, as_sent, version, 0);
}

void Front::write_publish(Connection& connection, const pb::Deliver& deliver, const slot::pb::Message& message) {
  // A filter may be wider than the rights of the client.
  if (!parts_.guard->open() && !parts_.config.mutant.is("receive_not_checked") && !parts_.guard->may_receive(who(connection), message.topic()))
    return lose(connection, deliver, parts_.counters.dropped_denied);
  auto packet = publish_packet(deliver, message, connection.version, parts_.env.wall_ms());
  if (message.expires_ms() != 0) spoil_expiry(deliver, message, connection.version, packet);
  if (!packet) return lose(connection, deliver, parts_.counters.dropped_expired);
  packet->payload = Bytes::copy(message.payload());
  if (parts_.config.mutant.is("user_properties_sorted") && !packet->properties->user_properties.empty()) {
    auto& properties = packet->properties.edit().user_properties;
    std::sort(properties.begin(), properties.end());
  }
  const std::uint32_t limit = connection.record.maximum_packet_size() / (parts_.config.mutant.is("packet_size_halved") ? 2 : 1);
  if (limit != 0 && mqtt::encoded_size(*packet, connection.version) > limit)  // [MQTT-3.1.2-25]
    return lose(connection, deliver, parts_.counters.dropped_too_large, "a message was dropped: it is larger than the client takes");
  ++parts_.counters.publishes_out;
  ++parts_.counters.publishes_out_by_qos[packet->qos];
  if (limit == 0 || mqtt::encoded_size(*packet, connection.version) + alias_bytes <= limit) {
    if (const auto alias = connection.aliases_out.use(packet->topic)) {
      packet->properties.edit().topic_alias = alias->alias;
      if (alias->known || parts_.config.mutant.is("alias_not_told")) packet->topic.clear();
    }
  }
  put(connection, *packet);
  dirty_.insert(connection.stream);
}

void Front::lose(Connection& connection, const pb::Deliver& deliver, std::uint64_t& counter, std::string_view log_text) {
  if (!log_text.empty()) log(connection, env::Level::warn, client_event::messages_dropped, log_text);
  ++parts_.counters.dropped;
  ++counter;
  const auto id = static_cast<std::uint16_t>(deliver.packet_id());
  if (deliver.qos() == 1) acknowledge(connection, pb::Ack::PUBACK, id, true);
  if (deliver.qos() == 2) acknowledge(connection, pb::Ack::PUBREC, id, true);
}

/// Of the client. What it says again tells nothing new.
void Front::on_ack(Connection& connection, pb::Ack::Kind kind, std::uint16_t id, bool failed) {
  const auto it = connection.underway->written.find(id);
  if (it == connection.underway->written.end() || it->second.name.dot.seq == 0) {
    if (kind == pb::Ack::PUBREC) doubt(connection, id, failed);
    return;
  }
  const Written& written = it->second;
  const bool past_pubrec = written.step == Written::Step::pubrec || written.step == Written::Step::pubrel;
  if (!written.open() || (kind == pb::Ack::PUBREC && !failed && past_pubrec)) return;
  acknowledge(connection, kind, id, failed);
}

/// Tells the coordinator what the client said of what is written, or would say.
void Front::acknowledge(Connection& connection, pb::Ack::Kind kind, std::uint16_t id, bool failed) {
  Underway& underway = connection.underway.edit();
  const auto it = underway.written.find(id);
  if (it == underway.written.end() || it->second.name.dot.seq == 0) return;
  const bool was_open = it->second.open();
  switch (kind) {
    case pb::Ack::PUBACK: it->second.step = Written::Step::puback; break;
    case pb::Ack::PUBCOMP: it->second.step = Written::Step::pubcomp; break;
    default: it->second.step = failed ? Written::Step::pubcomp : Written::Step::pubrec; break;
  }
  pb::Ack& ack = *underway.acks.add_acks();
  ack.set_kind(kind);
  ack.set_packet_id(id);
  ack.set_failed(failed);
  slot::to_pb(it->second.name, ack.mutable_name());
  with_acks_.insert(connection.stream);
  if (!was_open || it->second.open()) return;
  --underway.outstanding;
  if (!underway.held.empty()) release_held(connection);
}

/// A PUBREC of what this connection was not sent. Of a session that goes on it may be the answer to what a connection before was sent:
/// when that is to be sent again, it counts (deliver); and what a coordinator with a majority does not know was never under way. More
/// than can be under way need no answer: what is sent again is answered again.
void Front::doubt(Connection& connection, std::uint16_t id, bool failed) {
  if (!connection.session_present || parts_.config.mutant.is("early_pubrec_unknown")) return unknown(connection, id);
  Underway& underway = connection.underway.edit();
  if (underway.doubted.size() >= parts_.config.max_inflight || !underway.doubted.emplace(id, failed).second) return;
  underway.doubts.add_packet_ids(id);
  with_acks_.insert(connection.stream);
}

void Front::unknown(Connection& connection, std::uint16_t id) {
  mqtt::Pubrel packet;
  packet.packet_id = id;
  packet.reason = mqtt::Reason::packet_identifier_not_found;
  write(connection, std::move(packet));
}

}  // namespace hf::node
