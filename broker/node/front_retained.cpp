// The front's part in reading retained messages: saying when a client has taken its share.
#include "broker/node/front.hpp"
#include "broker/node/parts.hpp"

namespace hf::node {

/// A limit of its slot's node: the message went to its subscribers, and is not kept.
void Front::not_retained(Connection& connection, Unacknowledged& one) {
  one.refusal = mqtt::Reason::quota_exceeded;
  one.text = "the message is not retained: there are too many";
  if (one.qos != 2) return;
  pb::Request request = request_for(connection);  // no PUBREL comes: the packet id is free again [MQTT-4.3.3-4]
  request.set_release(one.packet_id);
  parts_.requests.submit(connection.session_slot, std::move(request), {});
}

void Front::on_mark(NodeId from, pb::RetainedMark mark) {
  Connection* connection = find(mark.connection());
  if (connection == nullptr) return;  // whoever comes next is attached anew
  mark.set_back(true);
  if (!connection->out.empty()) parts_.env.send(connection->stream, Bytes(std::exchange(connection->out, {})));
  connection->marks.emplace_back(from, std::move(mark));
  if (parts_.env.unsent(connection->stream) <= env::writable_mark) writable(connection->stream);
}

void Front::writable(StreamId stream) {
  Connection* connection = find(stream);
  if (connection == nullptr) return;
  for (auto& [node, mark] : std::exchange(connection->marks, {})) {
    pb::PeerMessage message;
    *message.mutable_retained_mark() = std::move(mark);
    parts_.send(node, std::move(message));
  }
}

}  // namespace hf::node
