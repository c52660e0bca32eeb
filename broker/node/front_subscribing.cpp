// SUBSCRIBE and UNSUBSCRIBE at the front.
#include <algorithm>

#include "broker/node/client_log.hpp"
#include "broker/node/front.hpp"
#include "broker/node/parts.hpp"
#include "broker/topic/name.hpp"

namespace hf::node {

/// What CONNACK said is not available is not asked for.
std::optional<Refusal> Front::subscribe_refusal(const Connection& connection, const mqtt::Subscribe& packet) const {
  if (!connection.v5()) return std::nullopt;
  const auto wildcard = [](const mqtt::Subscription& one) { return one.filter.find_first_of("+#") != std::string::npos; };
  if (!parts_.config.wildcard_available && std::any_of(packet.subscriptions.begin(), packet.subscriptions.end(), wildcard))
    return Refusal{mqtt::Reason::wildcard_subscriptions_not_supported, "wildcard subscriptions are not available"};
  if (!parts_.config.subscription_identifiers_available && !packet.properties->subscription_identifiers.empty())
    return Refusal{mqtt::Reason::subscription_identifiers_not_supported, "subscription identifiers are not available"};
  return std::nullopt;
}

/// The code that one filter of a SUBSCRIBE is answered with, as far as this front can tell.
mqtt::Reason Front::filter_answer(const Connection& connection, const mqtt::Subscription& one) const {
  const auto parsed = topic::parse_filter(one.filter);
  if (!parsed || topic_refusal(one.filter)) return mqtt::Reason::topic_filter_invalid;
  if (!parts_.guard->may_subscribe(who(connection), one.filter)) return mqtt::Reason::not_authorized;
  if (parsed->shared() && !parts_.config.shared_available) return mqtt::Reason::shared_subscriptions_not_supported;
  // What a member of a group may not have would be dealt to it all the same, and be gone.
  if (parsed->shared() && !parts_.guard->may_receive_all(who(connection), parsed->filter)) return mqtt::Reason::not_authorized;
  const bool wildcard = parsed->filter.find_first_of("+#") != std::string_view::npos;
  if (wildcard && !parts_.config.wildcard_available) return mqtt::Reason::wildcard_subscriptions_not_supported;
  return static_cast<mqtt::Reason>(std::min(one.qos, parts_.config.max_qos));  // [MQTT-3.2.2-10], [MQTT-3.8.4-7]
}

void Front::on_subscribe(Connection& connection, const mqtt::Subscribe& packet) {
  if (const auto no = subscribe_refusal(connection, packet)) return fail(connection, no->reason, no->text);
  pb::Request request = request_for(connection);
  mqtt::Suback suback;
  suback.packet_id = packet.packet_id;
  std::vector<std::size_t> asked;  // which codes the coordinator has the last word on
  for (const mqtt::Subscription& one : packet.subscriptions) {
    const mqtt::Reason answer = filter_answer(connection, one);
    suback.codes.push_back(mqtt::code(answer));
    if (mqtt::is_error(answer)) continue;
    asked.push_back(suback.codes.size() - 1);
    auto& filter = *request.mutable_subscribe()->add_filters();
    filter.set_filter(one.filter);
    filter.mutable_options()->set_qos(mqtt::code(answer));
    const Mutant& mutant = parts_.config.mutant;
    filter.mutable_options()->set_no_local(one.no_local && !mutant.is("no_local_ignored"));
    filter.mutable_options()->set_retain_as_published((one.retain_as_published || mutant.is("retain_as_published_unasked")) &&
                                                      !mutant.is("retain_as_published_ignored"));
    filter.mutable_options()->set_retain_handling(mutant.is("retain_handling_ignored") ? 0 : one.retain_handling);
    if (!packet.properties->subscription_identifiers.empty())
      filter.mutable_options()->set_identifier(packet.properties->subscription_identifiers.front());
  }
  const auto denied = std::find_if(suback.codes.begin(), suback.codes.end(), [](std::uint8_t code) { return code >= 0x80; });
  if (denied != suback.codes.end()) {
    const auto& filter = packet.subscriptions[static_cast<std::size_t>(denied - suback.codes.begin())].filter;
    const std::size_t more = packet.subscriptions.size() - asked.size() - 1;
    log_denied(connection, client_event::subscribe_denied, filter, {static_cast<mqtt::Reason>(*denied), ""}, more);
  }
  if (!request.has_subscribe()) return write(connection, std::move(suback));
  slot::to_pb(parts_.stamp(), request.mutable_subscribe()->mutable_asked());
  ask(connection, std::move(request), asked.size(), [this, suback, asked](Connection& now, const pb::Reply& reply) mutable {
    for (std::size_t i = 0; i < asked.size() && i < static_cast<std::size_t>(reply.codes_size()); ++i)
      suback.codes[asked[i]] = static_cast<std::uint8_t>(reply.codes(static_cast<int>(i)));
    write(now, std::move(suback));
  });
}

void Front::on_unsubscribe(Connection& connection, const mqtt::Unsubscribe& packet) {
  pb::Request request = request_for(connection);
  for (const std::string& filter : packet.filters) request.mutable_unsubscribe()->add_filters(filter);
  ask(connection, std::move(request), packet.filters.size(), [this, id = packet.packet_id](Connection& now, const pb::Reply& reply) {
    mqtt::Unsuback unsuback;
    unsuback.packet_id = id;
    if (now.v5())
      for (const bool had : reply.had())
        unsuback.codes.push_back(mqtt::code(had ? mqtt::Reason::success : mqtt::Reason::no_subscription_existed));
    write(now, std::move(unsuback));
  });
}

}  // namespace hf::node
