// G1: a persistent client that connects to any node that can reach a replica finds its session.
#include <algorithm>

#include "sim/check/case.hpp"

namespace hf::sim {
namespace {

/// The connection before that got its CONNACK, if the client ended it by a DISCONNECT with a session expiry.
const Connection* ended_by_farewell(const Case& c, const Client& client, const Connection& now) {
  const Connection* latest = nullptr;
  for (const std::size_t i : client.connections) {
    const Connection& before = c.index.connections()[i];
    if (before.number < now.number && before.connected != no_event && before.connected < now.sent) latest = &before;
  }
  const bool named = latest != nullptr && latest->disconnected < now.sent && c.event(latest->disconnected).expiry;
  return named ? latest : nullptr;
}

/// Must the session be over: all knew of the DISCONNECT, nobody asked for the session since, and nothing happened for so long?
bool surely_expired(const Case& c, const Client& client, const Connection& now) {
  const Connection* before = ended_by_farewell(c, client, now);
  if (before == nullptr || !c.expiry.farewell_known(before->disconnected)) return false;
  for (const std::size_t i : client.connections) {
    const Connection& other = c.index.connections()[i];
    if (other.number > before->number && other.number < now.number) return false;
    if (other.number < before->number && other.disconnected > now.sent) return false;  // taken over, and still open for it
  }
  const VirtualTime gone = c.event(before->disconnected).at, asked = c.event(now.sent).at;
  if (!c.topology.steady(gone, c.event(now.connected).at)) return false;
  return asked - gone >= c.expiry.session_expiry(*before, 0) + c.history.facts.clock_spread + c.topology.bound();
}

/// Must the session that stood at `first` .. `last` (connected events) be found by this CONNECT?
bool promised(const Case& c, std::size_t first, std::size_t last, const Connection& now) {
  const Topology& topology = c.topology;
  const auto& facts = c.history.facts;
  const VirtualTime asked = c.event(now.sent).at, answered = c.event(now.connected).at;
  const VirtualTime settle = facts.settle;
  const VirtualTime stood = c.event(last).at;
  // A. Stored by W in a settled cluster, and fewer than W nodes away at any moment since.
  if (topology.steady(stood - settle, stood) && topology.sound(stood, answered) &&
      topology.wipes(stood, answered) == 0)
    return true;
  const auto calm = topology.last_calm(asked);
  if (!calm || *calm - settle < c.event(first).at) return false;
  // On all R replicas since `calm`: any W-1 may be away ...
  if (topology.wipes(*calm, answered) != 0) return false;
  if (topology.sound(*calm, answered)) return true;
  // B. ... and a settled side with more than N-R nodes holds a replica, however the cut runs.
  const Topology::Node node = c.node(now.connected);
  return topology.steady(asked - settle, answered) && topology.undisturbed(asked, answered) &&
         topology.running(node, asked, answered) &&
         topology.side_size(node, asked) + std::min<std::size_t>(facts.replicas, topology.nodes()) >
             topology.nodes();
}

}  // namespace

Verdict judge_resume(const Case& c) {
  Verdict v = verdict("G1", "resume anywhere");
  if (too_many_disks_lost(v, c)) return v;
  for (const Client& client : c.index.clients()) {
    if (!client.listed) continue;
    const auto fact = std::find_if(c.history.facts.clients.begin(), c.history.facts.clients.end(),
                                   [&](const auto& one) { return one.id == client.id; });
    const VirtualTime expiry = fact == c.history.facts.clients.end() ? INT64_MAX : fact->session_expiry;
    std::size_t first = no_event, last = no_event;  // connected events of the session that stands
    std::size_t cleaned = no_event;                 // a clean start that nobody answered
    std::size_t asked = 0;  // what is never answered may have made a session, too
    std::vector<std::pair<std::size_t, const Connection*>> steps;  // sent and connected, in order
    for (const std::size_t i : client.connections) {
      const Connection& connection = c.index.connections()[i];
      if (connection.sent != no_event) steps.emplace_back(connection.sent, &connection);
      if (connection.connected != no_event) steps.emplace_back(connection.connected, &connection);
    }
    std::sort(steps.begin(), steps.end());
    for (const auto& [e, connection] : steps) {
      if (e == connection->sent) {
        ++asked;
        if (connection->clean) cleaned = e;
        if (connection->clean) first = last = no_event;
        continue;
      }
      const bool present = c.event(e).flag;
      if (connection->sent == no_event) continue;
      if (connection->clean || asked == 1) {
        ++v.exercised;
        if (present)
          violate(v,
                  c,
                  e,
                  client.id,
                  client.id + " was told at " + in_seconds(c.event(e).at) + " by " +
                      c.event(e).node + " that a session was present, though it " +
                      (connection->clean ? "had asked for a clean start"
                                         : "had never connected before"),
                  {connection->sent});
      } else if (surely_expired(c, client, *connection)) {
        ++v.exercised;
        const Connection& before = *ended_by_farewell(c, client, *connection);
        if (present)
          violate(v, c, e, client.id,
                  client.id + " was told at " + in_seconds(c.event(e).at) + " by " + c.event(e).node +
                      " that a session was present, though its DISCONNECT at " + in_seconds(c.event(before.disconnected).at) + " to " +
                      c.event(before.disconnected).node + " had let it live for " +
                      std::to_string(*c.event(before.disconnected).expiry) + " s",
                  {before.connected, before.disconnected, connection->sent});
      } else if (client.persistent && last != no_event && last < connection->sent &&
                 !c.expiry.session_may_be_over(connection->client, connection->number, expiry, c.event(e).at) &&
                 promised(c, c.expiry.known_from(connection->client, first, connection->sent), last, *connection)) {
        ++v.exercised;
        if (!present)
          violate(v,
                  c,
                  e,
                  client.id,
                  client.id + " held a session since " + in_seconds(c.event(first).at) +
                      " (last connected to " + c.event(last).node + " at " +
                      in_seconds(c.event(last).at) + ") and was told by " + c.event(e).node +
                      " at " + in_seconds(c.event(e).at) + " that there was none",
                  {first, last, connection->sent});
      }
      // A clean start of another connection that may still be carried out leaves the session in
      // doubt.
      const bool doubt = cleaned != no_event && cleaned != connection->sent && !connection->clean &&
                         (c.event(e).at - c.event(cleaned).at < c.topology.bound() ||
                          c.topology.last_calm(c.event(e).at) != c.event(e).at);
      if (doubt) {
        first = last = no_event;
        continue;
      }
      if (first == no_event || !present) first = e;
      last = e;
      cleaned = no_event;
    }
  }
  return v;
}

}  // namespace hf::sim
