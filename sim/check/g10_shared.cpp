// G10: a message goes to one member of each group that matches it, and to none is not an answer.
#include <algorithm>
#include <map>
#include <set>

#include "sim/check/case.hpp"

namespace hf::sim {
namespace {

/// Clients that ever asked for one `$share/...` filter, and their subscriptions to it.
struct Group {
  std::uint32_t filter = no_id;
  std::set<std::uint32_t> members;
  std::vector<std::size_t> subscriptions;
};

/// Groups that match a topic and whose members' receipts of it can have come through that group only.
std::vector<Group> groups_of(const Case& c, std::uint32_t topic) {
  std::map<std::uint32_t, Group> groups;
  std::map<std::uint32_t, int> matching;  // client -> filters
  for (const std::size_t s : c.subscriptions.matching(topic)) {
    const Subscription& one = c.subscriptions.all()[s];
    ++matching[one.client];
    if (!one.shared) continue;
    Group& group = groups[one.filter];
    group.filter = one.filter;
    group.members.insert(one.client);
    group.subscriptions.push_back(s);
  }
  std::vector<Group> out;
  for (auto& [filter, group] : groups)
    if (std::all_of(group.members.begin(), group.members.end(), [&](std::uint32_t m) { return matching[m] == 1; }))
      out.push_back(std::move(group));
  return out;
}

/// What a member may not have is dealt to it and gone; what nobody may publish is dealt to nobody.
bool all_may(const Case& c, const Group& group, const Message& message) {
  return c.rights.may_publish(message.publisher, message.topic) &&
         std::all_of(group.members.begin(), group.members.end(),
                     [&](std::uint32_t member) { return c.rights.may_receive(member, message.topic); });
}

/// A session of a member ended, or may have, since `from`: what it had been sent at QoS 2 goes with it [MQTT-4.8.2-5].
bool session_ended(const Case& c, const Group& group, std::size_t from) {
  for (const std::uint32_t member : group.members) {
    const Client& client = c.index.clients()[member];
    for (const std::size_t n : client.connections) {
      const Connection& connection = c.index.connections()[n];
      if (connection.sent > from && connection.clean) return true;
      if (connection.connected != no_event && connection.connected > from && !c.event(connection.connected).flag) return true;
      if (!client.persistent && connection.disconnected != no_event && connection.disconnected > from) return true;
    }
    if (!client.listed) return true;
  }
  return false;
}

/// Why a second member got a QoS 1 message: the first one's connection had ended, or its node may have been out of
/// reach, before the acknowledgement was known.
bool may_come_again(const Case& c, std::size_t first, std::size_t second) {
  const std::size_t n = c.index.connection_of(first);
  if (n == no_event) return true;
  const Connection& connection = c.index.connections()[n];
  if (connection.disconnected < second || connection.replaced < second) return true;
  const VirtualTime settle = c.history.facts.settle;
  const VirtualTime from = c.event(first).at - settle, to = c.event(second).at;
  return !c.topology.steady(from, to) || !c.topology.undisturbed(from, to) || !c.topology.calm_at(to);
}

/// At QoS 1 nobody can tell a message that its publisher sent again from a new one.
bool published_again(const Case& c, const Message& message, std::size_t before) {
  return c.event(message.sends.front()).qos == 1 && message.sends.size() > 1 && message.sends[1] < before;
}

/// What was dealt to a member that is gone without a word is dealt to another when that is noticed.
VirtualTime time_to_deal_again(const Case& c, const Group& group) {
  VirtualTime silence = 0;
  for (const auto& client : c.history.facts.clients)
    for (const std::uint32_t member : group.members)
      if (c.index.clients()[member].id == client.id) silence = std::max(silence, client.keep_alive * 3 / 2);
  return silence + c.topology.bound();
}

/// A member that was one when the message was first sent, stayed one, and had a fair chance to read.
std::size_t promised_by(const Case& c, const Group& group, std::uint32_t m) {
  const Message& message = c.index.messages()[m];
  for (const std::size_t s : group.subscriptions) {
    const Subscription& one = c.subscriptions.all()[s];
    const Interval* interval = Subscriptions::covering(one, message.sends.front());
    if (interval == nullptr || interval->granted == 0 || interval->end != no_event) continue;
    const std::size_t known = c.expiry.known_from(one.client, interval->start, message.acked);
    if (known > message.sends.front() || !c.owed(known, message, message.acked)) continue;
    const VirtualTime acked = c.event(message.acked).at;
    if (had_time(c, one.client, acked) && c.expiry.had_time(one.client, m, acked, time_to_deal_again(c, group))) return interval->start;
  }
  return no_event;
}

void judge_message(const Case& c, Verdict& v, const Group& group, std::uint32_t m, const std::vector<const Receipt*>& receipts) {
  const Message& message = c.index.messages()[m];
  const std::string& filter = c.index.topics()[group.filter];
  if (!receipts.empty()) ++v.exercised;
  for (std::size_t i = 1; i < receipts.size(); ++i) {
    const Event& first = c.event(receipts[0]->event);
    const Event& again = c.event(receipts[i]->event);
    if (first.client == again.client && first.qos != 2) continue;  // sent again, as QoS 1 may be
    // Told that it has no session, it forgot what it had; the session that it has again after all sends what was not finished.
    if (first.client == again.client && receipts[0]->session != receipts[i]->session) continue;
    if (first.qos != 2 && may_come_again(c, receipts[0]->event, receipts[i]->event)) continue;
    if (published_again(c, message, receipts[i]->event)) continue;
    violate(v, c, receipts[i]->event, again.client,
            again.client + " received " + named(c, m) + " of " + filter + " at " + in_seconds(again.at) + " from " + again.node +
                ", which " + first.client + " had received at QoS " + std::to_string(first.qos) + " at " +
                in_seconds(first.at) + " from " + first.node +
                (first.qos == 2 ? "" : " on a connection that was still open, while all nodes could reach each other"),
            {message.sends.front(), receipts[0]->event});
    return;
  }
  if (!receipts.empty() || message.acked_send == no_event || c.event(message.sends.front()).qos == 0) return;
  const std::size_t promise = promised_by(c, group, m);
  if (promise == no_event) return;
  if (c.event(message.sends.front()).qos == 2 && session_ended(c, group, message.sends.front())) return;
  ++v.exercised;
  const Event& acked = c.event(message.acked);
  violate(v, c, message.acked, c.event(promise).client,
          "no member of " + filter + " received " + named(c, m) + ": " + acked.node + " acknowledged it at " +
              in_seconds(acked.at) + " (QoS " + std::to_string(c.event(message.sends.front()).qos) + "), and " +
              c.event(promise).client + " had been a member since " + in_seconds(c.event(promise).at) + " to the end of the run",
          {promise, message.sends.front()});
}

}  // namespace

Verdict judge_shared(const Case& c) {
  Verdict v = verdict("G10", "shared subscriptions");
  if (too_many_disks_lost(v, c)) return v;
  if (not_applicable(v, c.history.facts.dropped > 0, "messages were dropped at a declared limit, and counted")) return v;
  std::map<std::uint32_t, std::vector<Group>> by_topic;
  std::map<std::uint32_t, std::vector<const Receipt*>> receipts;
  for (const Receipt& r : c.index.receipts())
    if (!c.event(r.event).retained && c.event(r.event).qos > 0) receipts[r.message].push_back(&r);
  const auto& messages = c.index.messages();
  for (std::uint32_t m = 0; m < messages.size(); ++m) {
    if (messages[m].sends.empty() || messages[m].topic == no_id) continue;
    const auto [at, fresh] = by_topic.try_emplace(messages[m].topic);
    if (fresh) at->second = groups_of(c, messages[m].topic);
    for (const Group& group : at->second) {
      if (!all_may(c, group, messages[m])) continue;
      std::vector<const Receipt*> mine;
      if (const auto got = receipts.find(m); got != receipts.end())
        for (const Receipt* r : got->second)
          if (group.members.contains(r->client)) mine.push_back(r);
      judge_message(c, v, group, m, mine);
    }
  }
  return v;
}

}  // namespace hf::sim
