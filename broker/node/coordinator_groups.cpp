// What a coordinator's sessions have to do with shared subscriptions, and QoS 0.
#include "broker/node/coordinator.hpp"
#include "broker/node/parts.hpp"

namespace hf::node {

std::optional<Coordinator::Link> Coordinator::link(SlotId slot, std::string_view client) const {
  const auto it = serving_[slot].attached.find(client);
  if (it == serving_[slot].attached.end()) return std::nullopt;
  return Link{it->second.node, it->second.window};
}

void Coordinator::note_groups(SlotId slot, const std::string& client, bool foreign) {
  if (is_group(client)) return parts_.groups.changed(slot, client, foreign);
  parts_.groups_of_members.changed(slot, client);
}

std::vector<std::string> Coordinator::shared_filters(const slot::pb::Subscribe& subscribe) {
  std::vector<std::string> out;
  for (const auto& one : subscribe.filters())
    if (one.filter().starts_with("$share/")) out.push_back(one.filter());
  return out;
}

/// Before they are done: then nothing tells them from other messages.
std::vector<slot::Name> Coordinator::deals_among(SlotId slot, const std::string& client, const slot::pb::Done& done) {
  std::vector<slot::Name> out;
  const slot::Session* now = session(slot, client);
  if (now == nullptr) return out;
  const auto& messages = parts_.slots.held(slot)->state().messages;
  for (const auto& one : done.names()) {
    const auto entry = now->entries.find(slot::from_pb(one));
    if (entry == now->entries.end() || entry->second.done) continue;
    if (messages.at(entry->second.message).message.has_deal()) out.push_back(entry->first);
  }
  return out;
}

void Coordinator::push_unkept(SlotId slot, const std::string& client, const pb::DealRequest& request) {
  Target target;
  target.retain = request.retain();
  if (request.identifier() != 0) target.identifiers.push_back(request.identifier());
  push_qos0(slot, client, request.message(), target);
}

void Coordinator::push_qos0(SlotId slot, const std::string& client, const slot::pb::Message& message, const Target& target) {
  if (is_group(client)) return parts_.groups.deal_unkept(slot, client, message);
  const auto it = serving_[slot].attached.find(client);
  if (it != serving_[slot].attached.end()) push_qos0(it->second, message, target);
}

void Coordinator::push_qos0(const Attached& attached, const slot::pb::Message& message, const Target& target) {
  pb::Deliver deliver;
  deliver.set_connection(attached.connection);
  deliver.set_retain(target.retain);
  for (const auto identifier : target.identifiers) deliver.add_identifiers(identifier);
  if (attached.node == parts_.self.node) return parts_.front.deliver(parts_.self.node, deliver, message);
  if (parts_.drops_qos0(attached.node)) return;
  *deliver.mutable_message() = message;
  pb::PeerMessage envelope;
  *envelope.mutable_deliver() = std::move(deliver);
  parts_.send(attached.node, std::move(envelope));
}

}  // namespace hf::node
