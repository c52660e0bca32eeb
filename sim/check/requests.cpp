// Each client's requests about each of its filters, and which of them may have been in force for a message.
#include "sim/check/requests.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace hf::sim {

using Kind = Event::Kind;

Requests::Requests(const Case& c) : c_(c), of_(c.subscriptions.all().size()), any_(c.index.clients().size(), false) {
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::size_t> subscriptions;
  for (std::size_t s = 0; s < of_.size(); ++s)
    subscriptions[{c.subscriptions.all()[s].client, c.subscriptions.all()[s].filter}] = s;
  for (std::size_t e = 0; e < c.history.events.size(); ++e) {
    const Event& event = c.event(e);
    const bool asks = event.kind == Kind::subscribe_sent || event.kind == Kind::unsubscribe_sent;
    if (!asks && event.kind != Kind::subscribed && event.kind != Kind::unsubscribed) continue;
    const auto found = subscriptions.find({c.index.client_of(e), c.index.topic_of(e)});
    if (found == subscriptions.end()) continue;
    std::vector<Request>& requests = of_[found->second];
    if (asks) {
      Request one;
      one.sent = e;
      one.subscribe = event.kind == Kind::subscribe_sent;
      one.shared = c.subscriptions.all()[found->second].shared;
      one.identifier = event.identifiers.empty() ? 0 : event.identifiers.front();
      one.no_local = event.no_local;
      one.as_published = event.as_published;
      one.handling = event.handling;
      requests.push_back(one);
      if (one.identifier != 0 || one.no_local || one.as_published || one.handling != 0) any_[c.index.client_of(e)] = true;
      continue;
    }
    // Requests of one connection are answered in order.
    const auto answers = std::find_if(requests.begin(), requests.end(), [&](const Request& one) {
      return one.answered == no_event && one.subscribe == (event.kind == Kind::subscribed) &&
             c.event(one.sent).connection == event.connection;
    });
    if (answers == requests.end()) continue;
    if (event.code >= 0x80) requests.erase(answers);  // refused: its word never counted
    else answers->answered = e;
  }
}

bool Requests::Span::subscribes() const {
  return std::any_of(requests.begin(), requests.end(), [](const Request& one) { return one.subscribe; });
}

bool Requests::Span::has(std::uint32_t identifier) const {
  return std::any_of(requests.begin(), requests.end(),
                     [&](const Request& one) { return one.subscribe && one.identifier == identifier; });
}

bool Requests::Span::has_any() const {
  return std::any_of(requests.begin(), requests.end(), [](const Request& one) { return one.identifier != 0; });
}

std::uint32_t Requests::Span::only_identifier() const {
  const auto first = std::find_if(requests.begin(), requests.end(), [](const Request& one) { return one.subscribe; });
  const bool same = first != requests.end() && std::all_of(first, requests.end(), [&](const Request& one) {
                      return !one.subscribe || one.identifier == first->identifier;
                    });
  return same ? first->identifier : 0;
}

bool Requests::Span::all_of(bool Request::*option) const {
  return std::all_of(requests.begin(), requests.end(), [&](const Request& one) { return !one.subscribe || one.*option; });
}

bool Requests::Span::may_bring_flag() const {
  return std::any_of(requests.begin(), requests.end(), [](const Request& one) {
    return one.subscribe && (one.as_published || (one.handling != 2 && !one.shared));
  });
}

Requests::Span Requests::all(std::size_t subscription, std::size_t event) const {
  const std::vector<Request>& requests = of_[subscription];
  const auto end = std::partition_point(requests.begin(), requests.end(), [&](const Request& one) { return one.sent < event; });
  return {std::span(requests).first(static_cast<std::size_t>(end - requests.begin())), false};
}

/// One of another connection before, which was never answered, may come after its successor while it lies in a buffer.
bool Requests::stale_may_arrive(const std::vector<Request>& requests, std::size_t i) const {
  const Event& answer = c_.event(requests[i].answered);
  return std::any_of(requests.begin(), requests.begin() + static_cast<std::ptrdiff_t>(i), [&](const Request& before) {
    const Event& sent = c_.event(before.sent);
    return before.answered == no_event && sent.connection != answer.connection &&
           (answer.at - sent.at < c_.topology.bound() || c_.topology.last_calm(answer.at) != answer.at);
  });
}

Requests::Span Requests::possible(std::size_t subscription, const Message& message, std::size_t event) const {
  Span span = all(subscription, event);
  for (std::size_t i = span.requests.size(); i-- > 0;) {
    const std::size_t answered = span.requests[i].answered;
    if (answered == no_event || answered > message.sends.front() || !c_.owed(answered, message, event)) continue;
    if (stale_may_arrive(of_[subscription], i)) continue;
    span.requests = span.requests.subspan(i);
    span.ruled = true;
    break;
  }
  return span;
}

const Request* Requests::sure(std::size_t subscription, const Span& possible, const Message& message, std::size_t event) const {
  if (!possible.ruled || possible.requests.size() != 1 || !possible.requests.front().subscribe) return nullptr;
  const Subscription& standing = c_.subscriptions.all()[subscription];
  const Interval* then = Subscriptions::covering(standing, message.sends.front());
  if (standing.shared || then == nullptr || then != Subscriptions::covering(standing, event)) return nullptr;
  return &possible.requests.front();
}

}  // namespace hf::sim
