// G3: a QoS 2 message reaches a session once at most (that it reaches it at all is G2).
#include <map>
#include <tuple>

#include "sim/check/case.hpp"

namespace hf::sim {

Verdict judge_exactly_once(const Case& c) {
  Verdict v = verdict("G3", "exactly once");
  if (too_many_disks_lost(v, c)) return v;
  if (not_applicable(
          v, !c.history.facts.qos2_waits, "qos2.minority is `continue`: duplicates are allowed"))
    return v;
  for (const Event& event : c.history.events)
    if (event.kind == Event::Kind::publish_completed) ++v.exercised;
  std::map<std::tuple<std::uint32_t, std::uint32_t, std::uint32_t>, std::size_t>
      seen;  // client, session, message
  for (const Receipt& r : c.index.receipts()) {
    const Event& now = c.event(r.event);
    if (now.qos != 2 || now.retained) continue;
    // Once through each group and once through plain subscriptions is not twice; G10 looks at groups.
    const std::uint32_t topic = c.index.messages()[r.message].topic;
    if (c.subscriptions.through_group(topic, r.client) && c.subscriptions.matching(topic, r.client).size() > 1) continue;
    ++v.exercised;
    const auto [it, first] = seen.emplace(std::make_tuple(r.client, r.session, r.message), r.event);
    if (first) continue;
    const Event& before = c.event(it->second);
    const auto place = [](const Event& e) {
      return "from " + e.node + " at " + in_seconds(e.at) + " (id " + std::to_string(e.packet_id) +
             ", dup " + (e.flag ? "1)" : "0)");
    };
    const auto& sends = c.index.messages()[r.message].sends;
    violate(v,
            c,
            r.event,
            now.client,
            now.client + " received " + named(c, r.message) + " twice: " + place(before) + ", " +
                place(now),
            {it->second,
             sends.empty() ? no_event : sends.front(),
             sends.empty() ? no_event : sends.back()});
  }
  return v;
}

}  // namespace hf::sim
