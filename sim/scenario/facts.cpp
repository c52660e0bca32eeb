// What the checks must know of a run, from the scenario; read anew here, not asked of the broker.
#include "sim/scenario/facts.hpp"

#include <algorithm>

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
  return client;
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
}

}  // namespace hf::sim
