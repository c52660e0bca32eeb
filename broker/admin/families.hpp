// The families of /metrics.
#pragma once

#include "broker/admin/prometheus.hpp"
#include "broker/node/inspection.hpp"

namespace hf::admin {

/// Clients, messages, sessions, what is stored: names begin with holdfast_.
void write_messages(Exposition& out, const node::Counters& counters, const node::Totals& totals);
/// Slots, replicas, other nodes, the disk.
void write_cluster(Exposition& out, const node::Inspection& inspection);

}  // namespace hf::admin
