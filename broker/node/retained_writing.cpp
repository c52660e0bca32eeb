// Coordinator: a retained message is written to its topic's slot; those read are owed to a session.
#include "broker/node/coordinator.hpp"
#include "broker/node/parts.hpp"
#include "broker/topic/name.hpp"

namespace hf::node {

/// Has this been written before, or something later by the same publisher: a resend must not bring it back.
bool Coordinator::retained_before(SlotId slot, const pb::Retain& ask) {
  const slot::pb::Message& message = ask.message();
  if (message.has_identity()) {
    const slot::Session* memory = session(slot, slot::retained_writer);
    slot::Name name = slot::from_pb(message.identity());
    name.identity = name.written = true;
    if (memory != nullptr && memory->entries.contains(name)) return true;
  }
  const auto& retained = parts_.slots.held(slot)->state().retained;
  const auto here = retained.find(message.topic());
  // Sent on a connection before the one that wrote what is here; it may have lain in a front since.
  return here != retained.end() && here->second.message.publisher() == message.publisher() && ask.has_connected() &&
         here->second.connected > slot::from_pb(ask.connected());
}

void Coordinator::retain(SlotId slot, NodeId from, const pb::Request& request, bool again) {
  auto* held = parts_.slots.held(slot);
  pb::Reply yes = answer(request);
  const slot::pb::Message& message = request.retain().message();
  const auto written = [&] {  // unless it was refused for want of room
    const auto here = held->state().retained.find(message.topic());
    if (here == held->state().retained.end()) return false;
    const slot::pb::Message& is = here->second.message;
    return (is.publisher() == message.publisher() && is.payload() == message.payload()) || parts_.retained.has_room(slot, message);
  };
  if ((again && written()) || retained_before(slot, request.retain())) {
    held->when_stored(tail(slot), false, [this, from, yes] { reply(from, yes); });
    return;
  }
  if (!parts_.retained.has_room(slot, message)) {
    ++parts_.counters.dropped;
    yes.set_over_quota(true);
    return reply(from, std::move(yes));
  }
  slot::pb::Operation operation;
  *operation.mutable_retained()->mutable_message() = message;
  if (parts_.config.mutant.is("retained_properties_lost")) operation.mutable_retained()->mutable_message()->clear_properties();
  if (request.retain().has_connected()) *operation.mutable_retained()->mutable_connected() = request.retain().connected();
  if (message.has_identity()) {
    slot::Name name = slot::from_pb(message.identity());
    name.identity = name.written = true;
    note_unretired(slot, name);
  }
  const auto dot = append(slot, std::move(operation));
  parts_.retained.measure(slot);
  if (parts_.config.mutant.is("retained_tombstone_dropped") && message.payload().empty())
    held->state().retained.erase(message.topic());
  held->when_stored(dot, false, [this, from, yes = std::move(yes)] { reply(from, yes); });
}

/// [MQTT-3.3.1-9] to [MQTT-3.3.1-11]: handling 0 always, 1 for a new subscription, 2 never; and never for a shared one. What an
/// earlier SUBSCRIBE is still owed stays owed [MQTT-3.8.4-4], also where it stands in the same packet [MQTT-3.8.4-5].
void Coordinator::note_owed(SlotId slot, const std::string& client, slot::pb::Subscribe& subscribe) {
  const slot::Session* now = session(slot, client);
  std::map<std::string, bool> anew;
  for (const auto& one : subscribe.filters()) {
    const auto before = now->subscriptions.find(one.filter());
    const bool present = before != now->subscriptions.end() && before->second.present;
    const bool existed = present || anew.contains(one.filter());
    const bool again = present && before->second.owed() && before->second.owing->asked == slot::from_pb(subscribe.asked());
    const std::uint32_t handling = one.options().retain_handling();
    const auto parsed = topic::parse_filter(one.filter());
    const bool asks = parts_.config.retain_available && parsed && !parsed->shared() && !again &&
                      (handling == 0 || (handling == 1 && !existed));
    anew[one.filter()] = anew[one.filter()] || asks;
  }
  for (auto& one : *subscribe.mutable_filters()) {
    one.set_owed(anew[one.filter()]);
    const auto before = now->subscriptions.find(one.filter());
    if (before != now->subscriptions.end() && before->second.present && parts_.config.mutant.is("identifier_never_changes"))
      one.mutable_options()->set_identifier(before->second.options.identifier());
    if (one.owed() || before == now->subscriptions.end() || !before->second.owed()) continue;
    one.set_owed(true);
    slot::to_pb(before->second.owing->asked, one.mutable_asked());
    for (const auto& [topics, topic] : before->second.owing->read) {
      auto& read = *one.add_read();
      read.set_slot(topics);
      read.set_topic(topic);
    }
  }
}

/// True where it was pushed and nobody will confirm it.
bool Coordinator::owe_retained(SlotId slot, const std::string& client, const slot::pb::Options& options,
                               const slot::pb::Message& message, const Asked* by) {
  Target target;
  target.qos = std::min(options.qos(), message.qos());
  target.retain = !parts_.config.mutant.is("retained_without_flag");  // [MQTT-3.3.1-8]
  if (options.identifier() != 0 && !parts_.config.mutant.is("retained_without_identifier")) target.identifiers.push_back(options.identifier());
  if (target.qos == 0) {
    const auto it = serving_[slot].attached.find(client);
    if (it == serving_[slot].attached.end()) return false;
    push_qos0(it->second, message, target);
    return true;
  }
  slot::pb::Operation operation;
  *operation.mutable_enqueue()->mutable_message() = message;
  if (by != nullptr) {
    if (by->reading) *operation.mutable_enqueue()->mutable_reading() = *by->reading;
    // Who reads it again must not queue it again. (A local slot ends with this node.)
    if (target.qos == 2 && slot != parts_.local_slot() && !parts_.config.mutant.is("reading_without_name"))
      slot::to_pb(slot::reading_name(by->asked, by->filter, message.topic()),
                  operation.mutable_enqueue()->mutable_message()->mutable_identity());
  }
  auto& one = *operation.mutable_enqueue()->add_targets();
  one.set_client(client);
  one.set_qos(target.qos);
  one.set_retain(target.retain);
  for (const auto identifier : target.identifiers) one.add_identifiers(identifier);
  append(slot, std::move(operation));
  return false;
}

void Coordinator::send_mark(SlotId slot, const std::string& client, std::uint64_t id) {
  const auto it = serving_[slot].attached.find(client);
  if (it == serving_[slot].attached.end()) return;
  pb::PeerMessage envelope;
  pb::RetainedMark& mark = *envelope.mutable_retained_mark();
  mark.set_connection(it->second.connection);
  mark.set_local(slot == parts_.local_slot());
  mark.set_slot(mark.local() ? 0 : slot);
  mark.set_client(client);
  mark.set_id(id);
  parts_.send(it->second.node, std::move(envelope));
}

void Coordinator::answered(SlotId slot, const std::string& client, const std::string& filter, slot::Stamp subscribed) {
  slot::pb::Operation operation;
  operation.mutable_answered()->set_client(client);
  operation.mutable_answered()->set_filter(filter);
  slot::to_pb(subscribed, operation.mutable_answered()->mutable_subscribed());
  append(slot, std::move(operation));
}

}  // namespace hf::node
