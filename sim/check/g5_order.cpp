// G5: first deliveries come in publish order, per publisher connection, topic and QoS.
#include <map>
#include <set>
#include <tuple>

#include "sim/check/case.hpp"

namespace hf::sim {
namespace {

/// Was the message sent again on another connection of its publisher before event `until`?
bool hopped(const Case& c, const Message& message, std::size_t until) {
  const std::uint64_t first = c.event(message.sends.front()).connection;
  for (const std::size_t send : message.sends) {
    if (send >= until) break;
    if (c.event(send).connection != first) return true;
  }
  return false;
}

/// May a node have taken all others for lost at that time: was it cut off for long enough to think so, and is that so, or over for
/// so short a time that it need not know yet?
bool may_know_nobody(const Case& c, VirtualTime at) {
  const VirtualTime detect = c.history.facts.detect_after, settle = c.history.facts.settle;
  for (VirtualTime back = 0; back <= settle; back += detect / 8)
    if (!c.topology.ever_sound(at - back - detect, at - back)) return true;
  return false;
}

/// `later` overtook `earlier`: could the broker have kept them in order? Not when the cut moved
/// in between, or so many nodes were away that `earlier` lay where nobody could see it.
bool order_owed(const Case& c,
                std::size_t earlier_sent,
                std::size_t earlier_acked,
                std::size_t later_sent,
                std::size_t later_received) {
  const Topology& topology = c.topology;
  const VirtualTime a = c.event(earlier_sent).at, b = c.event(later_sent).at,
                    got = c.event(later_received).at;
  const VirtualTime settle = c.history.facts.settle;
  if (topology.steady(a - settle, got) && topology.undisturbed(a, got)) return true;
  // A node that knew of no other replica in reach, and so acknowledged `earlier` alone, is there, or has passed it on.
  const VirtualTime acked = earlier_acked == no_event ? a : c.event(earlier_acked).at;
  const auto calm = topology.last_calm(b);
  const bool told = earlier_acked == no_event || !may_know_nobody(c, acked) || topology.calm_at(b) || (calm && *calm - settle >= a);
  if (topology.sound(a, got)) return told;  // fewer than W away all the while
  if (!topology.sound(b, got)) return false;
  if (topology.steady(b - settle, b) && told) return true;  // settled after whatever happened
  // Sent right after a heal: in order if the cut was the same since `earlier`. Who took that may be cut off from its publisher
  // by another one, and nobody knows of it before the links are back.
  return c.history.facts.order_across_heal && topology.undisturbed(a, got) && topology.no_node_changed(a - settle, got) &&
         topology.changes(a - settle, b) <= 1;
}

/// On a side that may see no replica, or does not know yet that it does again, a message sent before this session had asked for
/// it waits for the subscription of the session before, with which this one is merged; newer ones do not.
bool awaits_merge(const Case& c, std::uint32_t client, std::uint32_t topic, std::size_t began, std::size_t sent) {
  const VirtualTime at = c.event(sent).at;
  if (c.topology.sound(at - c.history.facts.settle, at)) return false;
  for (const std::size_t s : c.subscriptions.matching(topic, client))
    for (const Interval& interval : c.subscriptions.all()[s].intervals)
      if (interval.start > began && interval.start < sent) return false;
  return true;
}

struct Newest {
  std::uint64_t number = 0;
  std::size_t sent = no_event, received = no_event;
};

}  // namespace

Verdict judge_order(const Case& c) {
  Verdict v = verdict("G5", "order");
  std::set<std::tuple<std::uint32_t, std::uint32_t, std::uint32_t>>
      seen;  // client, session, message
  // client, session, publisher, topic, QoS published and received, publisher's connection
  std::map<std::tuple<std::uint32_t,
                      std::uint32_t,
                      std::uint32_t,
                      std::uint32_t,
                      std::uint8_t,
                      std::uint64_t>,
           Newest>
      newest;
  // Where a session began: what was sent before and comes through it was merged from the one before it.
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::size_t> began;
  for (const Connection& one : c.index.connections())
    if (one.connected != no_event && !c.event(one.connected).flag)
      began.try_emplace({one.client, one.session}, one.connected);
  for (const Receipt& r : c.index.receipts()) {
    const Event& now = c.event(r.event);
    const Message& message = c.index.messages()[r.message];
    if (now.retained || message.sends.empty() || message.sends.front() > r.event) continue;
    if (c.subscriptions.through_group(message.topic, r.client)) continue;  // order is per subscriber, not per group
    if (!seen.emplace(r.client, r.session, r.message).second) continue;
    // QoS 0 keeps no memory: who was away at the first send may see what the publisher sent again, and
    // newer messages before it.
    if (now.qos == 0 && hopped(c, message, r.event)) continue;
    const std::size_t sent = message.sends.front();
    const auto first = began.find({r.client, r.session});
    if (first != began.end() &&
        (sent < first->second || awaits_merge(c, r.client, message.topic, first->second, sent)))
      continue;
    Newest& last = newest[{
        r.client, r.session, message.publisher, message.topic,
        static_cast<std::uint8_t>(c.event(sent).qos << 4U | now.qos), c.event(sent).connection}];
    if (last.number != 0) ++v.exercised;
    if (last.number > message.number && order_owed(c, sent, message.acked, last.sent, last.received) &&
        !c.limits.covers_lateness(r.client, r.message, now.at)) {
      const Event& other = c.event(last.received);
      violate(v,
              c,
              r.event,
              now.client,
              now.client + " received " + named(c, r.message) + " at " + in_seconds(now.at) +
                  " from " + now.node + " after #" + std::to_string(last.number) + " at " +
                  in_seconds(other.at) + " from " + other.node +
                  "; both were published on one connection to " + c.event(sent).node + ", QoS " +
                  std::to_string(now.qos),
              {sent, last.sent, last.received});
    }
    if (message.number > last.number && !hopped(c, message, r.event))
      last = {message.number, sent, r.event};
  }
  return v;
}

}  // namespace hf::sim
