// The wills of connections at the coordinator of their session. G9.
//
// A will waits in the home slot from the CONNECT that brought it. The coordinator takes it out with a Fire, which is durable
// before it is published; whoever coordinates the slot publishes what was fired until a Published says it is stored
// everywhere. The identity comes from the connection, so that targets keep one entry however often and by however many
// sides of a partition it is published.
#include <algorithm>
#include <optional>
#include <utility>

#include "broker/mqtt/describe.hpp"
#include "broker/node/client_log.hpp"
#include "broker/node/coordinator.hpp"
#include "broker/node/parts.hpp"

namespace hf::node {

namespace {
constexpr std::uint64_t wills_begin = std::uint64_t{1} << 62U;  ///< sequence numbers do not get there, names of wills are beyond
}  // namespace

bool Coordinator::names_a_will(const slot::Dot& name) { return name.seq >= wills_begin; }

/// Of the connection itself: a CONNECT that was asked for again elsewhere may bear two stamps.
slot::Name Coordinator::will_name(SlotId slot, const slot::pb::Front& front) {
  return {.identity = true, .front = false, .slot = slot, .dot = {{front.node(), front.boot()}, wills_begin + front.connection()}};
}

/// The will is due after its delay or at session end, whichever comes first [MQTT-3.1.3-9].
std::uint64_t Coordinator::will_delay_ms(const slot::Session& session, std::uint32_t expiry_s) {
  return std::uint64_t{std::min(session.connect->will_delay_s(), expiry_s)} * 1000;
}

/// A new CONNECT follows a connection whose will is still there: cancelled if it comes within the delay and goes on with
/// the session, else published [MQTT-3.1.3-9].
void Coordinator::superseded_will(SlotId slot, const std::string& client, const slot::Session& old, bool clean) {
  if (old.will() == nullptr) return;
  const std::uint64_t delay = will_delay_ms(old, old.expiry_s);
  const bool passed = old.open() ? delay == 0 : old.closed_ms + delay <= parts_.env.wall_ms();
  if (clean || old.connect->bound() || passed || parts_.config.mutant.is("will_after_resume")) fire(slot, client);
}

void Coordinator::fire(SlotId slot, const std::string& client) {
  const slot::Session* now = session(slot, client);
  slot::pb::Operation operation;
  name_wills(*now, operation.mutable_fire()->mutable_wills());
  slot::to_pb(now->connect_stamp, operation.mutable_fire()->mutable_connect());
  fire(slot, client, now->will()->message, std::move(operation));
}

/// `operation`: a Fire that lacks its message.
void Coordinator::fire(SlotId slot, const std::string& client, const slot::pb::Message& will, slot::pb::Operation operation) {
  operation.mutable_fire()->set_client(client);
  slot::pb::Message& message = *operation.mutable_fire()->mutable_message();
  message = will;
  if (parts_.config.mutant.is("will_expiry_ignored")) message.clear_expires_ms();
  if (message.expires_ms() != 0) message.set_expires_ms(message.expires_ms() + parts_.env.wall_ms());
  if (message.qos() == 0) message.clear_identity();
  parts_.env.reached("will.fired");
  if (parts_.config.mutant.is("will_twice")) {
    slot::pb::Operation again = operation;
    if (message.qos() != 0) {
      auto& name = *again.mutable_fire()->mutable_message()->mutable_identity()->mutable_dot();
      name.set_seq(name.seq() + wills_begin);
    }
    append(slot, std::move(again));
  }
  append(slot, std::move(operation));
}

/// The operations that brought the will of its latest connection.
void Coordinator::name_wills(const slot::Session& session, Dots* out) {
  for (const auto& [dot, will] : session.wills)
    if (will.connect == session.connect_stamp) slot::to_pb(dot, out->Add());
}

bool Coordinator::leaves_wills(const slot::Session& session) {
  return std::any_of(session.wills.begin(), session.wills.end(), [&](const auto& one) { return !session.is_latest(one.second); });
}

void Coordinator::settle_left(SlotId slot) {
  for (const std::string& client : std::exchange(serving_[slot].left, {})) settle_left(slot, client);
}

/// A connection gave way where nobody knew of it: at a heal, to one made on the other side. As after any takeover, its will is
/// published, or void if it was to wait and the session goes on.
void Coordinator::settle_left(SlotId slot, const std::string& client) {
  while (true) {
    const slot::Session* now = session(slot, client);
    if (now == nullptr || !leaves_wills(*now)) return;
    slot::pb::Operation operation;
    auto& fire_it = *operation.mutable_fire();
    std::optional<slot::WaitingWill> left;
    for (const auto& [dot, will] : now->wills) {
      if (now->is_latest(will)) continue;
      if (left && left->connect != will.connect) continue;
      if (!left || left->copy) left = will;
      slot::to_pb(dot, fire_it.add_wills());
    }
    fire_it.set_client(client);
    slot::to_pb(left->connect, fire_it.mutable_connect());
    const bool fired = now->connect && left->connect == now->connect_stamp;
    const bool same = now->connect && slot::from_pb(left->message.identity()) == will_name(slot, now->connect->front());
    const bool goes_on = now->exists() && !now->connect->bound() && now->end <= left->connect && now->ended <= left->connect;
    parts_.env.reached("will.left_behind");
    // A copy tells nothing: who took the CONNECT itself has settled it, or it waits, too, and comes here.
    if (fired || same || left->copy || (goes_on && left->delay_s != 0) || parts_.config.mutant.is("displaced_will_lost"))
      append(slot, std::move(operation));
    else
      fire(slot, client, left->message, std::move(operation));
  }
}

/// Somebody holds what was published under the name of `will`. One of that name may wait on: its front was silent for the grace, and had
/// asked elsewhere, under another stamp. It is over, as that of any connection that outlives the grace.
void Coordinator::void_if_published(SlotId slot, const slot::Dot& will) {
  const slot::Name name{.identity = true, .front = false, .slot = slot, .dot = will};
  const auto& names = parts_.slots.held(slot)->state().will_names;
  for (auto it = names.lower_bound({name, {}}); it != names.end() && it->first.first == name; it = names.lower_bound({name, {}})) {
    const std::string client = it->first.second;
    slot::pb::Operation operation;
    operation.mutable_fire()->set_client(client);
    for (const auto& [dot, waiting] : session(slot, client)->wills) {
      if (slot::from_pb(waiting.message.identity()) != name) continue;
      slot::to_pb(waiting.connect, operation.mutable_fire()->mutable_connect());
      slot::to_pb(dot, operation.mutable_fire()->add_wills());
    }
    append(slot, std::move(operation));
  }
}

// Publishing what was fired.

void Coordinator::publish_will(SlotId slot, const slot::Dot& dot) {
  if (!serving_[slot].publishing.insert(dot).second) return;
  parts_.slots.held(slot)->when_stored(dot, false, [this, slot, dot] { send_will(slot, dot); });
}

void Coordinator::publish_wills(SlotId slot) {
  for (const slot::Dot& dot : std::exchange(serving_[slot].stored_wills, {})) will_stored(slot, dot);
  for (const auto& [dot, will] : parts_.slots.held(slot)->state().wills) publish_will(slot, dot);
}

void Coordinator::routes_complete() {
  for (SlotId slot = 0; slot < parts_.config.slots; ++slot)
    if (parts_.slots.serving(slot)) publish_wills(slot);
}

void Coordinator::send_will(SlotId slot, const slot::Dot& dot) {
  if (!parts_.slots.serving(slot) || !parts_.routes.complete()) {
    serving_[slot].publishing.erase(dot);  // taken up again when both hold
    return;
  }
  const auto& wills = parts_.slots.held(slot)->state().wills;
  const auto it = wills.find(dot);
  if (it == wills.end()) {
    serving_[slot].publishing.erase(dot);
    return;
  }
  const slot::pb::Message message = it->second.message;
  if (parts_.env.logs(env::Level::info))
    log_session(parts_.env, env::Level::info, client_event::will_published, message.publisher(),
                "will published to " + mqtt::quoted(message.topic()) + ", QoS " + std::to_string(message.qos()));
  if (message.qos() != 0)
    return parts_.publishing.route(message, 0, [this, slot, dot](std::uint32_t) { will_stored(slot, dot); });
  parts_.publishing.route(message, 0, {});
  will_stored(slot, dot);
}

void Coordinator::will_stored(SlotId slot, const slot::Dot& dot) {
  if (!parts_.slots.serving(slot)) {
    serving_[slot].stored_wills.insert(dot);
    return;
  }
  serving_[slot].publishing.erase(dot);
  if (!parts_.slots.held(slot)->state().wills.contains(dot)) return;
  slot::pb::Operation operation;
  slot::to_pb(dot, operation.mutable_published()->add_fires());
  append(slot, std::move(operation));
}

}  // namespace hf::node
