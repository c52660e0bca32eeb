// Where a message goes: to every slot and every node that wants its topic.
#include "broker/node/publishing.hpp"

#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "broker/node/parts.hpp"

namespace hf::node {

void Publishing::route(const slot::pb::Message& message, std::uint64_t connection, Stored stored, slot::Stamp connected) {
  std::set<RouteTarget> targets;
  parts_.routes.match(message.topic(), targets);
  std::vector<std::pair<SlotId, pb::Request>> asked;
  for (const RouteTarget& target : targets) {
    const bool mine = target.local && target.id == parts_.self.node;
    if (stored && (mine || !target.local)) {
      pb::Request request;
      request.set_connection(connection);
      *request.mutable_publish()->mutable_message() = message;
      asked.emplace_back(mine ? parts_.local_slot() : target.id, std::move(request));
      continue;
    }
    const NodeId to = target.local ? target.id : parts_.slots.coordinator(target.id);
    if (to == parts_.self.node) {
      parts_.coordinator.cast(target.local ? parts_.local_slot() : target.id, message);
      continue;
    }
    if (message.qos() == 0 && parts_.drops_qos0(to)) continue;
    pb::PeerMessage envelope;
    envelope.mutable_cast()->set_slot(target.local ? 0 : target.id);
    envelope.mutable_cast()->set_local(target.local);
    *envelope.mutable_cast()->mutable_message() = message;
    parts_.send(to, std::move(envelope));
  }
  if (message.retain() && parts_.config.retain_available) {
    pb::Request request;
    if (stored) request.set_connection(connection);  // what nobody waits for is asked also when the connection is gone
    *request.mutable_retain()->mutable_message() = message;
    if (connected != slot::Stamp{}) slot::to_pb(connected, request.mutable_retain()->mutable_connected());
    asked.emplace_back(parts_.slots.slot_of(message.topic()), std::move(request));
  }
  const auto matched = static_cast<std::uint32_t>(targets.size());
  if (asked.empty()) {
    if (stored) stored({.matched = matched});
    return;
  }
  auto waiting = std::make_shared<std::pair<std::size_t, Outcome>>(asked.size(), Outcome{.matched = matched});
  for (auto& [slot, request] : asked)
    parts_.requests.submit(slot, std::move(request), [waiting, stored](const pb::Reply& reply) {
      auto& [left, outcome] = *waiting;
      outcome.full = outcome.full || reply.full();
      outcome.over_quota = outcome.over_quota || reply.over_quota();
      if (--left == 0 && stored) stored(outcome);
    });
}

}  // namespace hf::node
