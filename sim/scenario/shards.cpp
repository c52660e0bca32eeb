// node::Shard for the runner: the only file of this room that knows it.
#include "sim/scenario/shards.hpp"

#include <algorithm>

#include "broker/node/shard.hpp"
#include "sim/world/shard_factory.hpp"

namespace hf::sim {

namespace {

const node::Shard& shard(const env::Handler& handler) { return static_cast<const node::Shard&>(handler); }

}  // namespace

Inside shards() {
  Inside inside;
  inside.factory = shard_factory();
  inside.report = [](const env::Handler& handler) {
    std::vector<SlotCopy> copies;
    for (auto& report : shard(handler).report()) {
      SlotCopy copy;
      copy.slot = report.slot;
      copy.replica = report.replica;
      copy.digest = report.digest;
      copy.log_tail = report.log_tail;
      copy.hints = report.hints;
      copy.tombstones = report.tombstones;
      copy.text = std::move(report.text);
      copies.push_back(std::move(copy));
    }
    return copies;
  };
  inside.counters = [](const env::Handler& handler) {
    const node::Counters& c = shard(handler).counters();
    return NodeCounters{{"publishes in", c.publishes_in}, {"publishes out", c.publishes_out},
                        {"acknowledgements", c.acknowledgements}, {"operations", c.operations},
                        {"merges", c.merges}, {"failovers", c.failovers}, {"takeovers", c.takeovers},
                        {"dropped", c.dropped - c.dropped_denied - c.dropped_expired},
                        {"dropped: queue full", c.dropped_queue_full}, {"dropped: too large", c.dropped_too_large},
                        {"dropped: QoS 0", c.dropped_slow_reader + c.dropped_slow_peer},
                        {"denied", c.dropped_denied}, {"expired", c.dropped_expired}, {"hints", c.hints}, {"relayed", c.relayed}};
  };
  inside.sample = [](const env::Handler& handler) {
    const node::Inspection& inspection = const_cast<node::Shard&>(shard(handler)).inspection();  // which has no const door
    const node::Totals totals = inspection.totals();
    Sample sample;
    sample.connections = totals.connections - totals.pending;
    for (const auto& session : inspection.sessions({}, SIZE_MAX).items) {
      if (session.queued_messages > sample.queued) sample.longest = session.client;
      if (session.queued_bytes > sample.queued_bytes) sample.heaviest = session.client;
      sample.queued = std::max(sample.queued, session.queued_messages);
      sample.queued_bytes = std::max(sample.queued_bytes, session.queued_bytes);
    }
    return sample;
  };
  inside.coordinator = [](const env::Handler& handler, const std::string& client) {
    return shard(handler).coordinator_of(client);
  };
  inside.replicas = [](const env::Handler& handler, const std::string& client) {
    return shard(handler).replicas_of(client);
  };
  return inside;
}

}  // namespace hf::sim
