// G4: an acknowledged SUBSCRIBE is never lost, an acknowledged UNSUBSCRIBE never reverted.
#include "sim/check/case.hpp"

namespace hf::sim {
namespace {

/// Received through no filter that the client may still have.
void judge_unwanted(const Case& c, Verdict& v) {
  for (const Receipt& r : c.index.receipts()) {
    const Event& now = c.event(r.event);
    const Message& message = c.index.messages()[r.message];
    if (now.retained || message.sends.empty() || message.topic == no_id ||
        message.sends.front() > r.event)
      continue;
    const std::size_t sent = message.sends.front();
    if (now.topic != c.event(sent).topic) {
      violate(v, c, r.event, now.client,
              now.client + " received " + named(c, r.message) + " at " + in_seconds(now.at) + " from " + now.node + " as one of " + now.topic, {sent});
      continue;
    }
    std::size_t latest = no_event;
    bool wanted = false, any = false;
    for (const std::size_t s : c.subscriptions.matching(message.topic, r.client)) {
      const Subscription& subscription = c.subscriptions.all()[s];
      if (subscription.doubts.empty() || subscription.doubts.front().event > r.event)
        continue;  // not asked for yet
      any = true;
      const std::size_t gone = Subscriptions::gone_since(subscription, r.event);
      wanted = gone == no_event || gone > sent || !c.owed(gone, message, r.event);
      if (wanted) break;
      if (latest == no_event || gone > latest) latest = gone;
    }
    if (wanted) continue;
    if (any) {
      const Event& gone = c.event(latest);
      violate(v,
              c,
              r.event,
              now.client,
              now.client + " received " + named(c, r.message) + " at " + in_seconds(now.at) +
                  " from " + now.node + ", published at " + in_seconds(c.event(sent).at) + " at " +
                  c.event(sent).node + ", though " +
                  (gone.kind == Event::Kind::unsubscribed
                       ? "the UNSUBSCRIBE of " + gone.topic + " had been acknowledged by "
                       : "its subscriptions had ended with a clean start at ") +
                  gone.node + " at " + in_seconds(gone.at),
              {latest, sent});
    } else {
      violate(v,
              c,
              r.event,
              now.client,
              now.client + " received " + named(c, r.message) + " at " + in_seconds(now.at) +
                  " from " + now.node + ", though it had never subscribed to a filter that matches",
              {sent});
    }
  }
}

/// How many messages would have shown a reverted UNSUBSCRIBE.
std::uint64_t tests_of_unsubscribe(const Case& c) {
  std::uint64_t tests = 0;
  for (const Message& message : c.index.messages()) {
    if (message.sends.empty() || message.topic == no_id) continue;
    const std::size_t sent = message.sends.front();
    for (const std::size_t s : c.subscriptions.matching(message.topic)) {
      const std::size_t gone = Subscriptions::gone_since(c.subscriptions.all()[s], sent);
      if (gone != no_event && c.owed(gone, message, no_event)) ++tests;
    }
  }
  return tests;
}

}  // namespace

Verdict judge_subscriptions(const Case& c) {
  Verdict v = verdict("G4", "subscriptions obey the client");
  if (too_many_disks_lost(v, c)) return v;
  judge_unwanted(c, v);
  judge_ended_sessions(c, v);
  v.exercised += tests_of_unsubscribe(c);
  const auto& facts = c.history.facts;
  if (facts.healed_at < 0 || facts.dropped > 0) return v;
  for (const Delivery& d : deliveries(c, facts.healed_at + facts.settle)) {
    ++v.exercised;
    if (d.receipt != no_event) continue;
    const Message& message = c.index.messages()[d.message];
    const Event& sent = c.event(message.sends.front());
    const Event& subscribed = c.event(d.subscribed);
    const std::string& client = c.index.clients()[d.client].id;
    violate(v,
            c,
            message.acked,
            client,
            client + " holds " + subscribed.topic + ", acknowledged by " + subscribed.node +
                " at " + in_seconds(subscribed.at) + ", but " + named(c, d.message) +
                ", published at " + sent.node + " at " + in_seconds(sent.at) +
                " after the heal, never reached it",
            {d.subscribed, message.sends.front()});
  }
  return v;
}

}  // namespace hf::sim
