// G7: the latest CONNECT of a client id wins, on a side in bounded time, across sides after the
// heal.
#include <algorithm>

#include "sim/check/case.hpp"

namespace hf::sim {
namespace {

constexpr std::uint8_t session_taken_over = 0x8E;

/// When the loser must be gone: after `bound`, plus a detection time per change, of the two nodes
/// being up, running, undisturbed and on one side without a break. None: never in this run.
std::optional<VirtualTime> loser_gone_by(const Case& c,
                                         const Connection& older,
                                         const Connection& newer) {
  const Topology& topology = c.topology;
  const auto a = c.node(older.connected), b = c.node(newer.connected);
  std::optional<VirtualTime> t = c.event(newer.connected).at;
  std::size_t steps = 0;
  while (t && *t <= c.end() && ++steps < 100000) {
    const bool good = topology.same_side(a, b, *t) && topology.running(a, *t, *t) &&
                      topology.running(b, *t, *t) && topology.undisturbed(*t, *t) &&
                      topology.clients_free(*t, *t);
    if (!good) {
      t = topology.next_change(*t);
      continue;
    }
    const VirtualTime due = topology.deadline(*t);
    std::optional<VirtualTime> broken = topology.next_change(*t);
    while (broken && *broken <= due && topology.same_side(a, b, *broken) &&
           topology.running(a, *t, *broken) && topology.running(b, *t, *broken) &&
           topology.undisturbed(*t, *broken) && topology.clients_free(*t, *broken))
      broken = topology.next_change(*broken);
    if (!broken || *broken > due) return due;
    t = broken;
  }
  return std::nullopt;
}

/// Was this connection, the latest of its client by far and on a settled cluster, thrown out?
bool wrong_one_lost(const Case& c, const Client& client, const Connection& loser) {
  const Event& end = c.event(loser.disconnected);
  if (end.code != session_taken_over || loser.sent == no_event) return false;
  const VirtualTime sent = c.event(loser.sent).at, settle = c.history.facts.settle;
  for (const std::size_t i : client.connections) {
    const Connection& other = c.index.connections()[i];
    if (&other == &loser || other.sent == no_event || other.sent > loser.disconnected) continue;
    if (c.event(other.sent).at > sent - settle - c.topology.bound()) return false;
  }
  return c.topology.undisturbed(0, end.at);
}

}  // namespace

Verdict judge_one_connection(const Case& c) {
  Verdict v = verdict("G7", "one connection per client id");
  for (const Client& client : c.index.clients()) {
    std::vector<const Connection*> open;  // connected, in order
    std::vector<const Connection*> order;
    for (const std::size_t i : client.connections)
      if (c.index.connections()[i].connected != no_event)
        order.push_back(&c.index.connections()[i]);
    std::sort(order.begin(), order.end(), [](const auto* a, const auto* b) {
      return a->connected < b->connected;
    });
    for (const Connection* newer : order) {
      std::erase_if(open, [&](const Connection* o) { return o->disconnected < newer->connected; });
      for (const Connection* older : open) {
        if (newer->sent == no_event || newer->sent < older->connected)
          continue;  // a race: either may win
        const bool closed = older->disconnected != no_event;
        const VirtualTime over = closed ? c.event(older->disconnected).at : c.end();
        if (closed && over - c.event(newer->connected).at <= c.topology.bound()) {
          ++v.exercised;
          continue;
        }
        const auto due = loser_gone_by(c, *older, *newer);
        // Once the newer one is over too, nobody is owed anything.
        const bool newer_over =
            newer->disconnected != no_event && due && c.event(newer->disconnected).at <= *due;
        if (!due || *due > c.end() || newer_over) continue;
        // It died with its node; in a power loss nobody tells the client.
        if (c.topology.crashed(c.node(older->connected), c.event(older->connected).at, *due)) continue;
        ++v.exercised;
        if (closed && over <= *due) continue;
        violate(v,
                c,
                newer->connected,
                client.id,
                client.id + " was still connected to " + c.event(older->connected).node +
                    " (connection " + std::to_string(older->number) + ") at " + in_seconds(*due) +
                    ", though it had connected to " + c.event(newer->connected).node +
                    " (connection " + std::to_string(newer->number) + ") at " +
                    in_seconds(c.event(newer->connected).at) +
                    (closed ? "; closed at " + in_seconds(over) : "; never closed"),
                {older->connected, older->disconnected});
      }
      if (newer->disconnected != no_event && wrong_one_lost(c, client, *newer)) {
        ++v.exercised;
        violate(v,
                c,
                newer->disconnected,
                client.id,
                client.id + " lost its latest connection, to " + c.event(newer->connected).node +
                    ", at " + in_seconds(c.event(newer->disconnected).at) +
                    " as taken over, though it had opened no later one",
                {newer->sent, newer->connected});
      }
      open.push_back(newer);
    }
  }
  return v;
}

}  // namespace hf::sim
