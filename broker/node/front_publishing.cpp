// A client publishes: matched against the routes, asked of each slot, acknowledged once all have confirmed.
#include <algorithm>

#include "broker/base/hash.hpp"
#include "broker/mqtt/utf8.hpp"
#include "broker/node/client_log.hpp"
#include "broker/node/front.hpp"
#include "broker/node/parts.hpp"

namespace hf::node {

/// A new PUBLISH may say a topic by its alias, and give an alias a (new) topic.
bool Front::resolve_alias(Connection& connection, mqtt::Publish& packet) {
  const auto alias = packet.properties->topic_alias;
  if (!alias) return true;
  const bool shared = parts_.config.mutant.is("aliases_of_another_connection") && connections_.begin()->second->aliases_in.in_range(*alias);
  Connection& whose = shared ? *connections_.begin()->second : connection;
  if (!whose.aliases_in.resolve(*alias, packet.topic)) {
    const bool in_range = connection.aliases_in.in_range(*alias);
    fail(connection, in_range ? mqtt::Reason::protocol_error : mqtt::Reason::topic_alias_invalid,
         in_range ? "the topic alias has no topic yet" : "the topic alias is above the maximum [MQTT-3.3.2-9]");
    return false;
  }
  packet.properties.edit().topic_alias.reset();  // of this connection only
  return true;
}

std::optional<Refusal> Front::topic_refusal(std::string_view topic) const {
  if (parts_.config.mutant.is("topic_limits_ignored")) return std::nullopt;
  if (topic.size() > parts_.config.max_topic_length) return Refusal{mqtt::Reason::topic_name_invalid, "the topic is too long"};
  const auto levels = static_cast<std::size_t>(std::count(topic.begin(), topic.end(), '/')) + 1;
  if (levels > parts_.config.max_topic_levels)
    return Refusal{mqtt::Reason::topic_name_invalid, "the topic has too many levels"};
  return std::nullopt;
}

/// $SYS is what the server tells of itself.
bool Front::may_publish(const Connection& connection, std::string_view topic) const {
  const bool ours = topic == "$SYS" || topic.starts_with("$SYS/");
  return !ours && parts_.guard->may_publish(who(connection), topic);
}

/// A well-formed PUBLISH that is not carried out. What the protocol cannot refuse is acknowledged and dropped.
std::optional<Refusal> Front::publish_refusal(const Connection& connection, const mqtt::Publish& packet) const {
  if (auto no = topic_refusal(packet.topic)) return no;
  if (!may_publish(connection, packet.topic)) return Refusal{mqtt::Reason::not_authorized, ""};
  if (parts_.config.check_payload_format && packet.properties->payload_format_indicator == 1 &&
      !mqtt::is_utf8(packet.payload.view()))
    return Refusal{mqtt::Reason::payload_format_invalid, "the payload is not the UTF-8 that it says"};
  return std::nullopt;
}

void Front::deny(Connection& connection, const mqtt::Publish& packet, const Refusal& refusal) {
  ++parts_.counters.refused;
  log_denied(connection, client_event::publish_denied, packet.topic, refusal);
  if (packet.qos == 0) return;
  auto one = std::make_shared<Unacknowledged>();
  one->packet_id = packet.packet_id;
  one->qos = packet.qos;
  one->since = parts_.env.now();
  one->complete = packet.qos == 1 || !connection.v5();  // before 5.0 a flow of QoS 2 goes on, with PUBREL
  if (connection.v5()) {
    one->refusal = refusal.reason;
    one->text = refusal.text;
  }
  connection.underway.edit().publishes[packet.qos - 1].push_back(one);
  if (one->complete) return acknowledge(connection);
  // The error ends the flow [MQTT-4.3.3-4]: what comes next under this id is another message. A connection before may have
  // left the id in use, so it is released first; without a majority that waits, and the refusal with it, as PUBCOMP does.
  pb::Request request = request_for(connection);
  request.set_release(packet.packet_id);
  parts_.requests.submit(connection.session_slot, std::move(request),
                         [this, stream = connection.stream, one = std::move(one)](const pb::Reply& reply) {
                           Connection* now = find(stream);
                           if (now == nullptr) return;
                           if (reply.superseded()) return superseded(stream);
                           one->complete = true;
                           acknowledge(*now);
                         });
}

/// QoS 2 counts until its PUBCOMP (4.9). What an earlier connection left in use is not of this one's quota.
bool Front::within_receive_maximum(Connection& connection, const mqtt::Publish& packet) const {
  Underway& underway = connection.underway.edit();
  const std::size_t used = underway.publishes[0].size() + underway.unreleased.size();
  if (packet.qos == 2 && underway.unreleased.contains(packet.packet_id)) return true;
  if (used >= parts_.config.receive_maximum) return false;
  if (packet.qos == 2) underway.unreleased.insert(packet.packet_id);
  return true;
}

void Front::on_publish(Connection& connection, mqtt::Publish& packet) {
  ++parts_.counters.publishes_in;
  ++parts_.counters.publishes_in_by_qos[packet.qos];
  if (!resolve_alias(connection, packet)) return;
  spend_publish(connection);
  // 3.1.1 has no way to say so; as Mosquitto does, its connection is closed.
  if (packet.retain && !parts_.config.retain_available)
    return fail(connection, mqtt::Reason::retain_not_supported, "retained messages are not available [MQTT-3.2.2-14]");
  if (packet.qos > parts_.config.max_qos)
    return fail(connection, mqtt::Reason::qos_not_supported, "above the maximum QoS [MQTT-3.2.2-11]");
  if (packet.qos != 0 && connection.v5() && !within_receive_maximum(connection, packet))
    return fail(connection, mqtt::Reason::receive_maximum_exceeded, "[MQTT-3.3.4-7]");
  if (const auto no = publish_refusal(connection, packet)) return deny(connection, packet, *no);
  if (short_of_memory(connection, packet)) return;
  slot::pb::Message message = stored_message(packet, connection.client, parts_.env.wall_ms());
  if (packet.qos == 0) return route(connection, message, nullptr);
  auto waiting = std::make_shared<Unacknowledged>();
  waiting->packet_id = packet.packet_id;
  waiting->qos = packet.qos;
  waiting->since = parts_.env.now();
  connection.underway.edit().publishes[packet.qos - 1].push_back(waiting);
  if (packet.qos == 1) return route(connection, message, std::move(waiting));
  pb::Request request = request_for(connection);
  request.set_inbound(packet.packet_id);
  request.set_content(hash64(packet.payload.view(), hash64(packet.topic)));
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
  Publishing::Stored stored;
  if (waiting != nullptr)
    stored = [this, stream = connection.stream, waiting = std::move(waiting)](const Publishing::Outcome& outcome) {
      waiting->matched = outcome.matched;
      waiting->complete = true;
      Connection* now = find(stream);
      if (now == nullptr) return;
      if (outcome.over_quota) short_of_room(*waiting, "the message is not retained: there are too many");
      if (outcome.full) short_of_room(*waiting, "the queue of a subscriber is full");
      acknowledge(*now);
    };
  parts_.publishing.route(message, connection.stream, std::move(stored), connection.connected);
}

/// The message has gone to all who had room. At QoS 2 that is told in words only: a PUBREC with an error ends the flow
/// [MQTT-4.3.3-4], so a client that did not get it would send a new message, which those who had room would get again.
void Front::short_of_room(Unacknowledged& one, std::string_view text) {
  if (one.qos == 1) one.refusal = mqtt::Reason::quota_exceeded;
  one.text = text;
}

void Front::acknowledge(Connection& connection) {
  for (auto& queue : connection.underway.edit().publishes) {
    for (; !queue.empty() && queue.front()->complete; queue.pop_front()) {
      const Unacknowledged& one = *queue.front();
      mqtt::Acknowledgement said{.packet_id = one.packet_id, .reason = connection.v5() ? one.refusal : mqtt::Reason::success, .properties = {}};
      if (!one.text.empty() && connection.v5()) said.properties.edit().reason_string = one.text;
      if (mqtt::is_error(said.reason)) {
        if (one.qos == 2) connection.underway.edit().unreleased.erase(one.packet_id);
      } else {
        if (one.matched == 0) said.reason = mqtt::Reason::no_matching_subscribers;
        parts_.env.reached("publish.acked");
        ++parts_.counters.acknowledgements;
        parts_.counters.acknowledged_after.add(parts_.env.now() - one.since);
      }
      if (one.qos == 1)
        write(connection, mqtt::Puback{said});
      else
        write(connection, mqtt::Pubrec{said});
    }
  }
  read_on(connection);
}

void Front::on_pubrel(Connection& connection, const mqtt::Pubrel& packet) {
  pb::Request request = request_for(connection);
  request.set_release(packet.packet_id);
  ask(connection, std::move(request), 1, [this, id = packet.packet_id](Connection& now, const pb::Reply& reply) {
    now.underway.edit().unreleased.erase(id);
    const bool known = reply.had_size() == 0 || reply.had(0);
    write(now, mqtt::Pubcomp{{.packet_id = id,
                              .reason = known ? mqtt::Reason::success : mqtt::Reason::packet_identifier_not_found,
                              .properties = {}}});
  });
}

}  // namespace hf::node
