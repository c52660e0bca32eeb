// G3: a QoS 2 message reaches a session once at most (that it reaches it at all is G2).
#include <algorithm>
#include <map>
#include <optional>
#include <tuple>
#include <vector>

#include "sim/check/case.hpp"
#include "sim/check/topic_match.hpp"

namespace hf::sim {
namespace {

/// How often a retained message may come: once for each SUBSCRIBE at QoS 2 that asked for such. (Also one of a session before: a
/// provisional session is merged with it.)
class RetainedCopies {
 public:
  explicit RetainedCopies(const Case& c) : c_(c) {
    for (std::size_t e = 0; e < c.history.events.size(); ++e) {
      const Event& event = c.event(e);
      if (event.kind != Event::Kind::subscribe_sent) continue;
      if (event.as_published) as_published_[event.client] = true;  // the flag does not tell then
      if (event.handling != 2 && event.qos == 2 && !is_shared(event.topic)) asked_[event.client].push_back(e);
    }
  }

  /// None: it cannot be told.
  [[nodiscard]] std::optional<std::size_t> allowed(const Receipt& r) const {
    const Event& now = c_.event(r.event);
    if (as_published_.contains(now.client)) return std::nullopt;
    const auto asked = asked_.find(now.client);
    if (asked == asked_.end()) return 0;
    return static_cast<std::size_t>(std::count_if(asked->second.begin(), asked->second.end(), [&](std::size_t e) {
      return e < r.event && filter_matches(c_.event(e).topic, now.topic);
    }));
  }

 private:
  const Case& c_;
  std::map<std::string, std::vector<std::size_t>> asked_;
  std::map<std::string, bool> as_published_;
};

void judge_retained_copies(const Case& c, Verdict& v) {
  const RetainedCopies copies(c);
  std::map<std::tuple<std::uint32_t, std::uint32_t, std::uint32_t>, std::vector<std::size_t>> seen;  // client, session, message
  for (const Receipt& r : c.index.receipts()) {
    const Event& now = c.event(r.event);
    if (now.qos != 2 || !now.retained) continue;
    auto& here = seen[std::make_tuple(r.client, r.session, r.message)];
    here.push_back(r.event);
    const auto allowed = copies.allowed(r);
    if (!allowed) continue;
    ++v.exercised;
    if (here.size() <= *allowed) continue;
    violate(v, c, r.event, now.client,
            now.client + " received " + named(c, r.message) + ", retained, " + std::to_string(here.size()) + " times for " +
                std::to_string(*allowed) + " SUBSCRIBE: last from " + now.node + " at " + in_seconds(now.at),
            here);
  }
}

}  // namespace

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
  judge_retained_copies(c, v);
  return v;
}

}  // namespace hf::sim
