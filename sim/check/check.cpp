// All verdicts, and what the judges have in common: promised deliveries and the telling of a story.
#include "sim/check/check.hpp"

#include <algorithm>

#include "sim/check/case.hpp"

namespace hf::sim {

std::vector<Verdict> judge(const History& history) {
  const Case c(history);
  std::vector<Verdict> all{judge_resume(c),
                           judge_kept(c),
                           judge_exactly_once(c),
                           judge_subscriptions(c),
                           judge_order(c),
                           judge_available(c),
                           judge_one_connection(c),
                           judge_retained(c),
                           judge_wills(c),
                           judge_shared(c),
                           judge_convergence(c)};
  if (history.facts.limits.declared) all.push_back(judge_bounded(c));
  const auto& clients = history.facts.clients;
  const bool logins = std::any_of(clients.begin(), clients.end(), [](const auto& one) { return !one.admitted || !one.user.empty(); });
  if (c.rights.any() || logins) all.push_back(judge_access(c));
  const bool options = std::any_of(history.events.begin(), history.events.end(), [](const Event& event) {
    return event.kind == Event::Kind::subscribe_sent &&
           (!event.identifiers.empty() || event.no_local || event.as_published || event.handling != 0);
  });
  if (options) all.push_back(judge_options(c));
  if (c.expiry.any()) all.push_back(judge_expiry(c));
  return all;
}

VirtualTime Case::end() const {
  if (history.facts.ended_at > 0) return history.facts.ended_at;
  return history.events.empty() ? 0 : history.events.back().at;
}

bool Case::owed(std::size_t from, const Message& message, std::size_t until) const {
  for (const std::size_t send : message.sends) {
    if (send >= until) break;
    if (!topology.owed(node(from), node(send), event(from).at, event(send).at)) return false;
  }
  return !message.sends.empty();
}

namespace {
bool session_may_be_over(const Case& c, std::uint32_t client, VirtualTime t) {
  const auto& clients = c.history.facts.clients;  // the index begins with them
  return client < clients.size() &&
         c.expiry.session_may_be_over(client, UINT64_MAX, clients[client].session_expiry, t);
}
}  // namespace

bool had_time(const Case& c, std::uint32_t client, VirtualTime acked) {
  const Client& who = c.index.clients()[client];
  const auto& facts = c.history.facts;
  if (!who.listed || !who.draining || !who.persistent) return false;
  const VirtualTime bound = c.topology.bound();
  if (c.end() - std::max(acked, facts.healed_at) < bound) return false;
  if (facts.healed_at >= 0) return true;
  if (who.connections.empty()) return false;
  const Connection& last = c.index.connections()[who.connections.back()];
  return last.connected != no_event && last.disconnected == no_event &&
         c.end() - c.event(last.connected).at >= bound && c.topology.calm_at(c.end());
}

std::vector<Delivery> deliveries(const Case& c, VirtualTime after) {
  std::vector<Delivery> found;
  const auto& messages = c.index.messages();
  for (std::uint32_t m = 0; m < messages.size(); ++m) {
    const Message& message = messages[m];
    if (message.sends.empty() || message.acked_send == no_event || message.topic == no_id) continue;
    const Event& sent = c.event(message.sends.front());
    if (sent.qos == 0 || sent.at <= after || sent.empty) continue;  // an empty payload names nobody
    if (!c.rights.may_publish(message.publisher, message.topic) || !c.limits.allows(message.topic)) continue;
    std::uint32_t judged = no_id;  // one delivery a client, however many filters match
    for (const std::size_t s : c.subscriptions.matching(message.topic)) {
      const Subscription& subscription = c.subscriptions.all()[s];
      if (subscription.shared || subscription.client == judged ||
          subscription.client == message.publisher || !c.rights.may_receive(subscription.client, message.topic))
        continue;
      const Interval* interval = Subscriptions::covering(subscription, message.sends.front());
      if (interval == nullptr || interval->granted == 0) continue;
      // The last SUBACK for the same filter may reach nodes that the first could not.
      const bool again =
          interval->confirmed != interval->start && interval->confirmed < message.sends.front();
      const auto owed_since = [&](std::size_t since) {
        const std::size_t known = c.expiry.known_from(subscription.client, since, message.acked);
        return known < message.sends.front() && c.owed(known, message, message.acked);
      };
      if (!owed_since(interval->start) && !(again && owed_since(interval->confirmed))) continue;
      // What comes once it may be over is owed to nobody, though another side may know nothing of its end.
      if (session_may_be_over(c, subscription.client, c.event(message.acked).at)) continue;
      const std::size_t receipt = c.index.first_receipt(subscription.client, m);
      const VirtualTime acked = c.event(message.acked).at;
      if (receipt == no_event && (interval->end != no_event || !had_time(c, subscription.client, acked) ||
                                  !c.expiry.had_time(subscription.client, m, acked)))
        continue;
      judged = subscription.client;
      found.push_back({m, judged, interval->start, receipt});
    }
  }
  std::stable_sort(found.begin(), found.end(), [&](const Delivery& a, const Delivery& b) {
    return messages[a.message].acked < messages[b.message].acked;
  });
  return found;
}

std::string in_seconds(VirtualTime t) {
  std::string micro = std::to_string(t / 1000 % 1000000);
  return std::to_string(t / 1000000000) + "." +
         std::string(6 - std::min<std::size_t>(6, micro.size()), '0') + micro + "s";
}

std::string named(const Case& c, std::uint32_t message) {
  const Message& m = c.index.messages()[message];
  return (m.topic == no_id ? std::string("?") : c.index.topics()[m.topic]) + " (" +
         c.index.clients()[m.publisher].id + " #" + std::to_string(m.number) + ")";
}

Verdict verdict(std::string id, std::string name) {
  Verdict v;
  v.id = std::move(id);
  v.name = std::move(name);
  return v;
}

void violate(Verdict& verdict,
             const Case& c,
             std::size_t at_event,
             std::string client,
             std::string text,
             std::vector<std::size_t> story) {
  if (++verdict.violated > 20) return;
  story.push_back(at_event);
  std::erase(story, no_event);
  std::sort(story.begin(), story.end());
  story.erase(std::unique(story.begin(), story.end()), story.end());
  Violation v;
  v.guarantee = verdict.id;
  if (at_event != no_event) {
    v.at = c.event(at_event).at;
    v.event = c.event(at_event).number_in_run;
  } else {
    v.at = c.end();
  }
  v.client = std::move(client);
  v.text = std::move(text);
  v.events = std::move(story);
  verdict.violations.push_back(std::move(v));
}

bool not_applicable(Verdict& verdict, bool when, const std::string& why) {
  if (!when) return false;
  verdict.applicable = false;
  verdict.why_not = why;
  return true;
}

bool too_many_disks_lost(Verdict& verdict, const Case& c) {
  const auto& facts = c.history.facts;
  return not_applicable(
      verdict,
      facts.disks_lost + 1 > std::max<std::uint64_t>(facts.write_quorum, 1),
      std::to_string(facts.disks_lost) + " disks were lost at once; with a write quorum of " +
          std::to_string(facts.write_quorum) + " the promise covers one fewer than that");
}

}  // namespace hf::sim
