// Which filters each client surely has, surely has not, or may have, at each event.
#include "sim/check/subscriptions.hpp"

#include <algorithm>

#include "sim/check/topic_match.hpp"

namespace hf::sim {

using Kind = Event::Kind;

Subscriptions::Subscriptions(const History& history, const Index& index, const Topology& topology)
    : index_(index), topology_(topology) {
  of_client_.resize(index.clients().size());
  cleans_.resize(index.clients().size());
  for (std::size_t e = 0; e < history.events.size(); ++e) {
    const Event& event = history.events[e];
    if (event.kind > Kind::received) continue;
    const std::uint32_t c = index.client_of(e);
    auto& cleans = cleans_[c];
    switch (event.kind) {
      case Kind::connect_sent:
        if (!event.flag) break;
        session_over(c, e);
        cleans.push_back({event.connection, event.at});
        break;
      case Kind::connected: {
        const std::size_t connection = index.connection_of(e);
        const bool clean = connection != no_event && index.connections()[connection].clean;
        if (!event.flag || clean) session_over(c, e);
        std::erase_if(cleans,
                      [&](const CleanStart& s) { return s.connection == event.connection; });
        if (clean) session_cleaned(c, event, e);
        break;
      }
      case Kind::disconnected:
        if (event.expiry == 0U) session_over(c, e);
        break;
      case Kind::subscribe_sent:
      case Kind::subscribed:
      case Kind::unsubscribe_sent:
      case Kind::unsubscribed:
        step(event, e);
        break;
      default:
        break;
    }
  }
  match_topics(history);
}

void Subscriptions::close(std::size_t s, std::size_t e) {
  if (states_[s].open) all_[s].intervals.back().end = e;
  states_[s].open = false;
}

void Subscriptions::session_over(std::uint32_t client, std::size_t e) {
  for (const std::size_t s : of_client_[client]) close(s, e);
}

void Subscriptions::session_cleaned(std::uint32_t client, const Event& event, std::size_t e) {
  for (const std::size_t s : of_client_[client])
    if (!doubted(states_[s], client, event, false)) all_[s].doubts.push_back({e, true});
}

/// An unanswered request of another connection may lie in a buffer until all was calm for a while.
bool Subscriptions::stale_may_arrive(VirtualTime sent, VirtualTime now) const {
  return now - sent < topology_.bound() || topology_.last_calm(now) != now;
}

bool Subscriptions::doubted(const State& state,
                            std::uint32_t client,
                            const Event& event,
                            bool subscribe) const {
  for (const Outstanding& o : state.outstanding)
    if (o.connection != event.connection && !(subscribe && o.subscribe && o.qos == state.asked) &&
        (subscribe || o.subscribe) && stale_may_arrive(o.at, event.at))
      return true;
  for (const CleanStart& clean : cleans_[client])
    if (subscribe && clean.connection != event.connection && stale_may_arrive(clean.at, event.at))
      return true;
  return false;
}

void Subscriptions::step(const Event& event, std::size_t e) {
  const std::uint32_t c = index_.client_of(e);
  const std::uint32_t filter = index_.topic_of(e);
  if (filter == no_id) return;
  const auto [it, fresh] = names_.emplace(std::make_pair(c, filter), all_.size());
  if (fresh) {
    all_.push_back({c, filter, is_shared(event.topic), {}, {}});
    states_.push_back({});
    of_client_[c].push_back(it->second);
  }
  const std::size_t s = it->second;
  Subscription& subscription = all_[s];
  State& state = states_[s];
  // Requests of one connection are answered in order: an answer settles all up to its request.
  const auto answered = [&](bool subscribe) {
    auto& o = state.outstanding;
    const auto request = std::find_if(o.begin(), o.end(), [&](const Outstanding& x) {
      return x.connection == event.connection && x.subscribe == subscribe;
    });
    if (request == o.end()) return;
    const auto settled = static_cast<std::size_t>(request - o.begin());
    std::vector<Outstanding> left;
    for (std::size_t i = 0; i < o.size(); ++i)
      if (i > settled || o[i].connection != event.connection) left.push_back(o[i]);
    o = std::move(left);
  };
  const auto more_to_come = [&] {  // a later request of this connection will change it again
    return std::any_of(state.outstanding.begin(),
                       state.outstanding.end(),
                       [&](const Outstanding& x) { return x.connection == event.connection; });
  };
  switch (event.kind) {
    case Kind::subscribe_sent:
      if (state.open && subscription.intervals.back().asked != event.qos) close(s, e);
      state.asked = event.qos;
      state.outstanding.push_back({true, event.qos, event.connection, event.at});
      subscription.doubts.push_back({e, false});
      break;
    case Kind::subscribed:
      answered(true);
      if (event.code >= 0x80) {
        close(s, e);
      } else if (state.open) {
        subscription.intervals.back().confirmed = e;
        subscription.intervals.back().granted =
            std::min(subscription.intervals.back().granted, event.qos);
      } else if (!more_to_come() && !doubted(state, c, event, true)) {
        subscription.intervals.push_back({e, no_event, state.asked, event.qos, e});
        state.open = true;
      }
      break;
    case Kind::unsubscribe_sent:
      close(s, e);
      state.outstanding.push_back({false, 0, event.connection, event.at});
      subscription.doubts.push_back({e, false});
      break;
    default:  // unsubscribed
      answered(false);
      if (event.code < 0x80 && !more_to_come() && !doubted(state, c, event, false))
        subscription.doubts.push_back({e, true});
  }
}

void Subscriptions::match_topics(const History& history) {
  matching_.resize(index_.topics().size());
  std::vector<bool> published(index_.topics().size(), false);
  for (std::size_t e = 0; e < history.events.size(); ++e) {
    const Kind kind = history.events[e].kind;
    if ((kind == Kind::publish_sent || kind == Kind::received || kind == Kind::connect_sent) && index_.topic_of(e) != no_id)
      published[index_.topic_of(e)] = true;
  }
  std::map<std::uint32_t, std::vector<std::size_t>> by_filter;
  for (std::size_t s = 0; s < all_.size(); ++s) by_filter[all_[s].filter].push_back(s);
  for (const auto& [filter, subscriptions] : by_filter) {
    const auto plain = without_share(index_.topics()[filter]);
    for (std::size_t topic = 0; topic < published.size(); ++topic)
      if (published[topic] && filter_matches(plain, index_.topics()[topic]))
        matching_[topic].insert(matching_[topic].end(), subscriptions.begin(), subscriptions.end());
  }
  for (auto& found : matching_)  // by client, then by age
    std::sort(found.begin(), found.end(), [&](std::size_t a, std::size_t b) {
      return all_[a].client != all_[b].client ? all_[a].client < all_[b].client : a < b;
    });
}

std::vector<std::size_t> Subscriptions::matching(std::uint32_t topic, std::uint32_t client) const {
  const auto& found = matching_[topic];
  const auto begin = std::partition_point(
      found.begin(), found.end(), [&](std::size_t s) { return all_[s].client < client; });
  const auto end = std::partition_point(
      begin, found.end(), [&](std::size_t s) { return all_[s].client == client; });
  return {begin, end};
}

bool Subscriptions::through_group(std::uint32_t topic, std::uint32_t client) const {
  if (topic == no_id) return false;
  const auto mine = matching(topic, client);
  return std::any_of(mine.begin(), mine.end(), [&](std::size_t s) { return all_[s].shared; });
}

const Interval* Subscriptions::covering(const Subscription& subscription, std::size_t event) {
  const auto& intervals = subscription.intervals;
  const auto it = std::partition_point(
      intervals.begin(), intervals.end(), [&](const Interval& i) { return i.start < event; });
  if (it == intervals.begin()) return nullptr;
  const Interval& last = *std::prev(it);
  return last.end > event ? &last : nullptr;
}

std::size_t Subscriptions::gone_since(const Subscription& subscription, std::size_t event) {
  const auto& doubts = subscription.doubts;
  const auto it = std::partition_point(
      doubts.begin(), doubts.end(), [&](const Doubt& d) { return d.event < event; });
  if (it == doubts.begin() || !std::prev(it)->gone) return no_event;
  return std::prev(it)->event;
}

}  // namespace hf::sim
