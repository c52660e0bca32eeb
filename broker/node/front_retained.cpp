// The front's part in reading retained messages: saying when a client has taken its share.
#include "broker/node/front.hpp"
#include "broker/node/parts.hpp"

namespace hf::node {

void Front::on_mark(NodeId from, pb::RetainedMark mark) {
  Connection* connection = find(mark.connection());
  if (connection == nullptr) return;  // whoever comes next is attached anew
  mark.set_back(true);
  put_out(*connection);
  connection->underway.edit().marks.emplace_back(from, std::move(mark));
  if (parts_.env.unsent(connection->stream) <= env::writable_mark) return_marks(*connection);
}

void Front::return_marks(Connection& connection) {
  if (connection.underway->marks.empty()) return;
  for (auto& [node, mark] : std::exchange(connection.underway.edit().marks, {})) {
    pb::PeerMessage message;
    *message.mutable_retained_mark() = std::move(mark);
    parts_.send(node, std::move(message));
  }
}

}  // namespace hf::node
