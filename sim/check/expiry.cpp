// How long messages last: from what clients sent, and from what befell the cluster.
#include "sim/check/expiry.hpp"

#include <algorithm>
#include <map>
#include <string_view>

namespace hf::sim {
namespace {

using Kind = Event::Kind;

constexpr VirtualTime never = INT64_MAX, second = 1'000'000'000;
constexpr std::uint8_t disconnect_with_will = 0x04;
constexpr std::string_view will_prefix = "will-";

}  // namespace

Expiry::Expiry(const History& history, const Index& index, const Topology& topology)
    : history_(history), index_(index), topology_(topology), messages_(index.messages().size()) {
  for (std::size_t m = 0; m < messages_.size(); ++m) {
    const Message& message = index.messages()[m];
    if (message.sends.empty()) continue;
    const Event& sent = history.events[message.sends.front()];
    messages_[m].began = sent.at;
    if (sent.expiry) messages_[m].lasts = *sent.expiry * second;
    any_ = any_ || sent.expiry;
  }
  shortest_named_.assign(index.clients().size(), never);
  for (const Connection& connection : index.connections())
    if (connection.disconnected != no_event && history.events[connection.disconnected].expiry)
      shortest_named_[connection.client] = std::min(shortest_named_[connection.client], *history.events[connection.disconnected].expiry * second);
  doubtful_resumes_.resize(index.clients().size());
  for (const Connection& connection : index.connections()) {
    if (connection.connected == no_event || !history.events[connection.connected].flag) continue;
    const std::uint32_t client = connection.client;
    if (client < history.facts.clients.size() &&
        session_may_be_over(client, connection.number, history.facts.clients[client].session_expiry, at(connection.connected)))
      doubtful_resumes_[client].push_back(connection.connected);
  }
  find_wills();
}

std::size_t Expiry::known_from(std::uint32_t client, std::size_t since, std::size_t now) const {
  for (const std::size_t resumed : doubtful_resumes_[client])
    if (resumed < now) since = std::max(since, resumed);
  return since;
}

/// The payload of a will names the connection that brought it.
void Expiry::find_wills() {
  std::map<std::pair<std::string_view, std::uint64_t>, const Connection*> brought;
  for (const Connection& connection : index_.connections()) {
    if (connection.sent == no_event || history_.events[connection.sent].topic.empty()) continue;
    brought[{index_.clients()[connection.client].id, connection.number}] = &connection;
    any_ = any_ || history_.events[connection.sent].expiry;
  }
  for (std::size_t m = 0; m < messages_.size(); ++m) {
    const Message& message = index_.messages()[m];
    std::string_view who = index_.clients()[message.publisher].id;
    if (!message.sends.empty() || !who.starts_with(will_prefix)) continue;
    who.remove_prefix(will_prefix.size());
    const auto found = brought.find({who, message.number});
    if (found == brought.end()) continue;
    const Event& sent = history_.events[found->second->sent];
    messages_[m].began = sent.at;
    messages_[m].will_of = found->second;
    if (sent.expiry) messages_[m].lasts = *sent.expiry * second;
  }
  for (const Receipt& receipt : index_.receipts())
    if (std::size_t& first = messages_[receipt.message].first_receipt; first == no_event) first = receipt.event;
}

bool Expiry::prompt(VirtualTime from, VirtualTime to) const {
  const VirtualTime before = std::max<VirtualTime>(0, from - topology_.bound());  // what had to be sent again comes late
  return topology_.undisturbed(before, to) && topology_.clients_free(before, to);
}

/// One that was acknowledged had been taken; another was within the time on the wire, unless its node was away or the wire bad.
std::optional<VirtualTime> Expiry::taken(const Message& message, std::size_t send) const {
  if (message.acked != no_event && message.acked > send && index_.connection_of(message.acked) == index_.connection_of(send))
    return at(message.acked);
  const VirtualTime from = at(send), to = from + on_the_wire();
  if (!prompt(from, to) || !topology_.running(topology_.node(history_.events[send].node), from, to)) return std::nullopt;
  return to;
}

/// A will is published once, unless its node was lost to a part of the cluster: then by the time that anybody had it.
std::optional<VirtualTime> Expiry::fired(const Life& will, std::size_t receipt) const {
  const auto by = due(*will.will_of);
  if (!topology_.sound(will.began - history_.facts.settle, at(receipt))) return by;
  const VirtualTime seen = at(std::min(will.first_receipt, receipt));
  return by ? std::min(*by, seen) : seen;
}

/// By then a will is published in any case: its client is known to be gone, its delay over, and a node there to see to it.
std::optional<VirtualTime> Expiry::due(const Connection& connection) const {
  const auto& clients = history_.facts.clients;
  if (connection.disconnected == no_event || connection.client >= clients.size()) return std::nullopt;
  const RunFacts::Client& client = clients[connection.client];  // the index begins with them
  if (client.keep_alive == 0) return std::nullopt;
  const VirtualTime gone = at(connection.disconnected), delay = history_.events[connection.sent].delay;
  const bool told = history_.events[connection.disconnected].code == disconnect_with_will;
  const VirtualTime soon = gone + (told ? 0 : client.keep_alive * 3 / 2) + delay + topology_.bound();
  if (topology_.calm_at(gone) && topology_.steady(gone - history_.facts.settle, soon)) return soon;
  const VirtualTime late = topology_.deadline(gone + client.keep_alive * 3 / 2 + history_.facts.will_grace + delay);
  if (topology_.sound(gone, late)) return late;
  if (history_.facts.healed_at < 0) return std::nullopt;
  return std::max(late, topology_.deadline(history_.facts.healed_at));
}

std::optional<VirtualTime> Expiry::taken_by(std::uint32_t message, std::size_t receipt) const {
  const Message& m = index_.messages()[message];
  if (messages_[message].will_of != nullptr) return fired(messages_[message], receipt);
  VirtualTime last = messages_[message].began;
  for (const std::size_t send : m.sends) {
    if (send >= receipt) break;
    const auto by = taken(m, send);
    if (!by) return std::nullopt;
    last = std::max(last, *by);
  }
  return last;
}

VirtualTime Expiry::may_be_over(std::uint32_t message) const {
  const Life& life = messages_[message];
  return life.lasts ? life.began + *life.lasts - history_.facts.clock_spread : never;
}

bool Expiry::had_time(std::uint32_t client, std::uint32_t message, VirtualTime from, VirtualTime more) const {
  const VirtualTime over = may_be_over(message);
  return over == never || had_time_until(client, from, over, more);
}

bool Expiry::had_time_until(std::uint32_t client, VirtualTime from, VirtualTime until, VirtualTime more) const {
  const VirtualTime needed = topology_.bound() + more;
  for (const std::size_t i : index_.clients()[client].connections) {
    const Connection& connection = index_.connections()[i];
    if (connection.connected == no_event) continue;
    const std::size_t end = std::min(connection.disconnected, connection.replaced);
    const VirtualTime to = end == no_event ? until : std::min(until, at(end));
    VirtualTime here = std::max(from, at(connection.connected));
    // The first calm time that is long enough, `settle` of calm before it included.
    while (here + needed <= to) {
      const auto settled = topology_.last_calm(here) == here ? here : topology_.spread_by(here);
      if (!settled || *settled + needed > to) break;
      if (topology_.calm_at(*settled) && topology_.steady(*settled, *settled + needed)) return true;
      const auto next = topology_.next_change(*settled);
      if (!next) break;
      here = *next;
    }
  }
  return false;
}

bool Expiry::farewell_known(std::size_t disconnected) const {
  const VirtualTime t = at(disconnected), settle = history_.facts.settle;
  // A session that has run out is kept while the grace of anybody's silence lasts.
  return topology_.calm_at(t) && topology_.steady(t - settle - history_.facts.will_grace, t + settle);
}

VirtualTime Expiry::session_expiry(const Connection& connection, VirtualTime declared) const {
  const auto& named = history_.events[connection.disconnected].expiry;
  if (!named) return declared;
  return farewell_known(connection.disconnected) ? *named * second : std::min(declared, *named * second);
}

/// When the broker may have known that this connection is over: no sooner than its client, unless the node died under it (after a
/// power loss nobody tells the client) or the wire was bad. Not by `t`: later.
VirtualTime Expiry::ended_by(const Connection& connection, VirtualTime t) const {
  const VirtualTime began = at(connection.connected);
  const VirtualTime end = connection.disconnected == no_event ? never : at(connection.disconnected);
  const VirtualTime until = std::min(end, t);
  if (!topology_.undisturbed(began, until) || !topology_.clients_free(began, until)) return began;
  return std::min(end, topology_.first_crash(topology_.node(history_.events[connection.connected].node), began).value_or(end));
}

bool Expiry::session_may_be_over(std::uint32_t client, std::uint64_t below, VirtualTime declared, VirtualTime t) const {
  if (std::min(declared, shortest_named_[client]) > t + history_.facts.clock_spread) return false;
  const Connection* latest = nullptr;
  const auto& connections = index_.clients()[client].connections;
  for (auto it = connections.rbegin(); it != connections.rend() && latest == nullptr; ++it) {
    const Connection& one = index_.connections()[*it];
    if (one.number < below && one.connected != no_event && at(one.connected) <= t) latest = &one;
  }
  if (latest == nullptr) return false;
  const VirtualTime ended = ended_by(*latest, t);
  const VirtualTime lasts = latest->disconnected == no_event ? declared : session_expiry(*latest, declared);
  return ended <= t && t - ended + history_.facts.clock_spread >= lasts;
}

}  // namespace hf::sim
