// Rights are kept: what a client may not have does not reach it, and what nobody may publish reaches nobody.
#include <algorithm>

#include "sim/check/case.hpp"

namespace hf::sim {

Verdict judge_access(const Case& c) {
  Verdict v = verdict("ACL", "rights are kept");
  const auto& messages = c.index.messages();
  for (const Message& message : messages) {
    if (message.sends.empty() || message.topic == no_id) continue;
    if (!c.rights.may_publish(message.publisher, message.topic)) {
      ++v.exercised;
      continue;
    }
    std::uint32_t counted = no_id;  // one client, however many of its filters match
    for (const std::size_t s : c.subscriptions.matching(message.topic)) {
      const Subscription& one = c.subscriptions.all()[s];
      if (one.client == counted || Subscriptions::covering(one, message.sends.front()) == nullptr) continue;
      counted = one.client;
      if (!c.rights.may_receive(one.client, message.topic)) ++v.exercised;
    }
  }
  for (const Receipt& receipt : c.index.receipts()) {
    const Message& message = messages[receipt.message];
    const std::uint32_t topic = c.index.topic_of(receipt.event);
    if (topic == no_id) continue;
    const Event& got = c.event(receipt.event);
    const bool receives = c.rights.may_receive(receipt.client, topic);
    if (receives && (message.sends.empty() || c.rights.may_publish(message.publisher, topic))) continue;
    violate(v, c, receipt.event, got.client,
            got.client + " received " + named(c, receipt.message) + " at " + in_seconds(got.at) + " from " + got.node +
                (receives ? ", which its publisher may not publish" : ", which it may not have"),
            {message.sends.empty() ? no_event : message.sends.front()});
  }
  return v;
}

}  // namespace hf::sim
