// What an operator asks of the whole node: gauges, nodes, slots, readiness, whether it may be stopped.
#include "broker/node/inspection.hpp"

#include <algorithm>

#include "broker/node/parts.hpp"

namespace hf::node {

const Counters& Inspection::counters() const { return parts_.counters; }
NodeId Inspection::self() const { return parts_.config.id; }
Duration Inspection::uptime() const { return parts_.env.now() - parts_.started; }

Totals Inspection::totals() const {
  Totals all;
  all.connections = parts_.front.size();
  all.pending = parts_.front.pending();
  if (parts_.phase != ShardParts::Phase::serving) return all;
  for (SlotId id = 0; id <= parts_.local_slot(); ++id) {
    const replica::SlotReplica* held = parts_.slots.held(id);
    const bool local = id == parts_.local_slot();
    if (!local) {
      all.hints += parts_.hints.count(id) != 0 ? 1U : 0U;
      const bool serving = parts_.slots.serving(id);
      all.slots_served += serving ? 1U : 0U;
      all.slots_unserved += !serving && parts_.slots.coordinator(id) == parts_.self.node ? 1U : 0U;
    }
    if (held == nullptr) continue;
    const slot::State& state = held->state();
    if (parts_.slots.serving(id)) {
      all.subscriptions += state.totals.subscriptions;
      all.queued_messages += state.totals.queued;
      all.queued_bytes += state.totals.queued_bytes;
    }
    if (local) continue;
    ++all.slots_held;
    all.sessions += state.totals.sessions - state.totals.bound;
    all.retained_messages += state.retained.messages();
    all.retained_bytes += state.retained.bytes();
    all.log_operations += held->log().size();
    if (!parts_.slots.serving(id)) continue;
    all.sessions_served += state.totals.sessions - state.totals.bound;
    all.retained_served += state.retained.messages();
  }
  all.routes = parts_.routes.size();
  all.view_number = parts_.cluster->view_number();
  return all;
}

Readiness Inspection::readiness() const {
  if (parts_.stopping || parts_.front.away()) return Readiness::draining;
  if (parts_.phase != ShardParts::Phase::serving) return Readiness::starting;
  if (!parts_.routes.complete()) return Readiness::catching_up;  // no client is served before
  for (SlotId id = 0; id < parts_.config.slots; ++id)
    if (parts_.slots.is_replica(id) && !parts_.slots.ready(id)) return Readiness::catching_up;
  return Readiness::ready;
}

Pressure Inspection::pressure() const { return parts_.front.pressure(); }

std::vector<NodeView> Inspection::nodes() const {
  std::vector<NodeView> all;
  for (const MemberConfig& member : parts_.config.members) {
    NodeView one;
    one.id = member.id;
    one.name = member.name;
    one.address = member.address;
    one.zone = member.zone;
    one.self = member.id == parts_.config.id;
    if (parts_.cluster) {
      one.reachable = one.self || parts_.cluster->is_up(member.id);
      one.direct = one.self || parts_.cluster->direct(member.id);
      one.boot = parts_.cluster->boot_of(member.id);
      one.links = parts_.cluster->neighbours_of(member.id);
      if (!one.self) {
        one.unacknowledged_bytes = parts_.cluster->outbox_bytes(member.id);
        const cluster::Traffic traffic = parts_.cluster->traffic(member.id);
        one.bytes_in = traffic.bytes_in;
        one.bytes_out = traffic.bytes_out;
      }
    }
    all.push_back(std::move(one));
  }
  return all;
}

std::vector<SlotView> Inspection::slots() const {
  std::vector<SlotView> all;
  if (parts_.phase != ShardParts::Phase::serving) return all;
  for (SlotId id = 0; id < parts_.config.slots; ++id) {
    SlotView one;
    one.slot = id;
    one.replicas = replicas_of(id);
    one.coordinator = parts_.slots.coordinator(id);
    one.replica = parts_.slots.is_replica(id);
    one.serving = parts_.slots.serving(id);
    one.decides = parts_.slots.decides(id);
    one.waits_for_majority = parts_.coordinator.waits_for_majority(id);
    if (const replica::SlotReplica* held = parts_.slots.held(id)) {
      one.held = true;
      one.sessions = held->state().totals.sessions - held->state().totals.bound;
      one.queued_messages = held->state().totals.queued;
      one.retained_messages = held->state().retained.messages();
      one.log_operations = held->log().size();
      one.all_replicas_reachable = parts_.slots.all_replicas_reachable(id);
      for (const NodeId node : one.replicas) one.copies += held->whole_at(node) ? 1U : 0U;
    }
    all.push_back(std::move(one));
  }
  return all;
}

Inspection::Home Inspection::home_of(std::string_view client) const {
  if (parts_.phase != ShardParts::Phase::serving) return {};
  const SlotId slot = parts_.slots.slot_of(client);
  return {slot, parts_.slots.coordinator(slot), replicas_of(slot)};
}

std::vector<NodeId> Inspection::replicas_of(SlotId slot) const {
  const auto& list = parts_.slots.preference(slot);
  const auto count = std::min<std::size_t>(list.size(), parts_.config.replicas);
  return {list.begin(), list.begin() + static_cast<std::ptrdiff_t>(count)};
}

/// What is held here must have W other copies, each at a replica that can be reached; and this node must not be the last
/// keeper of messages for replicas that are out of reach.
SafeToStop Inspection::safe_to_stop() const {
  SafeToStop answer;
  const auto no = [&](std::string why) {
    answer.safe = false;
    answer.why.push_back(std::move(why));
  };
  if (parts_.phase != ShardParts::Phase::serving) {
    no("the node is starting");
    return answer;
  }
  constexpr std::size_t named_max = 10;
  const std::size_t others = parts_.config.members.size() - 1;
  std::size_t short_of = 0;
  for (SlotId id = 0; id < parts_.config.slots; ++id) {
    if (parts_.hints.count(id) != 0) no("messages for slot " + std::to_string(id) + " wait here for its replicas");
    const replica::SlotReplica* held = parts_.slots.held(id);
    if (held == nullptr) continue;
    const auto replicas = replicas_of(id);
    std::size_t copies = 0, wanted = std::min<std::size_t>(parts_.config.write_quorum, replicas.size());
    for (const NodeId node : replicas)
      copies += node != parts_.self.node && parts_.cluster->is_up(node) && held->whole_at(node) ? 1U : 0U;
    // Of R replicas this node is one: those that are left can be no more than R - 1.
    if (parts_.slots.is_replica(id)) wanted = std::min(wanted, replicas.size() - 1);
    if (copies >= wanted && others != 0) continue;
    if (held->state().seen == slot::VersionVector{}) continue;  // nothing was ever written
    if (++short_of <= named_max)
      no("slot " + std::to_string(id) + " has " + std::to_string(copies) + " whole copies on other reachable replicas, " +
         std::to_string(std::max<std::size_t>(wanted, 1)) + " are wanted");
  }
  if (short_of > named_max) no("and " + std::to_string(short_of - named_max) + " more slots");
  return answer;
}

}  // namespace hf::node
