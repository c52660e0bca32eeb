// The families of /metrics about slots, replicas, other nodes and the disk.
#include "broker/admin/families.hpp"

namespace hf::admin {
namespace {

std::uint64_t one_if(bool condition) { return condition ? 1 : 0; }

void write_slots(Exposition& out, const node::Counters& counters, const node::Totals& totals) {
  out.gauge("holdfast_slots", "Slots by what this node is to them; unserved: it should serve them and is not ready.");
  out.sample(totals.slots_held, {{"state", "held"}});
  out.sample(totals.slots_served, {{"state", "served"}});
  out.sample(totals.slots_unserved, {{"state", "unserved"}});
  out.gauge("holdfast_replication_lag_operations", "Operations kept here for replicas that have not confirmed them.");
  out.sample(totals.log_operations);
  out.gauge("holdfast_slots_with_hints", "Slots for whose replicas messages are kept here.");
  out.sample(totals.hints);
  out.counter("holdfast_hints_total", "Messages stored for replicas that were out of reach.");
  out.sample(counters.hints);
  out.counter("holdfast_operations_total", "Operations applied to slots held here.");
  out.sample(counters.operations);
  out.counter("holdfast_merges_total", "Whole slot states merged.");
  out.sample(counters.merges);
  out.counter("holdfast_failovers_total", "Slots that this node began to serve after another.");
  out.sample(counters.failovers);
}

void write_nodes(Exposition& out, const node::Counters& counters, const node::Inspection& inspection) {
  const auto nodes = inspection.nodes();
  const auto each = [&](auto value) {
    for (const auto& node : nodes) {
      if (!node.self) out.sample(value(node), {{"peer", std::to_string(node.id)}, {"peer_name", node.name}});
    }
  };
  out.gauge("holdfast_peer_reachable", "1: this node reaches the peer, directly or through a third.");
  each([](const node::NodeView& node) { return one_if(node.reachable); });
  out.gauge("holdfast_peer_direct", "1: the link between this node and the peer is up.");
  each([](const node::NodeView& node) { return one_if(node.direct); });
  out.gauge("holdfast_peer_unacknowledged_bytes", "Bytes sent to the peer that it has not acknowledged.");
  each([](const node::NodeView& node) { return node.unacknowledged_bytes; });
  out.counter("holdfast_peer_bytes_total", "Bytes over the direct link with the peer.");
  for (const auto& node : nodes) {
    if (node.self) continue;
    const std::string id = std::to_string(node.id);
    out.sample(node.bytes_in, {{"peer", id}, {"peer_name", node.name}, {"direction", "in"}});
    out.sample(node.bytes_out, {{"peer", id}, {"peer_name", node.name}, {"direction", "out"}});
  }
  out.counter("holdfast_relayed_frames_total", "Frames between two other nodes that went through this one.");
  out.sample(counters.relayed);
  out.counter("holdfast_view_changes_total", "How often a peer came within reach, or went out of it.");
  out.sample(inspection.totals().view_number);
}

void write_storage(Exposition& out, const node::Counters& counters) {
  out.counter("holdfast_storage_commits_total", "Batches handed to storage.");
  out.sample(counters.commits);
  out.histogram("holdfast_storage_commit_seconds", "From a batch handed to storage until it is stable.", counters.committed_after);
}

}  // namespace

void write_cluster(Exposition& out, const node::Inspection& inspection) {
  const auto& counters = inspection.counters();
  write_slots(out, counters, inspection.totals());
  write_nodes(out, counters, inspection);
  write_storage(out, counters);
}

}  // namespace hf::admin
