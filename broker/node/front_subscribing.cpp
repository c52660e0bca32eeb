// SUBSCRIBE and UNSUBSCRIBE at the front.
#include "broker/mqtt/encoder.hpp"
#include "broker/node/front.hpp"
#include "broker/node/parts.hpp"
#include "broker/topic/name.hpp"

namespace hf::node {

void Front::on_subscribe(Connection& connection, const mqtt::Subscribe& packet) {
  pb::Request request = request_for(connection);
  mqtt::Suback suback;
  suback.packet_id = packet.packet_id;
  for (const mqtt::Subscription& one : packet.subscriptions) {
    const auto parsed = topic::parse_filter(one.filter);
    if (!parsed) {
      suback.codes.push_back(static_cast<std::uint8_t>(mqtt::Reason::topic_filter_invalid));
      continue;
    }
    if (parsed->shared()) {
      suback.codes.push_back(static_cast<std::uint8_t>(mqtt::Reason::shared_subscriptions_not_supported));
      continue;
    }
    suback.codes.push_back(one.qos);
    auto& filter = *request.mutable_subscribe()->add_filters();
    filter.set_filter(one.filter);
    filter.mutable_options()->set_qos(one.qos);
    filter.mutable_options()->set_no_local(one.no_local);
    filter.mutable_options()->set_retain_as_published(one.retain_as_published);
    filter.mutable_options()->set_retain_handling(one.retain_handling);
    if (!packet.properties->subscription_identifiers.empty())
      filter.mutable_options()->set_identifier(packet.properties->subscription_identifiers.front());
  }
  if (!request.has_subscribe()) {
    mqtt::encode(suback, connection.version, connection.out);
    dirty_.insert(connection.stream);
    return;
  }
  parts_.requests.submit(connection.session_slot, std::move(request),
                         [this, stream = connection.stream, suback](const pb::Reply& reply) {
                           Connection* now = find(stream);
                           if (now == nullptr) return;
                           if (reply.superseded()) return superseded(stream);
                           mqtt::encode(suback, now->version, now->out);
                           dirty_.insert(stream);
                         });
}

void Front::on_unsubscribe(Connection& connection, const mqtt::Unsubscribe& packet) {
  pb::Request request = request_for(connection);
  for (const std::string& filter : packet.filters) request.mutable_unsubscribe()->add_filters(filter);
  parts_.requests.submit(
      connection.session_slot, std::move(request),
      [this, stream = connection.stream, id = packet.packet_id](const pb::Reply& reply) {
        Connection* now = find(stream);
        if (now == nullptr) return;
        if (reply.superseded()) return superseded(stream);
        mqtt::Unsuback unsuback;
        unsuback.packet_id = id;
        if (now->version == mqtt::Version::v5)
          for (const bool had : reply.had())
            unsuback.codes.push_back(
                static_cast<std::uint8_t>(had ? mqtt::Reason::success : mqtt::Reason::no_subscription_existed));
        mqtt::encode(unsuback, now->version, now->out);
        dirty_.insert(stream);
      });
}

}  // namespace hf::node
