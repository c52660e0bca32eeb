// Dots, stamps, names and version vectors to and from Protocol Buffers.
#include <algorithm>
#include <tuple>

#include "broker/base/hash.hpp"
#include "broker/slot/state.hpp"

namespace hf::slot {

const Inbound* Session::inbound_of(std::uint16_t packet_id) const {
  const Inbound* latest = nullptr;
  for (auto it = inbound.lower_bound(InboundKey{packet_id, {}}); it != inbound.end() && it->first.packet_id == packet_id; ++it)
    if (latest == nullptr || std::tie(it->second.epoch, it->second.stamp) > std::tie(latest->epoch, latest->stamp))
      latest = &it->second;
  return latest;
}

const WaitingWill* Session::will() const {
  const auto it = std::find_if(wills.begin(), wills.end(), [&](const auto& one) { return is_latest(one.second); });
  return it == wills.end() ? nullptr : &it->second;
}

Name reading_name(const Stamp& asked, std::string_view filter, std::string_view topic) {
  const std::uint64_t seq = hash64(topic, hash64(filter, asked.time));
  return {.identity = true, .front = false, .slot = reading_slot, .dot = {asked.origin, std::max<std::uint64_t>(seq, 1)}};
}

Dot from_pb(const pb::Dot& dot) {
  return {{dot.node(), dot.boot()}, dot.seq()};
}

Stamp from_pb(const pb::Stamp& stamp) {
  return {stamp.time(), {stamp.node(), stamp.boot()}};
}

Name from_pb(const pb::Name& name) {
  return {.identity = name.identity(),
          .front = name.front(),
          .written = name.written(),
          .slot = name.slot(),
          .dot = from_pb(name.dot())};
}

VersionVector from_pb(const pb::VersionVector& vector) {
  VersionVector out;
  for (const auto& one : vector.entries())
    if (one.seq() != 0) out.raise({{one.node(), one.boot()}, one.seq()});
  return out;
}

void to_pb(const Dot& dot, pb::Dot* out) {
  out->set_node(dot.origin.node);
  out->set_boot(dot.origin.boot);
  out->set_seq(dot.seq);
}

void to_pb(const Stamp& stamp, pb::Stamp* out) {
  out->set_time(stamp.time);
  out->set_node(stamp.origin.node);
  out->set_boot(stamp.origin.boot);
}

void to_pb(const Name& name, pb::Name* out) {
  to_pb(name.dot, out->mutable_dot());
  out->set_identity(name.identity);
  out->set_slot(name.slot);
  out->set_front(name.front);
  out->set_written(name.written);
}

void to_pb(const VersionVector& vector, pb::VersionVector* out) {
  out->clear_entries();
  for (const auto& [origin, seq] : vector.entries()) {
    auto* one = out->add_entries();
    one->set_node(origin.node);
    one->set_boot(origin.boot);
    one->set_seq(seq);
  }
}

pb::Connect without_repeats(const pb::Connect& connect) {
  pb::Connect kept = connect;
  kept.clear_client();
  kept.clear_connect();
  kept.clear_began();
  kept.clear_will();
  kept.clear_wills();
  return pb::Connect(kept);  // a cleared string keeps its memory, one that was never set has none
}

Stamp stamp_of(const pb::Operation& operation) {
  return {operation.time(), {operation.dot().node(), operation.dot().boot()}};
}

}  // namespace hf::slot
