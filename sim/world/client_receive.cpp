// What a client takes in: packets held against the protocol, messages handed to the application.
#include <algorithm>

#include "sim/world/client.hpp"

namespace hf::sim {

namespace {

template <class... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};
template <class... Ts>
Overloaded(Ts...) -> Overloaded<Ts...>;

}  // namespace

void Client::on_bytes(StreamId stream, const Bytes& bytes) {
  for (std::size_t i = 0; i < zombies_.size(); ++i) {
    if (zombies_[i]->stream != stream) continue;
    zombie_bytes(i, bytes);
    arm();
    return;
  }
  if (!current_ || current_->stream != stream) return;
  current_->decoder.feed(bytes);
  mqtt::Packet packet;
  while (current_ && current_->stream == stream) {
    const auto decoded = current_->decoder.next(packet);
    if (decoded == mqtt::Decoded::need_more) break;
    if (decoded == mqtt::Decoded::failed) {
      violation("malformed packet: " + current_->decoder.error().text);
      abandon("malformed packet", mqtt::code(current_->decoder.error().reason));
      break;
    }
    handle(packet);
  }
  step();
  arm();
}

void Client::handle(const mqtt::Packet& packet) {
  check_problem_information(packet);
  if (const auto* auth = std::get_if<mqtt::Auth>(&packet)) return handle_auth(*auth);
  const bool is_connack = std::holds_alternative<mqtt::Connack>(packet);
  if (is_connack != (current_->phase == Phase::connecting)) {
    violation(std::string(mqtt::packet_name(packet)) + (is_connack ? " twice" : " before CONNACK"));
    abandon("protocol error", mqtt::code(mqtt::Reason::protocol_error));
    return;
  }
  std::visit(
      Overloaded{
          [&](const mqtt::Connack& p) { handle_connack(p); },
          [&](const mqtt::Publish& p) { handle_publish(p); },
          [&](const mqtt::Puback& p) { handle_puback(p.packet_id, p.reason); },
          [&](const mqtt::Pubrec& p) { handle_pubrec(p.packet_id, p.reason); },
          [&](const mqtt::Pubrel& p) { handle_pubrel(p); },
          [&](const mqtt::Pubcomp& p) { handle_pubcomp(p.packet_id); },
          [&](const mqtt::Suback& p) { handle_suback(p); },
          [&](const mqtt::Unsuback& p) { handle_unsuback(p); },
          [&](const mqtt::Pingresp&) {
            if (!current_->ping_sent) violation("PINGRESP that nobody asked for");
            current_->ping_sent.reset();
          },
          [&](const mqtt::Disconnect& p) {
            world_.close(current_->stream);
            over(*current_, mqtt::code(p.reason), false, "told " + std::string(mqtt::name(p.reason)));
            current_.reset();
            plan_reconnect(std::nullopt, true);
          },
          [&](const auto&) {
            violation(std::string(mqtt::packet_name(packet)) + " from a server");
            abandon("protocol error", mqtt::code(mqtt::Reason::protocol_error));
          }},
      packet);
}

/// Puts the topic in the place of its alias; false: the alias was never given, or is none.
bool Client::resolve_alias(mqtt::Publish& packet) {
  const auto alias = packet.properties->topic_alias;
  if (!alias) return true;
  if (*alias > spec_.topic_aliases) {
    violation("PUBLISH with topic alias " + std::to_string(*alias) + ", the maximum is " +
              std::to_string(spec_.topic_aliases) + " [MQTT-3.1.2-26]");
    return false;
  }
  if (!packet.topic.empty()) {
    current_->aliases_in[*alias] = packet.topic;
    return true;
  }
  packet.topic = current_->aliases_in[*alias];
  if (packet.topic.empty())
    violation("PUBLISH with topic alias " + std::to_string(*alias) + ", which means nothing on this connection");
  return !packet.topic.empty();
}

void Client::handle_publish(mqtt::Publish packet) {
  if (!resolve_alias(packet)) return abandon("protocol error", mqtt::code(mqtt::Reason::protocol_error));
  Message message;
  const std::string_view payload = packet.payload.view();
  const auto space = payload.find(' ');
  message.publisher = payload.substr(0, space);
  for (std::size_t i = space == payload.npos ? payload.size() : space + 1; i < payload.size(); ++i) {
    if (payload[i] < '0' || payload[i] > '9') break;
    message.number = message.number * 10 + static_cast<std::uint64_t>(payload[i] - '0');
  }
  check_properties(packet, message);
  if (packet.qos == 0) return hand_over(packet, message);
  check_publish(packet, message);
  current_->outstanding.insert(packet.packet_id);
  if (packet.qos == 1) {
    hand_over(packet, message);
    current_->unacked_qos1[packet.packet_id] = std::move(message);
    mqtt::Puback answer;
    answer.packet_id = packet.packet_id;
    return acknowledge(answer);
  }
  if (!received_.contains(packet.packet_id)) {
    hand_over(packet, message);
    received_[packet.packet_id] = std::move(message);
  }
  mqtt::Pubrec answer;
  answer.packet_id = packet.packet_id;
  acknowledge(answer);
}

/// QoS 2 ids are held against the session, QoS 1 ids against the connection: a client keeps nothing
/// of a QoS 1 id, so a server that lost which one it had given out does no harm.
void Client::check_publish(const mqtt::Publish& packet, const Message& message) {
  const std::string name = "PUBLISH " + message.publisher + " #" + std::to_string(message.number) +
                           " under id " + std::to_string(packet.packet_id);
  if (!current_->outstanding.contains(packet.packet_id) &&
      current_->outstanding.size() >= spec_.receive_maximum && spec_.version == mqtt::Version::v5) {
    violation(name + ": more in flight than receive maximum " + std::to_string(spec_.receive_maximum));
  }
  const Message* other = nullptr;
  if (const auto two = received_.find(packet.packet_id); two != received_.end()) other = &two->second;
  else if (const auto one = current_->unacked_qos1.find(packet.packet_id); one != current_->unacked_qos1.end())
    other = &one->second;
  if (other == nullptr) return;
  if (*other != message) {
    violation(name + ", which is in use for " + other->publisher + " #" + std::to_string(other->number));
  } else if (!packet.dup) {
    violation(name + " again without DUP [MQTT-3.3.1-1]");
  }
}

void Client::hand_over(const mqtt::Publish& packet, const Message& message) {
  ++counters_.received;
  Event note = event(Event::Kind::received);
  note.topic = packet.topic;
  note.publisher = message.publisher;
  note.number = message.number;
  note.qos = packet.qos;
  note.packet_id = packet.packet_id;
  note.flag = packet.dup;
  note.retained = packet.retain;
  note.empty = packet.payload.empty();
  note.identifiers = packet.properties->subscription_identifiers;
  note.expiry = packet.properties->message_expiry_interval;
  world_.note(std::move(note));
}

void Client::acknowledge(mqtt::Packet packet) {
  const Duration delay = draw(spec_.ack_delay, delays_);
  VirtualTime due = world_.now() + delay.count();
  if (!current_->acks.empty()) due = std::max(due, current_->acks.back().due);
  current_->acks.push_back({due, std::move(packet)});
}

void Client::send_due_acks() {
  auto& acks = current_->acks;
  while (!acks.empty() && acks.front().due <= world_.now()) {
    if (const auto* puback = std::get_if<mqtt::Puback>(&acks.front().packet)) {
      current_->unacked_qos1.erase(puback->packet_id);
      current_->outstanding.erase(puback->packet_id);
    }
    send(*current_, acks.front().packet);
    acks.pop_front();
  }
}

void Client::handle_pubrel(const mqtt::Pubrel& packet) {
  mqtt::Pubcomp answer;
  answer.packet_id = packet.packet_id;
  if (received_.erase(packet.packet_id) == 0 && spec_.version == mqtt::Version::v5) {
    answer.reason = mqtt::Reason::packet_identifier_not_found;
  }
  current_->outstanding.erase(packet.packet_id);
  send(*current_, answer);
}

}  // namespace hf::sim
