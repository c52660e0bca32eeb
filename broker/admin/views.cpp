// The objects of the API, as JSON.
#include "broker/admin/views.hpp"

namespace hf::admin {

using Json = nlohmann::ordered_json;

std::string_view word_of(node::Readiness readiness) {
  switch (readiness) {
    case node::Readiness::starting: return "starting";
    case node::Readiness::catching_up: return "catching_up";
    case node::Readiness::ready: return "ready";
    case node::Readiness::draining: return "draining";
  }
  return "starting";
}

Json view(const node::NodeView& node) {
  return {{"id", node.id},
          {"name", node.name},
          {"address", node.address},
          {"zone", node.zone},
          {"self", node.self},
          {"reachable", node.reachable},
          {"direct", node.direct},
          {"boot", node.boot},
          {"links", node.links},
          {"bytes_in", node.bytes_in},
          {"bytes_out", node.bytes_out},
          {"unacknowledged_bytes", node.unacknowledged_bytes}};
}

Json view(const node::SlotView& slot) {
  return {{"slot", slot.slot},
          {"replicas", slot.replicas},
          {"coordinator", slot.coordinator},
          {"held", slot.held},
          {"replica", slot.replica},
          {"serving", slot.serving},
          {"decides", slot.decides},
          {"waits_for_majority", slot.waits_for_majority},
          {"sessions", slot.sessions},
          {"queued_messages", slot.queued_messages},
          {"retained_messages", slot.retained_messages},
          {"log_operations", slot.log_operations},
          {"all_replicas_reachable", slot.all_replicas_reachable},
          {"copies", slot.copies}};
}

Json view(const node::ClientView& client) {
  return {{"client", client.client},
          {"user", client.user},
          {"remote", client.remote},
          {"listener", client.listener},
          {"protocol", client.protocol},
          {"clean_start", client.clean_start},
          {"bound", client.bound},
          {"session_expiry_s", client.session_expiry_s},
          {"keep_alive_s", client.keep_alive_s},
          {"connected_ms", client.connected_ms},
          {"silent_ms", client.silent_ms},
          {"slot", client.slot},
          {"coordinator", client.coordinator},
          {"in_flight_out", client.in_flight_out},
          {"in_flight_in", client.in_flight_in},
          {"held_back", client.held_back},
          {"unstored_acks", client.unstored_acks},
          {"unsent_bytes", client.unsent_bytes},
          {"paused", client.paused}};
}

Json view(const node::SessionView& session) {
  return {{"client", session.client},
          {"slot", session.slot},
          {"replicas", session.replicas},
          {"coordinator", session.coordinator},
          {"connected", session.connected},
          {"front", session.front},
          {"expiry_s", session.expiry_s},
          {"closed_ms", session.closed_ms},
          {"subscriptions", session.subscriptions},
          {"queued_messages", session.queued_messages},
          {"queued_bytes", session.queued_bytes},
          {"in_flight", session.in_flight},
          {"will", session.will}};
}

Json view(const node::SubscriptionView& subscription) {
  return {{"client", subscription.client},
          {"filter", subscription.filter},
          {"qos", subscription.qos},
          {"no_local", subscription.no_local},
          {"retain_as_published", subscription.retain_as_published},
          {"retain_handling", subscription.retain_handling},
          {"identifier", subscription.identifier}};
}

Json view(const node::RetainedView& retained) {
  return {{"topic", retained.topic},
          {"bytes", retained.bytes},
          {"qos", retained.qos},
          {"publisher", retained.publisher},
          {"stamped_ms", retained.stamped_ms}};
}

Json view(const node::Totals& totals) {
  return {{"connections", totals.connections},
          {"pending", totals.pending},
          {"sessions", totals.sessions},
          {"sessions_served", totals.sessions_served},
          {"subscriptions", totals.subscriptions},
          {"queued_messages", totals.queued_messages},
          {"queued_bytes", totals.queued_bytes},
          {"retained_messages", totals.retained_messages},
          {"retained_bytes", totals.retained_bytes},
          {"retained_served", totals.retained_served},
          {"slots_held", totals.slots_held},
          {"slots_served", totals.slots_served},
          {"slots_unserved", totals.slots_unserved},
          {"log_operations", totals.log_operations},
          {"hints", totals.hints},
          {"routes", totals.routes},
          {"view_number", totals.view_number}};
}

Json view(const node::Counters& counters) {
  return {{"publishes_in", counters.publishes_in},
          {"publishes_out", counters.publishes_out},
          {"bytes_in", counters.bytes_in},
          {"bytes_out", counters.bytes_out},
          {"connects", counters.connects},
          {"acknowledgements", counters.acknowledgements},
          {"dropped", counters.dropped},
          {"refused", counters.refused}};
}

}  // namespace hf::admin
