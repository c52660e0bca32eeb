// G6: a node that runs answers CONNECT, SUBSCRIBE and PUBLISH within bounded time, on any side.
#include <algorithm>
#include <map>
#include <tuple>

#include "sim/check/case.hpp"

namespace hf::sim {
namespace {

using Kind = Event::Kind;

/// The client itself is to blame: version, id, name, password, rights (MQTT 3.1.1 and 5 codes).
bool is_clients_fault(std::uint8_t code) {
  return (code >= 1 && code <= 5 && code != 3) || (code >= 0x80 && code <= 0x82) || code == 0x84 ||
         code == 0x85 || code == 0x86 || code == 0x87 || code == 0x8A || code == 0x8C ||
         code == 0x95;
}

struct Request {
  std::size_t sent = no_event, answered = no_event;
};

/// Requests in order, with their answers on the same connection, first come first served.
std::vector<Request> requests(const Case& c) {
  std::vector<Request> found;
  // kind of answer awaited, client, connection, filter or message -> open requests, oldest first
  std::map<std::tuple<Kind, std::uint32_t, std::uint64_t, std::uint32_t>, std::vector<std::size_t>>
      open;
  for (std::size_t e = 0; e < c.history.events.size(); ++e) {
    const Event& event = c.event(e);
    if (event.kind > Kind::received) continue;
    const auto key = [&](Kind answer, std::uint32_t what) {
      return std::make_tuple(answer, c.index.client_of(e), event.connection, what);
    };
    const auto ask = [&](Kind answer, std::uint32_t what) {
      open[key(answer, what)].push_back(found.size());
      found.push_back({e, no_event});
    };
    const auto answer = [&](Kind kind, std::uint32_t what) {
      const auto it = open.find(key(kind, what));
      if (it == open.end() || it->second.empty()) return;
      found[it->second.front()].answered = e;
      it->second.erase(it->second.begin());
    };
    switch (event.kind) {
      case Kind::connect_sent:
        ask(Kind::connected, 0);
        break;
      case Kind::connected:
      case Kind::refused:
        answer(Kind::connected, 0);
        break;
      case Kind::subscribe_sent:
        ask(Kind::subscribed, c.index.topic_of(e));
        break;
      case Kind::unsubscribe_sent:
        ask(Kind::unsubscribed, c.index.topic_of(e));
        break;
      case Kind::reauthenticate_sent:
        ask(Kind::reauthenticated, 0);
        break;
      case Kind::reauthenticated:
        answer(Kind::reauthenticated, 0);
        break;
      case Kind::subscribed:
      case Kind::unsubscribed:
        answer(event.kind, c.index.topic_of(e));
        break;
      case Kind::publish_sent:
        // What may not be published is refused, and that is an answer.
        if (event.qos > 0 && c.rights.may_publish(c.index.client_of(e), c.index.topic_of(e)) &&
            c.limits.allows(c.index.topic_of(e)))
          ask(Kind::publish_acked, c.index.message_of(e));
        break;
      case Kind::publish_abandoned:
        if (event.code >= 0x80) answer(Kind::publish_acked, c.index.message_of(e));
        break;
      case Kind::publish_acked:
        answer(Kind::publish_acked, c.index.message_of(e));
        break;
      default:
        break;
    }
  }
  return found;
}

/// The moment by which an answer was owed, or none if nothing can be said.
std::optional<VirtualTime> owed_by(const Case& c, std::size_t sent) {
  const Event& event = c.event(sent);
  const Topology& topology = c.topology;
  const VirtualTime due = topology.deadline(event.at);
  if (due > c.end()) return std::nullopt;
  const VirtualTime before = event.at - c.history.facts.settle;  // a node just up may still be busy
  if (!topology.running(c.node(sent), event.at, due) || !topology.undisturbed(before, due) ||
      !topology.clients_free(before, due))
    return std::nullopt;
  if (event.kind == Kind::publish_sent && event.qos == 2 && !topology.sound(before, due))
    return std::nullopt;
  const std::size_t i = c.index.connection_of(sent);
  if (i == no_event) return std::nullopt;
  const Connection& connection = c.index.connections()[i];
  for (const std::size_t over : {connection.disconnected, connection.replaced, connection.left})
    if (over != no_event && over > sent && c.event(over).at <= due) return std::nullopt;
  return due;
}

const char* word(Kind kind) {
  switch (kind) {
    case Kind::connect_sent:
      return "CONNECT";
    case Kind::subscribe_sent:
      return "SUBSCRIBE";
    case Kind::unsubscribe_sent:
      return "UNSUBSCRIBE";
    case Kind::reauthenticate_sent:
      return "AUTH";
    default:
      return "PUBLISH";
  }
}

}  // namespace

Verdict judge_available(const Case& c) {
  Verdict v = verdict("G6", "available");
  if (not_applicable(v,
                     c.history.facts.refuses_by_choice,
                     "the operator chose to refuse rather than go on alone"))
    return v;
  for (const Request& r : requests(c)) {
    const Event& sent = c.event(r.sent);
    const Kind kind = r.answered == no_event ? Kind::ended : c.event(r.answered).kind;
    if (kind == Kind::publish_abandoned) {
      if (c.limits.covers_refusal(r.answered)) continue;
      ++v.exercised;
      violate(v, c, r.answered, sent.client,
              sent.node + " refused the PUBLISH of " + sent.client + " with code " + std::to_string(c.event(r.answered).code), {r.sent});
      continue;
    }
    if (kind == Kind::refused) {
      const Event& answer = c.event(r.answered);
      if (is_clients_fault(answer.code) || c.limits.covers_connect(r.answered) ||
          !c.topology.undisturbed(sent.at - c.history.facts.settle, answer.at) ||
          !c.topology.running(c.node(r.sent), sent.at, answer.at))
        continue;
      ++v.exercised;
      violate(v,
              c,
              r.answered,
              sent.client,
              sent.node + " refused the CONNECT of " + sent.client + " at " +
                  in_seconds(answer.at) + " with code " + std::to_string(answer.code),
              {r.sent});
      continue;
    }
    const auto due = owed_by(c, r.sent);
    const bool in_time = r.answered != no_event && due && c.event(r.answered).at <= *due;
    if (in_time ||
        (r.answered != no_event && c.event(r.answered).at - sent.at <= c.topology.bound())) {
      ++v.exercised;
      continue;
    }
    if (!due) continue;
    ++v.exercised;
    violate(v,
            c,
            r.sent,
            sent.client,
            sent.node + " did not answer the " + word(sent.kind) +
                (sent.topic.empty() ? "" : " " + sent.topic) + " of " + sent.client + " sent at " +
                in_seconds(sent.at) + " by " + in_seconds(*due) +
                (r.answered == no_event ? ", nor later"
                                        : ", only at " + in_seconds(c.event(r.answered).at)),
            {r.answered});
  }
  return v;
}

}  // namespace hf::sim
