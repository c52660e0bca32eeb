// The latest moments that operations and copies show: for the reader's clock, and for claims.
#include <algorithm>

#include "broker/slot/state.hpp"

namespace hf::slot {

Stamp epoch_of(const pb::Operation& operation) {
  if (operation.has_inbound()) return from_pb(operation.inbound().epoch());
  if (operation.has_release()) return from_pb(operation.release().epoch());
  if (operation.has_send()) return from_pb(operation.send().epoch());
  if (operation.has_assign()) return from_pb(operation.assign().epoch());
  if (operation.has_settle()) return from_pb(operation.settle().epoch());
  return {};
}

Latest latest(const State& state) {
  Latest out;
  const auto see = [&](const Stamp& stamp) { out.time = std::max(out.time, stamp.time); };
  for (const auto& [client, session] : state.sessions) {
    for (const Stamp& stamp : {session.end, session.connect_stamp, session.attach_stamp, session.began, session.closed, session.ended}) see(stamp);
    for (const auto& [filter, subscription] : session.subscriptions) see(subscription.stamp);
    for (const auto& [name, entry] : session.entries) {
      see(entry.first);
      see(entry.last_stamp);
      out.epoch = std::max(out.epoch, entry.epoch);
    }
    for (const auto& [dot, will] : session.wills) see(will.connect);
    for (const auto& [key, inbound] : session.inbound) {
      see(inbound.stamp);
      out.epoch = std::max(out.epoch, inbound.epoch);
    }
  }
  for (const auto& [topic, retained] : state.retained.all()) see(retained.stamp);
  for (const auto& [name, retired] : state.retired) see(retired.stamp);
  for (const auto& [dot, will] : state.wills) see(will.stamp);
  for (const auto& [name, settled] : state.settled) {
    see(settled.stamp);
    out.epoch = std::max(out.epoch, settled.epoch);
  }
  see(out.epoch);
  return out;
}

}  // namespace hf::slot
