// Operations in few words, for tables.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "broker/slot/apply.hpp"

namespace hf::slot::test {

/// One writer a node; stamps and dots as the table says.
class Maker {
 public:
  /// The next operation of `node`, stamped `time`.
  pb::Operation at(std::uint64_t time, NodeId node = 1) {
    pb::Operation op;
    op.set_version(1);
    op.set_time(time);
    to_pb(Dot{{node, 1}, ++seq_[node]}, op.mutable_dot());
    return op;
  }
  pb::Operation connect(std::uint64_t time,
                        bool clean,
                        NodeId node = 1,
                        std::uint32_t expiry_s = 60) {
    pb::Operation op = at(time, node);
    op.mutable_connect()->set_client("c");
    op.mutable_connect()->set_clean(clean);
    op.mutable_connect()->set_expiry_s(expiry_s);
    return op;
  }
  pb::Operation attach(std::uint64_t time, Stamp connect, bool clean, NodeId node) {
    pb::Operation op = this->connect(time, clean, node);
    to_pb(connect, op.mutable_connect()->mutable_connect());
    return op;
  }
  pb::Operation disconnect(std::uint64_t time,
                           Stamp connect,
                           std::uint32_t expiry_s,
                           NodeId node = 1) {
    pb::Operation op = at(time, node);
    op.mutable_disconnect()->set_client("c");
    op.mutable_disconnect()->set_expiry_s(expiry_s);
    op.mutable_disconnect()->set_closed_ms(time);
    to_pb(connect, op.mutable_disconnect()->mutable_connect());
    return op;
  }
  pb::Operation end(std::uint64_t time, NodeId node = 1) {
    pb::Operation op = at(time, node);
    op.mutable_end()->set_client("c");
    return op;
  }
  pb::Operation subscribe(std::uint64_t time,
                          const std::string& filter,
                          std::uint32_t qos,
                          NodeId node = 1) {
    pb::Operation op = at(time, node);
    op.mutable_subscribe()->set_client("c");
    auto* one = op.mutable_subscribe()->add_filters();
    one->set_filter(filter);
    one->mutable_options()->set_qos(qos);
    return op;
  }
  pb::Operation unsubscribe(std::uint64_t time, const std::string& filter, NodeId node = 1) {
    pb::Operation op = at(time, node);
    op.mutable_unsubscribe()->set_client("c");
    op.mutable_unsubscribe()->add_filters(filter);
    return op;
  }
  /// To "c"; `identity` 0 is a QoS 1 message.
  pb::Operation enqueue(std::uint64_t time, std::uint64_t identity, NodeId node = 1) {
    pb::Operation op = at(time, node);
    auto* message = op.mutable_enqueue()->mutable_message();
    message->set_topic("t");
    message->set_payload("at " + std::to_string(time));
    message->set_qos(identity == 0 ? 1 : 2);
    if (identity != 0) to_pb(name(identity), message->mutable_identity());
    auto* target = op.mutable_enqueue()->add_targets();
    target->set_client("c");
    target->set_qos(message->qos());
    return op;
  }
  pb::Operation send(
      std::uint64_t time, const Name& name, std::uint32_t id, Stamp attach, NodeId node = 1, Stamp epoch = {}) {
    pb::Operation op = at(time, node);
    op.mutable_send()->set_client("c");
    to_pb(epoch, op.mutable_send()->mutable_epoch());
    to_pb(attach, op.mutable_send()->mutable_attach());
    auto* one = op.mutable_send()->add_entries();
    one->set_packet_id(id);
    to_pb(name, one->mutable_name());
    return op;
  }
  pb::Operation recd(std::uint64_t time, const Name& name, NodeId node = 1) {
    pb::Operation op = at(time, node);
    op.mutable_recd()->set_client("c");
    to_pb(name, op.mutable_recd()->add_names());
    return op;
  }
  pb::Operation done(std::uint64_t time, const Name& name, NodeId node = 1) {
    pb::Operation op = at(time, node);
    op.mutable_done()->set_client("c");
    to_pb(name, op.mutable_done()->add_names());
    return op;
  }
  pb::Operation inbound(std::uint64_t time, std::uint32_t id, Stamp attach, NodeId node = 1, Stamp epoch = {}) {
    pb::Operation op = at(time, node);
    to_pb(epoch, op.mutable_inbound()->mutable_epoch());
    op.mutable_inbound()->set_client("c");
    op.mutable_inbound()->set_packet_id(id);
    to_pb(attach, op.mutable_inbound()->mutable_attach());
    return op;
  }
  pb::Operation release(std::uint64_t time, std::uint32_t id, Stamp attach, NodeId node = 1, Stamp epoch = {}) {
    pb::Operation op = at(time, node);
    to_pb(epoch, op.mutable_release()->mutable_epoch());
    op.mutable_release()->set_client("c");
    op.mutable_release()->set_packet_id(id);
    to_pb(attach, op.mutable_release()->mutable_attach());
    return op;
  }
  pb::Operation began(std::uint64_t time, Stamp connect, NodeId node = 1) {
    pb::Operation op = at(time, node);
    op.mutable_began()->set_client("c");
    to_pb(connect, op.mutable_began()->mutable_connect());
    return op;
  }
  pb::Operation retire(std::uint64_t time, std::uint64_t identity, NodeId node = 1) {
    pb::Operation op = at(time, node);
    to_pb(name(identity), op.mutable_retire()->add_names());
    return op;
  }
  pb::Operation retained(std::uint64_t time, const std::string& payload, NodeId node = 1) {
    pb::Operation op = at(time, node);
    op.mutable_retained()->mutable_message()->set_topic("t");
    op.mutable_retained()->mutable_message()->set_payload(payload);
    return op;
  }
  static Name name(std::uint64_t identity) {
    return {.identity = true, .front = false, .slot = 3, .dot = {{50, 1}, identity}};
  }
  /// Of a QoS 1 entry.
  static Name name(const pb::Operation& enqueue) {
    return {.identity = false, .front = false, .slot = 0, .dot = from_pb(enqueue.dot())};
  }

 private:
  std::map<NodeId, std::uint64_t> seq_;
};

inline State apply_all(const std::vector<pb::Operation>& operations) {
  State state(7);
  Changes changes;
  for (const auto& op : operations) apply(state, op, changes);
  return state;
}

}  // namespace hf::slot::test
