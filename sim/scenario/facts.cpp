// What the checks must know of a run, from the scenario; read anew here, not asked of the broker.
#include "sim/scenario/facts.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace hf::sim {

namespace {

const access::User* find(const access::Policy& policy, const std::string& name) {
  const auto it = std::find_if(policy.users.begin(), policy.users.end(), [&](const auto& user) { return user.name == name; });
  return it == policy.users.end() ? nullptr : &*it;
}

RunFacts::Client client_facts(const access::Policy& policy, const ClientSpec& spec) {
  const bool admitted = may_log_in(policy, spec);
  RunFacts::Client client;
  client.id = spec.id;
  client.clean_start = spec.clean_start;
  client.persistent = spec.persistent();
  client.draining = admitted;
  client.keep_alive = std::chrono::nanoseconds(std::chrono::seconds(spec.keep_alive)).count();
  client.session_expiry = spec.expires_after().count();
  client.user = find(policy, spec.user) != nullptr ? spec.user : "";
  client.admitted = admitted;
  client.packet_max = spec.version == mqtt::Version::v5 ? spec.maximum_packet_size : 0;
  client.properties = spec.version == mqtt::Version::v5;
  return client;
}

/// What no message of the run weighs more than: topic, payload, and room for what the broker adds.
std::uint64_t heaviest(const Scenario& scenario) {
  constexpr std::uint64_t number = 20, rest = 64, properties = 400;  // message_properties.hpp; the client's id is in them twice
  std::uint64_t most = 0;
  for (const auto& group : scenario.clients)
    for (const auto& client : group.clients) {
      const auto& items = client.publish;
      const bool has = std::any_of(items.begin(), items.end(), [](const PublishSpec& item) { return item.properties; }) ||
                       (client.will && client.will->properties);
      const std::uint64_t payload = client.id.size() + number + rest + (has ? properties + 2 * client.id.size() : 0);
      for (const auto& item : client.publish)
        most = std::max<std::uint64_t>(most, item.topic.size() + number + item.size + payload);
      if (client.will) most = std::max<std::uint64_t>(most, client.will->topic.size() + payload);
    }
  return std::max<std::uint64_t>(most, 1);
}

RunFacts::Limits limits_of(const Scenario& scenario, const node::Config& config) {
  static constexpr std::array<std::string_view, 11> judged = {
      "session.max_queued", "session.max_queued_bytes", "session.queue_policy", "session.max_subscriptions", "mqtt.max_connections",
      "mqtt.max_topic_length", "mqtt.max_topic_levels", "mqtt.connect_rate", "mqtt.connect_burst", "mqtt.publish_rate", "mqtt.publish_burst"};
  RunFacts::Limits limits;
  for (const Setting& setting : scenario.cluster.config)
    limits.declared = limits.declared || std::find(judged.begin(), judged.end(), setting.name) != judged.end();
  limits.queued = config.max_queued_messages;
  limits.queued_bytes = config.max_queued_bytes;
  limits.fits = std::min(limits.queued, limits.queued_bytes / heaviest(scenario));
  limits.full = static_cast<RunFacts::FullQueue>(config.queue_policy);
  limits.stand_ins = scenario.cluster.nodes.size() > config.replicas;
  limits.subscriptions = config.max_subscriptions;
  limits.connections = config.max_connections;
  limits.topic_length = config.max_topic_length;
  limits.topic_levels = config.max_topic_levels;
  limits.connect_rate = config.connect_rate;
  limits.connect_burst = config.connect_burst;
  limits.publish_rate = config.publish_rate;
  limits.publish_burst = config.publish_burst;
  return limits;
}

}  // namespace

bool may_log_in(const access::Policy& policy, const ClientSpec& spec) {
  if (!spec.challenge && policy.anonymous && (spec.user.empty() || policy.users.empty())) return true;
  const access::User* user = find(policy, spec.user);
  return user != nullptr && user->password == spec.password;
}

void add_facts(RunFacts& facts, const Scenario& scenario, const node::Config& config) {
  const auto nodes = static_cast<std::uint32_t>(scenario.cluster.nodes.size());
  for (const auto& node : scenario.cluster.nodes) facts.nodes.push_back(node.name);
  for (const auto& rule : scenario.cluster.access.rules)
    facts.rights.push_back({rule.user, rule.client, rule.allow, rule.publish, rule.subscribe, rule.filter});
  for (const auto& group : scenario.clients)
    for (const auto& spec : group.clients) facts.clients.push_back(client_facts(scenario.cluster.access, spec));
  facts.replicas = std::min(config.replicas, nodes);
  facts.write_quorum = config.write_quorum;
  facts.detect_after = config.detect_after.count();
  facts.will_grace = config.will_partition_grace.count();
  facts.settle = 2 * config.detect_after.count();
  facts.promise_after_restart = true;  // no client is served before the routes stand
  facts.limits = limits_of(scenario, config);
}

}  // namespace hf::sim
