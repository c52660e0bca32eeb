// Retain handling 1: what is asked for again, while it is there, is not answered with retained messages.
#include <algorithm>
#include <map>

#include "sim/check/requests.hpp"
#include "sim/check/topic_match.hpp"

namespace hf::sim {
namespace {

class Judge {
 public:
  Judge(Verdict& verdict, const Case& c) : c_(c), verdict_(verdict), requests_(c) {
    for (std::size_t e = 0; e < c.history.events.size(); ++e) {
      const Event& event = c.event(e);
      const std::size_t on = c.index.connection_of(e);
      if (on == no_event) continue;
      if (event.kind == Event::Kind::received && event.retained) retained_[on].push_back(e);
      if (event.kind == Event::Kind::subscribe_sent) asked_[event.client].push_back(e);
    }
  }

  void run() {
    const auto& all = c_.subscriptions.all();
    for (std::size_t s = 0; s < all.size(); ++s)
      for (const Request& request : requests_.of(s))
        if (request.subscribe && request.handling == 1 && !all[s].shared && request.answered != no_event) judge(all[s], request);
  }

 private:
  /// The filter surely stood already, what came through it before has long arrived, and nothing disturbs the answer.
  void judge(const Subscription& subscription, const Request& request) {
    const Event& ask = c_.event(request.sent);
    const std::size_t on = c_.index.connection_of(request.sent);
    const Interval* standing = Subscriptions::covering(subscription, request.sent);
    if (on == no_event || standing == nullptr) return;
    const VirtualTime bound = c_.topology.bound(), until = c_.event(request.answered).at + bound;
    const Event& began = c_.event(standing->start);
    const Connection& connection = c_.index.connections()[on];
    const bool fresh = connection.connected == no_event || ask.at - c_.event(connection.connected).at < bound || ask.at - began.at < bound;
    const bool ends = connection.disconnected != no_event && c_.event(connection.disconnected).at <= until;
    if (fresh || ends || until > c_.end() || !calm(ask.at - bound, until)) return;
    if (!c_.topology.owed(c_.node(standing->start), c_.node(request.sent), began.at, ask.at)) return;
    ++verdict_.exercised;
    for (const std::size_t e : retained_[on]) {
      const Event& got = c_.event(e);
      if (e < request.sent || got.at > until || got.flag || !filter_matches(ask.topic, got.topic)) continue;
      if (another(ask.client, request.sent, ask.at - bound, got.at, got.topic)) continue;
      violate(verdict_, c_, e, got.client,
              got.client + " got a retained message of " + got.topic + " at " + in_seconds(got.at) + ", though it had held " + ask.topic +
                  " since " + in_seconds(began.at) + " when it asked for it again with retain handling 1 [MQTT-3.3.1-10]",
              {standing->start, request.sent, request.answered});
    }
  }

  bool calm(VirtualTime from, VirtualTime to) const {
    const VirtualTime settle = c_.history.facts.settle;
    return from >= settle && c_.topology.calm_at(from - settle) && c_.topology.steady(from - settle, to);
  }

  /// Another SUBSCRIBE that may have brought it, or one that asks for RETAIN as published.
  bool another(const std::string& client, std::size_t but, VirtualTime from, VirtualTime to, const std::string& topic) {
    return std::any_of(asked_[client].begin(), asked_[client].end(), [&](std::size_t e) {
      const Event& ask = c_.event(e);
      if (!filter_matches(without_share(ask.topic), topic)) return false;
      return ask.as_published || (e != but && ask.at >= from && ask.at <= to);
    });
  }

  const Case& c_;
  Verdict& verdict_;
  Requests requests_;
  std::map<std::size_t, std::vector<std::size_t>> retained_;  ///< received with RETAIN, by connection
  std::map<std::string, std::vector<std::size_t>> asked_;     ///< SUBSCRIBE sent, by client
};

}  // namespace

void judge_asked_again(Verdict& verdict, const Case& c) { Judge(verdict, c).run(); }

}  // namespace hf::sim
