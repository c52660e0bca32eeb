// G2: what was acknowledged to its publisher reaches every persistent session that matched it.
#include "sim/check/case.hpp"

namespace hf::sim {

Verdict judge_kept(const Case& c) {
  Verdict v = verdict("G2", "acknowledged means kept");
  if (too_many_disks_lost(v, c)) return v;
  const auto& facts = c.history.facts;
  if (not_applicable(
          v, facts.dropped > facts.dropped_full + facts.dropped_too_large + facts.dropped_qos_0, "messages were dropped at a declared limit, and counted"))
    return v;
  for (const Delivery& d : deliveries(c, -1)) {
    if (d.receipt == no_event && (c.limits.covers_loss(d.client, d.message) || c.limits.covers_size(d.client, d.message))) continue;
    ++v.exercised;
    if (d.receipt != no_event) continue;
    const Message& message = c.index.messages()[d.message];
    const Event& acked = c.event(message.acked);
    const Event& subscribed = c.event(d.subscribed);
    const std::string& client = c.index.clients()[d.client].id;
    violate(v,
            c,
            message.acked,
            client,
            client + " never received " + named(c, d.message) + ": " + acked.node +
                " acknowledged it at " + in_seconds(acked.at) + " (QoS " +
                std::to_string(c.event(message.sends.front()).qos) + "), and " + client +
                " had held " + subscribed.topic + " since " + in_seconds(subscribed.at) +
                " (SUBACK from " + subscribed.node + ") to the end of the run",
            {d.subscribed, message.sends.front()});
  }
  return v;
}

}  // namespace hf::sim
