// The families of /metrics about clients and their messages.
#include "broker/admin/families.hpp"

#include <array>

namespace hf::admin {
namespace {

constexpr std::array<const char*, 3> qos_names{"0", "1", "2"};

void write_connections(Exposition& out, const node::Counters& counters, const node::Totals& totals) {
  out.gauge("holdfast_connections", "Client connections of this node that have said CONNECT.");
  out.sample(totals.connections);
  out.gauge("holdfast_connections_pending", "Client connections whose CONNECT is not accepted yet.");
  out.sample(totals.pending);
  out.gauge("holdfast_connections_max", "The most client connections at once since boot.");
  out.sample(counters.connections_max);
  out.counter("holdfast_connects_total", "CONNECT packets accepted.");
  out.sample(counters.connects);
  out.counter("holdfast_connects_refused_total", "CONNECT packets answered with an error code, and connections refused because too many had not said CONNECT.");
  out.sample(counters.connects_refused);
  out.counter("holdfast_keep_alive_expired_total", "Connections closed because their client was silent for too long.");
  out.sample(counters.keep_alive_expired);
}

void write_traffic(Exposition& out, const node::Counters& counters) {
  out.counter("holdfast_packets_total", "MQTT control packets of clients.");
  out.sample(counters.packets_in, {{"direction", "in"}});
  out.sample(counters.packets_out, {{"direction", "out"}});
  out.counter("holdfast_bytes_total", "Bytes of clients, as MQTT counts them.");
  out.sample(counters.bytes_in, {{"direction", "in"}});
  out.sample(counters.bytes_out, {{"direction", "out"}});
  out.counter("holdfast_publishes_total", "PUBLISH packets of clients.");
  for (std::size_t qos = 0; qos < qos_names.size(); ++qos) {
    out.sample(counters.publishes_in_by_qos[qos], {{"direction", "in"}, {"qos", qos_names[qos]}});
    out.sample(counters.publishes_out_by_qos[qos], {{"direction", "out"}, {"qos", qos_names[qos]}});
  }
  out.counter("holdfast_messages_dropped_total", "Messages dropped at a declared limit.");
  out.sample(counters.dropped_queue_full, {{"reason", "queue_full"}});
  out.sample(counters.dropped_slow_reader, {{"reason", "slow_reader"}});
  out.sample(counters.dropped_slow_peer, {{"reason", "slow_peer"}});
  out.sample(counters.dropped_expired, {{"reason", "expired"}});
  out.sample(counters.dropped_too_large, {{"reason", "too_large"}});
  out.sample(counters.dropped_denied, {{"reason", "denied"}});
  out.sample(counters.dropped_memory, {{"reason", "memory"}});
  out.counter("holdfast_publishes_refused_total", "PUBLISH packets that were not carried out.");
  out.sample(counters.refused);
}

void write_acknowledgements(Exposition& out, const node::Counters& counters) {
  out.counter("holdfast_acknowledgements_total", "PUBACK and PUBREC packets sent to publishers.");
  out.sample(counters.acknowledgements);
  out.histogram("holdfast_acknowledgement_seconds", "From a PUBLISH taken to its PUBACK or PUBREC written.",
                counters.acknowledged_after);
  out.counter("holdfast_stable_copies_total",
              "Answers that waited for copies (acknowledgements, SUBACK, CONNACK), by the copies on stable storage when they were "
              "released; 8 stands for 8 or more.");
  for (std::size_t copies = 0; copies < counters.stable_copies.size(); ++copies) {
    out.sample(counters.stable_copies[copies], {{"copies", std::to_string(copies)}});
  }
}

void write_sessions(Exposition& out, const node::Counters& counters, const node::Totals& totals) {
  out.gauge("holdfast_sessions_held", "Persistent sessions in slots that this node holds a copy of.");
  out.sample(totals.sessions);
  out.gauge("holdfast_sessions", "Persistent sessions that this node serves: the sum over all nodes is the cluster's.");
  out.sample(totals.sessions_served);
  out.counter("holdfast_session_events_total", "Sessions created, resumed and ended here, and connections taken over.");
  out.sample(counters.sessions_created, {{"event", "created"}});
  out.sample(counters.sessions_resumed, {{"event", "resumed"}});
  out.sample(counters.sessions_ended, {{"event", "ended"}});
  out.sample(counters.takeovers, {{"event", "taken_over"}});
  out.gauge("holdfast_subscriptions", "Subscriptions of sessions served here.");
  out.sample(totals.subscriptions);
  out.gauge("holdfast_routes", "Filters known of all nodes.");
  out.sample(totals.routes);
  out.gauge("holdfast_queued_messages", "Messages of sessions served here, in flight or waiting.");
  out.sample(totals.queued_messages);
  out.gauge("holdfast_queued_bytes", "Their bytes.");
  out.sample(totals.queued_bytes);
  out.gauge("holdfast_retained_messages_held", "Retained messages in slots that this node holds a copy of.");
  out.sample(totals.retained_messages);
  out.gauge("holdfast_retained_bytes_held", "Their bytes.");
  out.sample(totals.retained_bytes);
  out.gauge("holdfast_retained_messages", "Retained messages that this node serves: the sum over all nodes is the cluster's.");
  out.sample(totals.retained_served);
}

}  // namespace

void write_messages(Exposition& out, const node::Counters& counters, const node::Totals& totals) {
  write_connections(out, counters, totals);
  write_traffic(out, counters);
  write_acknowledgements(out, counters);
  write_sessions(out, counters, totals);
}

}  // namespace hf::admin
