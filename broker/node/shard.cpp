// The shard: one single-threaded actor that is fed events and acts through the environment.
#include "broker/node/shard.hpp"

#include "broker/node/parts.hpp"

namespace hf::node {

Shard::Shard(env::Environment& environment, Config config, std::shared_ptr<const access::Guard> guard)
    : parts_(std::make_unique<ShardParts>(environment, std::move(config), std::move(guard))) {}
Shard::~Shard() = default;

void Shard::on_start() { parts_->begin_boot(); }

void Shard::on_accepted(StreamId stream, const env::Arrival& arrival) {
  if (parts_->phase != ShardParts::Phase::serving || stopped()) return parts_->env.close(stream, false);
  if (arrival.kind == env::StreamKind::client) return parts_->front.accepted(stream, arrival);
  parts_->cluster->accepted(parts_->env.now(), stream, std::string(arrival.remote), parts_->cluster_out);
}

void Shard::on_connected(StreamId stream) {
  parts_->wake();
  parts_->cluster->connected(parts_->env.now(), stream, parts_->cluster_out);
  parts_->handle_cluster_events();
}

void Shard::on_bytes(StreamId stream, const Bytes& bytes) {
  parts_->wake();
  if (parts_->front.owns(stream)) return parts_->front.bytes(stream, bytes);
  if (!parts_->cluster) return;
  parts_->cluster->set_wall(parts_->env.wall_ms());
  parts_->cluster->bytes(parts_->env.now(), stream, bytes, parts_->cluster_out);
  parts_->handle_cluster_events();
}

void Shard::on_closed(StreamId stream, env::CloseReason reason) {
  parts_->wake();
  if (parts_->front.owns(stream)) return parts_->front.lost(stream, reason);
  if (!parts_->cluster) return;
  parts_->cluster->closed(parts_->env.now(), stream, parts_->cluster_out, reason == env::CloseReason::refused);
  parts_->handle_cluster_events();
}

void Shard::on_writable(StreamId stream) { parts_->front.writable(stream); }

void Shard::on_committed(env::CommitId id, env::CommitStatus status) { parts_->committed(id, status); }

void Shard::on_rows(env::ReadId id, std::vector<env::Row> rows, env::ReadStatus status) {
  parts_->rows_read(id, std::move(rows), status);
}

void Shard::on_deadline() {
  if (parts_->phase == ShardParts::Phase::serving) parts_->tick();
}

void Shard::on_stop() {
  parts_->stopping = true;
  if (parts_->phase == ShardParts::Phase::serving) parts_->front.send_away(parts_->config.drain);
}

void Shard::set_pressure(Pressure pressure) { parts_->front.set_pressure(pressure); }
void Shard::end_turn() { parts_->end_turn(); }
std::optional<Instant> Shard::deadline() const { return parts_->deadline(); }
bool Shard::stopped() const { return parts_->stopping && !parts_->front.draining(); }

void Shard::set_guard(std::shared_ptr<const access::Guard> guard) {
  parts_->guard = std::move(guard);
  parts_->front.guard_changed();
}

const Counters& Shard::counters() const { return parts_->counters; }
Inspection& Shard::inspection() { return parts_->inspection; }

std::vector<SlotReport> Shard::report() const {
  if (parts_->phase != ShardParts::Phase::serving) return {};
  return parts_->slots.report();
}

NodeId Shard::coordinator_of(std::string_view client) const {
  if (parts_->phase != ShardParts::Phase::serving) return 0;
  return parts_->slots.coordinator(parts_->slots.slot_of(client));
}

std::vector<NodeId> Shard::replicas_of(std::string_view client) const {
  if (parts_->phase != ShardParts::Phase::serving) return {};
  const SlotId slot = parts_->slots.slot_of(client);
  std::vector<NodeId> out;
  for (const NodeId node : parts_->slots.preference(slot))
    if (parts_->slots.is_replica(slot, node)) out.push_back(node);
  return out;
}

}  // namespace hf::node
