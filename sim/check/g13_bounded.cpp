// G13: what has a declared limit stays within it, and nothing acknowledged is dropped without a counter that says so.
#include <algorithm>
#include <map>
#include <set>

#include "sim/check/case.hpp"

namespace hf::sim {
namespace {

using Kind = Event::Kind;

constexpr std::uint8_t topic_filter_invalid = 0x8F, topic_name_invalid = 0x90, quota_exceeded = 0x97;

std::string many(std::uint64_t count, const std::string& what, std::uint64_t most) {
  return std::to_string(count) + " " + what + ", where " + std::to_string(most) + " are the most";
}

/// The last event at or before t.
std::size_t event_by(const Case& c, VirtualTime t) {
  const auto& events = c.history.events;
  const auto it = std::partition_point(events.begin(), events.end(), [&](const Event& event) { return event.at <= t; });
  return it == events.begin() ? no_event : static_cast<std::size_t>(it - events.begin()) - 1;
}

/// Topics and filters that are too long or too deep are refused, and only those; none of it reaches anybody.
void judge_topics(Verdict& v, const Case& c) {
  for (std::size_t e = 0; e < c.history.events.size(); ++e) {
    const Event& event = c.event(e);
    const std::uint32_t topic = event.client.empty() ? no_id : c.index.topic_of(e);
    if (topic == no_id) continue;
    const bool allowed = c.limits.allows(topic);
    const auto judge = [&](bool good, const std::string& text) {
      ++v.exercised;
      if (!good) violate(v, c, e, event.client, event.client + text + event.topic + " at " + event.node, {});
    };
    if (event.kind == Kind::publish_abandoned && event.code == topic_name_invalid) judge(!allowed, " may not publish to ");
    if (event.kind == Kind::subscribed && event.code == topic_filter_invalid) judge(!allowed, " may not subscribe to ");
    if (event.kind == Kind::subscribed && event.code < 0x80 && !allowed) judge(false, " subscribed, beyond the limit, to ");
    if (event.kind == Kind::received && !allowed) judge(false, " received, beyond the limit, ");
  }
}

/// On one connection in steady times, whose SUBACKs all come from one coordinator.
void judge_subscriptions(Verdict& v, const Case& c) {
  const std::uint64_t most = c.history.facts.limits.subscriptions;
  struct Held {
    VirtualTime since = 0;
    std::set<std::uint32_t> filters;
  };
  std::map<std::size_t, Held> held;                        // by connection
  std::map<std::uint32_t, std::set<std::uint32_t>> asked;  // by client: ever
  for (std::size_t e = 0; e < c.history.events.size(); ++e) {
    const Event& event = c.event(e);
    const bool asks = event.kind == Kind::subscribe_sent || event.kind == Kind::unsubscribe_sent;
    if (!asks && event.kind != Kind::subscribed) continue;
    const std::uint32_t filter = c.index.topic_of(e);
    Held& now = held[c.index.connection_of(e)];
    auto& ever = asked[c.index.client_of(e)];
    if (c.topology.changes(now.since, event.at) != 0) now.filters.clear();
    now.since = event.at;
    if (event.kind == Kind::unsubscribe_sent) now.filters.erase(filter);
    if (event.kind == Kind::subscribe_sent) ever.insert(filter);
    if (event.kind != Kind::subscribed) continue;
    if (event.code == quota_exceeded) {
      ++v.exercised;
      if (ever.size() <= most)
        violate(v, c, e, event.client, event.client + " was refused a subscription, having asked for no more than " + std::to_string(most), {});
    } else if (event.code < 0x80 && now.filters.insert(filter).second && now.filters.size() > most) {
      ++v.exercised;
      violate(v, c, e, event.client, event.client + " was granted " + many(now.filters.size(), "subscriptions", most), {});
    }
  }
}

/// A connection gets answers no faster than it may publish. Clocks may run one in a hundred apart.
void judge_publish_rate(Verdict& v, const Case& c) {
  const auto& limits = c.history.facts.limits;
  if (limits.publish_rate == 0) return;
  std::map<std::size_t, std::pair<std::uint64_t, std::uint64_t>> seen;  // by connection: sent, answered
  for (std::size_t e = 0; e < c.history.events.size(); ++e) {
    const Event& event = c.event(e);
    const bool answer = event.kind == Kind::publish_acked || (event.kind == Kind::publish_abandoned && event.code >= 0x80);
    if (!answer && event.kind != Kind::publish_sent) continue;
    const std::size_t i = c.index.connection_of(e);
    if (i == no_event || c.index.connections()[i].sent == no_event) continue;
    auto& [sent, answered] = seen[i];
    ++(answer ? answered : sent);
    if (!answer) continue;
    const VirtualTime open = event.at - c.event(c.index.connections()[i].sent).at;
    const auto earned = static_cast<std::uint64_t>((open + open / 100) / 1'000'000 * limits.publish_rate / 1000);
    const std::uint64_t most = limits.publish_burst + earned + 1;
    if (sent <= most) continue;
    ++v.exercised;
    if (answered > most)
      violate(v, c, e, event.client, event.client + " at " + event.node + " has had answers to " + many(answered, "messages", most), {});
  }
}

/// As the nodes were seen from inside. Whoever coordinates a slot keeps to the limit by what it knows: what several
/// nodes, or boots of one, took in without knowing of each other comes together later.
void judge_samples(Verdict& v, const Case& c) {
  const auto& limits = c.history.facts.limits;
  std::vector<VirtualTime> restarts;
  for (const Event& event : c.history.events)
    if (event.kind == Kind::node_restarted) restarts.push_back(event.at);
  for (const Sample& sample : c.history.samples) {
    const auto judge = [&](std::uint64_t count, std::uint64_t limit, std::uint64_t most, const std::string& whose, const std::string& what) {
      if (count >= limit) ++v.exercised;
      if (count > most)
        violate(v, c, event_by(c, sample.at), "", sample.node + " at " + in_seconds(sample.at) + ": " + whose + many(count, what, most), {});
    };
    const auto boots = static_cast<std::uint64_t>(std::upper_bound(restarts.begin(), restarts.end(), sample.at) - restarts.begin());
    const std::uint64_t writers = c.topology.changes(0, sample.at) == 0 ? 1 : c.history.facts.nodes.size() + boots;
    const auto times = [&](std::uint64_t limit) { return limit > UINT64_MAX / writers ? UINT64_MAX : limit * writers; };
    judge(sample.connections, limits.connections, limits.connections, "", "connections");
    judge(sample.queued, limits.queued, times(limits.queued), "the queue of " + sample.longest + " has ", "messages");
    judge(sample.queued_bytes, limits.queued_bytes, times(limits.queued_bytes), "the queue of " + sample.heaviest + " has ", "bytes");
  }
}

/// Every message that is missing, and every one that was refused for want of room, is one that a node counted.
void judge_counted(Verdict& v, const Case& c) {
  std::uint64_t missing = 0, refused = 0;
  std::size_t last = no_event;
  for (const Delivery& d : deliveries(c, -1)) {
    if (d.receipt != no_event) continue;
    ++missing;
    last = c.index.messages()[d.message].acked;
  }
  for (std::size_t e = 0; e < c.history.events.size(); ++e) {
    const Event& event = c.event(e);
    if (event.kind != Kind::publish_abandoned || event.code != quota_exceeded) continue;
    const std::uint32_t message = c.index.message_of(e);
    if (message == no_id || c.event(c.index.messages()[message].sends.front()).retained) continue;
    ++refused;
    if (last == no_event) last = e;
  }
  v.exercised += missing + refused;
  if (missing + refused > c.history.facts.dropped)
    violate(v, c, last, "", std::to_string(missing) + " acknowledged messages never came and " + std::to_string(refused) +
            " were refused for want of room; the nodes counted " + std::to_string(c.history.facts.dropped) + " as dropped", {});
}

void judge_connects(Verdict& v, const Case& c) {
  for (const Connection& connection : c.index.connections())
    if (connection.refused != no_event && c.limits.covers_connect(connection.refused)) ++v.exercised;  // others are G6's
}

}  // namespace

Verdict judge_bounded(const Case& c) {
  Verdict v = verdict("G13", "bounded");
  judge_topics(v, c);
  judge_subscriptions(v, c);
  judge_publish_rate(v, c);
  judge_samples(v, c);
  judge_connects(v, c);
  const auto& facts = c.history.facts;
  if (facts.disks_lost + 1 <= std::max<std::uint64_t>(facts.write_quorum, 1)) judge_counted(v, c);
  return v;
}

}  // namespace hf::sim
