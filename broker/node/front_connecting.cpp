// CONNECT at the front: from the packet to CONNACK, attachment to coordinators, and being taken over.
#include <algorithm>

#include "broker/mqtt/utf8.hpp"
#include "broker/node/front.hpp"
#include "broker/node/parts.hpp"

namespace hf::node {

namespace {
constexpr std::uint32_t never = 0xFFFFFFFF;
constexpr std::size_t client_id_max = 1024;  ///< bytes; more than the 23 that must be taken [MQTT-3.1.3-5]

/// 128 bits that nobody can guess or meet: an id that somebody knows beforehand gives him the session.
std::string drawn_client_id(env::Environment& env) {
  constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyz234567";
  std::string id = "auto-";
  for (int word = 0; word < 2; ++word) {
    std::uint64_t bits = env.random();
    for (int i = 0; i < 13; ++i, bits >>= 5U) id += letters[bits & 31U];
  }
  return id;
}
}  // namespace

/// What the CONNECT itself rules out, before anybody is asked.
std::optional<Refusal> Front::connect_refusal(const mqtt::Connect& packet) const {
  using mqtt::Reason;
  if (away_) return Refusal{*away_, "the server is leaving"};
  if (packet.client_id.find('\x1f') != std::string::npos || packet.client_id.size() > client_id_max)
    return Refusal{Reason::client_identifier_not_valid,
                   "client identifiers have at most " + std::to_string(client_id_max) + " bytes and no U+001F"};
  const bool may_be_empty = packet.version == mqtt::Version::v5 || (packet.version == mqtt::Version::v311 && packet.clean_start);
  if (packet.client_id.empty() && !may_be_empty)  // [MQTT-3.1.3-8]
    return Refusal{Reason::client_identifier_not_valid, "a session that stays needs a client identifier"};
  return std::nullopt;
}

std::optional<Refusal> Front::will_refusal(const Connection& connection, const mqtt::Connect& packet) const {
  using mqtt::Reason;
  const Config& config = parts_.config;
  if (!packet.will) return std::nullopt;
  if (auto no = topic_refusal(packet.will->topic)) return no;
  if (!may_publish(connection, packet.will->topic))
    return Refusal{Reason::not_authorized, "the will may not be published"};
  if (packet.will->qos > config.max_qos)  // [MQTT-3.2.2-12]
    return Refusal{Reason::qos_not_supported, "the will's QoS is above the maximum QoS"};
  if (packet.will->retain && !config.retain_available)  // [MQTT-3.2.2-13]
    return Refusal{Reason::retain_not_supported, "retained messages are not available"};
  if (config.check_payload_format && packet.will->properties->payload_format_indicator == 1 &&
      !mqtt::is_utf8(packet.will->payload.view()))
    return Refusal{Reason::payload_format_invalid, "the will's payload is not the UTF-8 that it says"};
  return std::nullopt;
}

std::uint32_t Front::session_expiry(const mqtt::Connect& packet) const {
  const std::uint32_t wanted = packet.version == mqtt::Version::v5 ? packet.properties->session_expiry_interval.value_or(0)
                               : packet.clean_start               ? 0
                                                                  : never;
  return std::min(wanted, parts_.config.session_expiry_max);
}

/// The server may want a shorter one, and then the client must use that [MQTT-3.2.2-21]. Before 5.0 it cannot say so.
std::uint16_t Front::keep_alive(const mqtt::Connect& packet) const {
  const std::uint16_t most = parts_.config.max_keep_alive;
  const bool ours = packet.version == mqtt::Version::v5 && most != 0 && (packet.keep_alive == 0 || packet.keep_alive > most);
  return ours ? most : packet.keep_alive;
}

void Front::on_connect(Connection& connection, mqtt::Connect& packet) {
  connection.version = packet.version;
  ++parts_.counters.connects;
  connection.allowance.packet_size = packet.properties->maximum_packet_size.value_or(0);
  connection.allowance.problem_information = packet.properties->request_problem_information.value_or(true) || parts_.config.mutant.is("problem_information_unasked");
  connection.client = packet.client_id;
  if (const auto no = crowded(packet)) return refuse(connection, no->reason, no->text);
  if (const auto no = connect_refusal(packet)) return refuse(connection, no->reason, no->text);
  if (packet.client_id.empty())  // [MQTT-3.1.3-6], [MQTT-3.2.2-16]
    connection.client = drawn_client_id(parts_.env);
  connection.opening = std::make_unique<Opening>(Opening{std::move(packet), {}});
  const mqtt::Properties properties = connection.opening->connect.properties;
  if (properties->authentication_method) {
    connection.proving = std::make_unique<Proving>(Proving{*properties->authentication_method, nullptr, {}});
    connection.phase = Connection::Phase::proving;
    if (!begin_exchange(connection)) return refuse(connection, mqtt::Reason::bad_authentication_method, "no such authentication method");
    return step(connection, properties);
  }
  if (const auto no = login_refusal(connection)) return refuse(connection, no->reason, no->text);
  open(connection);
}

void Front::open(Connection& connection) {
  mqtt::Connect& packet = connection.opening->connect;
  packet.password.reset();  // it has served
  if (const auto no = will_refusal(connection, packet)) return refuse(connection, no->reason, no->text);
  if (const auto no = no_room()) return refuse(connection, no->reason, no->text);
  connection.decoder.set_max_packet_size(parts_.config.max_packet_size);
  connection.publish_rate = Rate(parts_.config.publish_rate, parts_.config.publish_burst);
  const std::uint32_t expiry = session_expiry(packet);
  connection.bound = packet.clean_start && expiry == 0;
  connection.asked_to_last = packet.properties->session_expiry_interval.value_or(0) != 0;
  connection.home = parts_.slots.slot_of(connection.client);
  connection.session_slot = connection.bound ? parts_.local_slot() : connection.home;
  const std::uint16_t keep = keep_alive(packet);
  connection.silence_max = std::chrono::milliseconds(std::int64_t{keep} * 1500);
  connection.aliases_in = InboundAliases(parts_.config.topic_alias_max);
  const int too_many = parts_.config.mutant.is("alias_above_maximum") ? 1 : 0;
  connection.aliases_out = OutboundAliases(static_cast<std::uint16_t>(
      std::min(packet.properties->topic_alias_maximum.value_or(0) + too_many, int{parts_.config.topic_alias_max})));

  slot::pb::Connect& record = connection.record;
  record.set_clean(packet.clean_start);
  record.set_bound(connection.bound);
  record.mutable_front()->set_node(parts_.self.node);
  record.mutable_front()->set_boot(parts_.self.boot);
  record.mutable_front()->set_connection(connection.stream);
  record.set_expiry_s(expiry);
  if (!parts_.config.mutant.is("receive_maximum_ignored")) record.set_receive_maximum(packet.properties->receive_maximum.value_or(0));
  record.set_version(static_cast<std::uint32_t>(packet.version));
  record.set_keep_alive_s(keep);
  if (!parts_.config.mutant.is("packet_size_ignored"))
    record.set_maximum_packet_size(packet.properties->maximum_packet_size.value_or(0));
  if (packet.will) {
    *record.mutable_will() = stored_will(*packet.will, connection.client);
    if (parts_.config.mutant.is("will_properties_lost")) record.mutable_will()->clear_properties();
    record.set_will_delay_s(packet.will->properties->will_delay_interval.value_or(0));
    packet.will.reset();  // the record has it
  }
  // Known before the session is touched: what does not fit is no answer, and without one nothing may follow [MQTT-3.2.0-1].
  if (packet.properties->maximum_packet_size)
    if (mqtt::Connack answer = connack(connection); !trim(answer, connection.allowance, connection.version))
      return refuse(connection, mqtt::Reason::packet_too_large, "its CONNACK is larger than the client takes");
  --pending_;
  connection.phase = Connection::Phase::opening;
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
  connection->begins = !connection->bound && !reply.session_present() && !connection->record.clean();
  if (!connection->bound) return accept(*connection);
  pb::Request request = request_for(*connection);
  *request.mutable_open()->mutable_connect() = connection->record;
  request.mutable_open()->mutable_connect()->clear_will();  // that lies with the session's home
  parts_.requests.submit(parts_.local_slot(), std::move(request), [this, stream](const pb::Reply&) {
    if (Connection* now = find(stream)) accept(*now);
  });
}

void Front::accept(Connection& connection) {
  connection.phase = Connection::Phase::open;
  connection.last_heard = parts_.env.now();  // what it said meanwhile was not read
  if (connection.silence_max != Duration{}) arm(connection, connection.last_heard + connection.silence_max);
  connection.connected_ms = parts_.env.wall_ms();
  log_connected(connection);
  write(connection, connack(connection));
  connection.opening.reset();
  pause(connection, Pause::waiting, false);
  const StreamId stream = connection.stream;
  process(connection);
  if (const Connection* now = find(stream); now != nullptr && now->over) lost(stream, env::CloseReason::ended);
}

mqtt::Connack Front::connack(const Connection& connection) const {
  const Config& config = parts_.config;
  mqtt::Connack connack;
  connack.session_present = connection.session_present;
  if (!connection.v5()) return connack;
  const mqtt::Connect& packet = connection.opening->connect;
  const mqtt::PropertySet& asked = *packet.properties;
  mqtt::PropertySet& said = connack.properties.edit();
  said.authentication_method = asked.authentication_method;  // [MQTT-4.12.0-5]
  if (!connection.opening->proof.empty()) said.authentication_data = connection.opening->proof;
  said.receive_maximum = config.receive_maximum;
  said.maximum_packet_size = config.max_packet_size;
  if (config.topic_alias_max != 0) said.topic_alias_maximum = config.topic_alias_max;
  if (config.max_qos < 2) said.maximum_qos = config.max_qos;  // [MQTT-3.2.2-9]
  if (!config.retain_available) said.retain_available = false;
  if (!config.shared_available) said.shared_subscription_available = false;
  if (!config.wildcard_available) said.wildcard_subscription_available = false;
  if (!config.subscription_identifiers_available) said.subscription_identifier_available = false;
  if (connection.record.expiry_s() != asked.session_expiry_interval.value_or(0))
    said.session_expiry_interval = connection.record.expiry_s();
  if (connection.record.keep_alive_s() != packet.keep_alive)
    said.server_keep_alive = static_cast<std::uint16_t>(connection.record.keep_alive_s());
  if (packet.client_id.empty()) said.assigned_client_identifier = connection.client;
  if (asked.request_response_information.value_or(false) && !config.response_information.empty())  // [MQTT-3.1.2-28]
    said.response_information = config.response_information;
  return connack;
}

void Front::refuse(Connection& connection, mqtt::Reason reason, std::string_view text) {
  ++parts_.counters.connects_refused;
  log_refused(connection, reason, text);
  mqtt::Connack connack;
  connack.reason = reason == mqtt::Reason::server_shutting_down ? mqtt::Reason::server_unavailable : reason;  // it knows no 0x8B
  if (connection.v5()) {
    if (!text.empty()) connack.properties.edit().reason_string = std::string(text);
    const bool elsewhere = reason == mqtt::Reason::use_another_server || reason == mqtt::Reason::server_moved;
    if (elsewhere) connack.properties.edit().server_reference = parts_.config.server_reference;
  }
  if (trim(connack, connection.allowance, connection.version)) put(connection, connack);
  finish(connection);
}

void Front::on_kick(const pb::Kick& kick) {
  Connection* connection = find(kick.connection());
  if (connection == nullptr || connection->client != kick.client()) return;
  fail(*connection, mqtt::Reason::session_taken_over, "");
}

std::pair<pb::Request, Requests::Then> Front::attachment(Connection& connection, bool with_will) {
  if (!connection.underway->held.empty()) connection.underway.edit().held.clear();  // the new coordinator sends what it knows to be owed
  pb::Request request = request_for(connection);
  request.set_client(connection.client);
  *request.mutable_open()->mutable_connect() = connection.record;
  if (!with_will && connection.record.has_will()) {
    request.mutable_open()->mutable_connect()->clear_will();
    request.mutable_open()->set_has_will(true);
  }
  request.mutable_open()->set_attach(true);
  slot::to_pb(connection.connected, request.mutable_open()->mutable_connected());
  return {std::move(request), [this, stream = connection.stream](const pb::Reply& reply) {
            if (reply.superseded()) return superseded(stream);
            Connection* now = find(stream);
            if (now == nullptr || !reply.wants_will()) return;
            auto [again, then] = attachment(*now, true);
            parts_.requests.submit(now->home, std::move(again), std::move(then));
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

}  // namespace hf::node
