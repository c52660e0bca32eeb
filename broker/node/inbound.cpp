// QoS 2 from clients, at the coordinator of the publisher's slot: which packet ids are in use, and what they name.
#include "broker/node/coordinator.hpp"
#include "broker/node/parts.hpp"

namespace hf::node {

void Coordinator::inbound(SlotId slot, NodeId from, const pb::Request& request) {
  const slot::Session* now = session(slot, request.client());
  pb::Reply yes = answer(request);
  const auto id = static_cast<std::uint16_t>(request.inbound());
  const slot::Stamp connect = now->connect_stamp;
  const slot::Inbound* known = now->inbound_of(id);
  // Another message under an id in use: the client was told elsewhere, out of reach, that it has no session, and began anew.
  const bool another = known != nullptr && known->content != 0 && known->content != request.content() &&
                       !parts_.config.mutant.is("inbound_id_is_enough");
  const bool held = known != nullptr && !known->released() && !another && !parts_.config.mutant.is("inbound_ids_forgotten");
  slot::Dot gate;
  if (held && known->epoch == parts_.slots.held(slot)->epoch()) {
    gate = tail(slot);  // sent again: the same message under the same name
  } else {
    slot::pb::Operation operation;
    auto& op = *operation.mutable_inbound();
    op.set_client(request.client());
    slot::to_pb(now->connect_stamp, op.mutable_attach());  // not of its attachment, which may be later than a CONNECT that superseded it
    slot::to_pb(parts_.slots.held(slot)->epoch(), op.mutable_epoch());
    op.set_packet_id(id);
    op.set_content(request.content());
    if (held) slot::to_pb(known->name, op.mutable_name());  // of an earlier epoch: perhaps decided, and now for sure
    gate = append(slot, std::move(operation));
  }
  parts_.slots.held(slot)->when_stored(gate, true, [this, slot, from, id, connect, request, yes]() mutable {
    const slot::Session* at = session(slot, request.client());
    if (at == nullptr || !at->exists() || at->connect_stamp != connect) {
      yes.set_superseded(true);
      return reply(from, yes);
    }
    // A coordinator of a later epoch, heard of meanwhile, says otherwise of this id: its word is of a message before.
    const slot::Inbound* one = at->inbound_of(id);
    if (one == nullptr || one->released() || (one->content != 0 && one->content != request.content())) return redirect(from, request);
    const bool local = slot == parts_.local_slot();
    slot::to_pb(slot::Name{.identity = true, .front = local, .slot = local ? parts_.self.node : slot, .dot = one->name}, yes.mutable_identity());
    reply(from, yes);
  });
}

void Coordinator::release(SlotId slot, NodeId from, const pb::Request& request) {
  const slot::Session* now = session(slot, request.client());
  slot::pb::Operation operation;
  auto& op = *operation.mutable_release();
  op.set_client(request.client());
  slot::to_pb(now->connect_stamp, op.mutable_attach());
  slot::to_pb(parts_.slots.held(slot)->epoch(), op.mutable_epoch());
  op.set_packet_id(request.release());
  const slot::Inbound* known = now->inbound_of(static_cast<std::uint16_t>(request.release()));
  pb::Reply yes = answer(request);
  yes.add_had(known != nullptr && !known->released());
  const auto gate = append(slot, std::move(operation));
  parts_.slots.held(slot)->when_stored(gate, true, [this, from, yes = std::move(yes)] { reply(from, yes); });
}

/// Only now: a client that never read the CONNACK still holds its packet ids, and may go on with them elsewhere.
void Coordinator::began(SlotId slot, NodeId from, const pb::Request& request) {
  reply(from, answer(request));
  const slot::Session* now = session(slot, request.client());
  if (now->began >= now->connect_stamp) return;
  slot::pb::Operation operation;
  operation.mutable_began()->set_client(request.client());
  slot::to_pb(now->connect_stamp, operation.mutable_began()->mutable_connect());
  append(slot, std::move(operation));
}

}  // namespace hf::node
