// When a declared limit may have been reached: reckoned from what clients sent and received.
#include "sim/check/limits.hpp"

#include <algorithm>

namespace hf::sim {
namespace {

using Kind = Event::Kind;

constexpr std::uint8_t server_unavailable = 0x88, quota_exceeded = 0x97, connection_rate_exceeded = 0x9F;

}  // namespace

Limits::Limits(const History& history, const Index& index, const Topology& topology, const Subscriptions& subscriptions)
    : history_(history), index_(index), topology_(topology), subscriptions_(subscriptions), limits_(history.facts.limits) {}

bool Limits::allows(std::uint32_t topic) const {
  const std::string& name = index_.topics()[topic];
  const auto levels = static_cast<std::uint64_t>(std::count(name.begin(), name.end(), '/')) + 1;
  return name.size() <= limits_.topic_length && levels <= limits_.topic_levels;
}

VirtualTime Limits::over_by(VirtualTime t) const {
  const auto spread = topology_.spread_by(t);
  return spread ? *spread + topology_.bound() : INT64_MAX;
}

/// A message may wait from its first sending until its last receipt is over; one that never came, for ever.
const std::vector<Limits::Step>& Limits::steps(std::uint32_t client) const {
  const auto [it, fresh] = steps_.try_emplace(client);
  if (!fresh) return it->second;
  std::map<std::uint32_t, VirtualTime> last;
  for (const Receipt& receipt : index_.receipts())
    if (receipt.client == client) last[receipt.message] = history_.events[receipt.event].at;
  std::vector<std::pair<VirtualTime, int>> changes;
  const auto& messages = index_.messages();
  for (std::uint32_t m = 0; m < messages.size(); ++m) {
    if (messages[m].topic == no_id || !allows(messages[m].topic) || subscriptions_.matching(messages[m].topic, client).empty()) continue;
    changes.emplace_back(messages[m].sends.empty() ? 0 : history_.events[messages[m].sends.front()].at, -1);
    const auto receipt = last.find(m);
    const VirtualTime over = receipt == last.end() ? INT64_MAX : over_by(receipt->second);
    if (over != INT64_MAX) changes.emplace_back(over, 1);
  }
  std::sort(changes.begin(), changes.end());  // at one moment, arrivals first
  std::int64_t waiting = 0;
  for (const auto& [at, less] : changes) it->second.push_back({at, waiting -= less});
  return it->second;
}

bool Limits::may_be_full(std::uint32_t client, VirtualTime from, VirtualTime to) const {
  std::int64_t most = 0;
  for (const Step& step : steps(client)) {
    if (step.at > to) break;
    most = step.at <= from ? step.waiting : std::max(most, step.waiting);
  }
  // The message in question is one of those that wait.
  return most > 0 && static_cast<std::uint64_t>(most) > limits_.fits;
}

bool Limits::covers_loss(std::uint32_t client, std::uint32_t message) const {
  if (history_.facts.dropped_full == 0) return false;
  const Message& m = index_.messages()[message];
  // Who was acknowledged at QoS 1 was told that there was room; a QoS 2 flow is never ended by an error.
  const bool told = limits_.full == RunFacts::FullQueue::reject && history_.events[m.sends.front()].qos == 1;
  if (told && !limits_.stand_ins) return false;
  const bool later = limits_.stand_ins || limits_.full == RunFacts::FullQueue::drop_oldest;
  return may_be_full(client, history_.events[m.sends.front()].at, later ? INT64_MAX : over_by(history_.events[m.acked].at));
}

/// What the receiver's packet may have beyond the publisher's: lengths, a packet id, an identifier of each filter that matches.
bool Limits::covers_size(std::uint32_t client, std::uint32_t message) const {
  constexpr std::uint64_t identifier = 5, rest = 8;
  const auto& clients = history_.facts.clients;  // the index begins with them
  if (history_.facts.dropped_too_large == 0 || client >= clients.size() || clients[client].packet_max == 0) return false;
  const Message& m = index_.messages()[message];
  const std::uint64_t ways = subscriptions_.matching(m.topic, client).size();
  return history_.events[m.sends.front()].size + ways * identifier + rest > clients[client].packet_max;
}

bool Limits::covers_lateness(std::uint32_t client, std::uint32_t message, VirtualTime until) const {
  if (history_.facts.dropped_full == 0) return false;
  return may_be_full(client, history_.events[index_.messages()[message].sends.front()].at, until);
}

bool Limits::covers_refusal(std::size_t abandoned) const {
  const Event& event = history_.events[abandoned];
  const std::uint32_t message = index_.message_of(abandoned);
  if (event.code != quota_exceeded || message == no_id) return false;
  const Message& m = index_.messages()[message];
  const Event& sent = history_.events[m.sends.front()];
  if (sent.qos == 2) return false;
  if (sent.retained) return true;  // it may be the retained messages that are too many
  if (limits_.full != RunFacts::FullQueue::reject) return false;
  std::uint32_t asked = no_id;
  for (const std::size_t s : subscriptions_.matching(m.topic)) {
    const std::uint32_t client = subscriptions_.all()[s].client;
    if (client == asked) continue;
    asked = client;
    if (may_be_full(client, sent.at, event.at)) return true;
  }
  return false;
}

bool Limits::covers_connect(std::size_t refused) const {
  const Event& answer = history_.events[refused];
  const VirtualTime slack = topology_.bound();
  std::uint64_t open = 0, asked = 0;
  const VirtualTime window =
      limits_.connect_rate == 0 ? 0 : VirtualTime{limits_.connect_burst} * 1'000'000'000 / limits_.connect_rate;
  for (const Connection& connection : index_.connections()) {
    if (connection.sent == no_event || connection.sent > refused) continue;
    const Event& sent = history_.events[connection.sent];
    if (sent.node != answer.node) continue;
    if (sent.at >= answer.at - window - slack) ++asked;
    const bool over = connection.disconnected != no_event && history_.events[connection.disconnected].at < answer.at - slack;
    if (!over) ++open;
  }
  --open;  // itself
  const bool either = answer.code == server_unavailable;  // all that 3.1.1 can say
  if ((either || answer.code == quota_exceeded) && open >= limits_.connections) return true;
  return (either || answer.code == connection_rate_exceeded) && limits_.connect_rate != 0 && asked >= limits_.connect_burst;
}

}  // namespace hf::sim
