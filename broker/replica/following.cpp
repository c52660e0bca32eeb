// One slot at one holder: reading other holders' logs, and being read.
#include <algorithm>

#include "broker/base/assert.hpp"
#include "broker/replica/slot_replica.hpp"

namespace hf::replica {

namespace {
constexpr std::size_t ops_bytes_max = 256U * 1024;   ///< of one Ops message
constexpr std::size_t chunk_bytes_max = 128U * 1024; ///< of one StateChunk
}  // namespace

void SlotReplica::follow(NodeId source, bool coordinating, Outbox& out) {
  Source& entry = sources_[source];
  entry = Source{};
  if (coordinating) entry.claim = epoch_;
  pb::ReplicaMessage message;
  message.set_slot(state_.id);
  pb::Follow& ask = *message.mutable_follow();
  slot::to_pb(state_.seen, ask.mutable_seen());
  slot::to_pb(durable_, ask.mutable_durable());
  ask.set_coordinating(coordinating);
  if (coordinating) slot::to_pb(epoch_, ask.mutable_claim());
  out.emplace_back(source, std::move(message));
}

void SlotReplica::unfollow(NodeId source, Outbox& out) {
  if (sources_.erase(source) == 0) return;
  pb::ReplicaMessage message;
  message.set_slot(state_.id);
  message.mutable_unfollow();
  out.emplace_back(source, std::move(message));
}

bool SlotReplica::synced(NodeId source, bool claiming) const {
  const auto it = sources_.find(source);
  if (it == sources_.end() || !it->second.answered || it->second.incoming) return false;
  if (claiming && (!it->second.yielded || it->second.claim != epoch_)) return false;
  return state_.seen.covers(it->second.target);
}

bool SlotReplica::refused(NodeId source) const {
  const auto it = sources_.find(source);
  return it == sources_.end() || (it->second.answered && it->second.claim == epoch_ && !it->second.yielded);
}

bool SlotReplica::heard_from(NodeId source) {
  const auto it = sources_.find(source);
  return it != sources_.end() && std::exchange(it->second.heard, false);
}

std::string SlotReplica::why_not_synced(NodeId source, bool claiming) const {
  const auto it = sources_.find(source);
  if (it == sources_.end()) return "not followed";
  if (!it->second.answered) return "no answer";
  if (it->second.incoming) return "its state is on the way";
  if (claiming && (!it->second.yielded || it->second.claim != epoch_)) return "it did not yield";
  for (const auto& [origin, seq] : it->second.target.entries())
    if (state_.seen.seen(origin) < seq)
      return "it has " + std::to_string(seq) + " operations of node " + std::to_string(origin.node) + " boot " +
             std::to_string(origin.boot) + ", here are " + std::to_string(state_.seen.seen(origin));
  return "nothing";
}

void SlotReplica::peer_down(NodeId peer) {
  readers_.erase(peer);
  sources_.erase(peer);
}

SlotReplica::Received SlotReplica::receive(NodeId from, const pb::ReplicaMessage& message, bool yield,
                                           std::uint64_t time, Outbox& out) {
  Received result;
  const std::uint64_t named = std::max({message.follow().claim().time(), message.follow_ok().promised().time(),
                                        message.confirm().promised().time()});
  if (named >= slot::time_limit) return result;
  if (message.has_follow_ok() || message.has_ops() || message.has_chunk())
    if (const auto it = sources_.find(from); it != sources_.end()) it->second.heard = true;
  switch (message.kind_case()) {
    case pb::ReplicaMessage::kFollow:
      confirmed_[from] = {.durable = slot::from_pb(message.follow().durable()), .time = 0, .promised = {}};
      on_follow(from, message.follow(), yield, out);
      result.latest_time = promised_.time;
      break;
    case pb::ReplicaMessage::kFollowOk: {
      const auto it = sources_.find(from);
      const slot::Stamp promised = slot::from_pb(message.follow_ok().promised());
      latest_ = std::max(latest_, promised);
      result.latest_time = promised.time;
      if (it == sources_.end() || it->second.claim != slot::from_pb(message.follow_ok().claim())) break;
      it->second.answered = true;
      it->second.yielded = message.follow_ok().yielded();
      horizon_ = std::max(horizon_, message.follow_ok().horizon());
      it->second.target = slot::from_pb(message.follow_ok().seen());
      confirm(from, time, out);  // what is durable here may have moved since the Follow was sent
      break;
    }
    case pb::ReplicaMessage::kUnfollow:
      readers_.erase(from);
      break;
    case pb::ReplicaMessage::kOps:
      on_ops(from, message.ops(), result);
      break;
    case pb::ReplicaMessage::kChunk:
      on_chunk(from, message.chunk(), result, out);
      break;
    case pb::ReplicaMessage::kMore:
      if (const auto it = readers_.find(from); it != readers_.end()) it->second.wants_more = true;
      break;
    case pb::ReplicaMessage::kConfirm: {
      Confirmed& confirmed = confirmed_[from];
      confirmed.durable = slot::from_pb(message.confirm().durable());
      confirmed.time = message.confirm().time();
      confirmed.promised = slot::from_pb(message.confirm().promised());
      latest_ = std::max(latest_, confirmed.promised);
      result.latest_time = confirmed.promised.time;
      if (const auto it = readers_.find(from); it != readers_.end()) it->second.known.join(confirmed.durable);
      break;
    }
    case pb::ReplicaMessage::kStable:
      forget(slot::from_pb(message.stable().stable()), message.stable().horizon(), result.changes);
      result.stable = true;
      break;
    case pb::ReplicaMessage::KIND_NOT_SET:
      break;  // a newer peer's kind: not ours to judge
  }
  return result;
}

void SlotReplica::on_follow(NodeId from, const pb::Follow& follow, bool yield, Outbox& out) {
  if (const slot::Stamp claim = slot::from_pb(follow.claim()); yield && follow.coordinating()) {
    yield = claim >= promised_;
    promised_ = std::max(promised_, claim);
    latest_ = std::max(latest_, promised_);
  }
  Reader& reader = readers_[from];
  reader = Reader{};
  reader.known = slot::from_pb(follow.seen());
  pb::ReplicaMessage reply;
  reply.set_slot(state_.id);
  slot::to_pb(state_.seen, reply.mutable_follow_ok()->mutable_seen());
  reply.mutable_follow_ok()->set_yielded(yield);
  *reply.mutable_follow_ok()->mutable_claim() = follow.claim();
  slot::to_pb(promised_, reply.mutable_follow_ok()->mutable_promised());
  reply.mutable_follow_ok()->set_horizon(horizon_);
  out.emplace_back(from, std::move(reply));
  if (!reader.known.covers(log_.floor()))
    begin_transfer(reader);
  else
    reader.position = log_.begin();
}

void SlotReplica::begin_transfer(Reader& reader) {
  reader.rows = slot::rows(state_);
  reader.next_row = 0;
  reader.transferring = true;
  reader.wants_more = true;
  reader.position = log_.end();
  reader.known.join(state_.seen);
}

void SlotReplica::send_chunk(NodeId to, Reader& reader, Outbox& out) {
  pb::ReplicaMessage message;
  message.set_slot(state_.id);
  pb::StateChunk& chunk = *message.mutable_chunk();
  chunk.set_first(reader.next_row == 0);
  std::size_t bytes = 0;
  while (reader.next_row < reader.rows.size() && bytes < chunk_bytes_max) {
    auto& [key, value] = reader.rows[reader.next_row++];
    bytes += key.size() + value.size();
    auto& row = *chunk.add_rows();
    row.set_key(std::move(key));
    row.set_value(std::move(value));
  }
  reader.wants_more = false;
  if (reader.next_row == reader.rows.size()) {
    chunk.set_last(true);
    reader.transferring = false;
    reader.rows.clear();
    reader.rows.shrink_to_fit();
  }
  out.emplace_back(to, std::move(message));
}

bool SlotReplica::stream(const Room& room, Outbox& out) {
  bool more = false;
  for (auto& [node, reader] : readers_) {
    std::size_t left = room(node);
    // The log was cut below the reader's place (a merge here, or G13), perhaps while a state was on its way: only the
    // whole state will do.
    do {
      if (!reader.transferring && reader.position < log_.begin()) {
        if (reader.known.covers(log_.floor()))
          reader.position = log_.begin();
        else
          begin_transfer(reader);
      }
      if (!reader.transferring || !reader.wants_more) continue;
      if (left == 0) break;
      send_chunk(node, reader, out);
      left -= std::min(left, chunk_bytes_max);
    } while (!reader.transferring && reader.position < log_.begin());
    more = more || (reader.transferring && reader.wants_more);
    if (reader.transferring) continue;
    pb::ReplicaMessage message;
    std::size_t bytes = 0;
    for (; reader.position < log_.end() && left != 0; ++reader.position) {
      const auto& item = log_.at(reader.position);
      if (reader.known.covers(item.dot)) continue;
      reader.known.raise(item.dot);
      message.mutable_ops()->add_operations(item.bytes);
      bytes += item.bytes.size();
      left -= std::min(left, item.bytes.size());
      if (bytes < ops_bytes_max) continue;
      message.set_slot(state_.id);
      out.emplace_back(node, std::move(message));
      message.Clear();
      bytes = 0;
    }
    more = more || reader.position < log_.end();
    if (bytes == 0) continue;
    message.set_slot(state_.id);
    out.emplace_back(node, std::move(message));
  }
  return more;
}

void SlotReplica::on_ops(NodeId from, const pb::Ops& ops, Received& result) {
  const auto reader = readers_.find(from);
  for (const std::string& bytes : ops.operations()) {
    slot::pb::Operation operation;
    if (!operation.ParseFromString(bytes) || operation.time() >= slot::time_limit ||
        slot::epoch_of(operation).time >= slot::time_limit) {
      result.bad = true;
      return;
    }
    const slot::Dot dot = slot::from_pb(operation.dot());
    if (reader != readers_.end()) reader->second.known.raise(dot);
    if (state_.seen.covers(dot)) continue;
    if (state_.seen.seen(dot.origin) + 1 != dot.seq) {
      result.bad = true;  // a gap: the stream is not what invariant 3 says
      return;
    }
    slot::apply(state_, operation, result.changes);
    if (mutant_.is("retained_last_arrival") && operation.has_retained())
      state_.retained.put(operation.retained().message().topic(),
                          {slot::stamp_of(operation), dot, {}, operation.retained().message()});
    latest_ = std::max(latest_, slot::epoch_of(operation));
    log_.append(dot, bytes);
    ++result.operations;
    result.latest_time = std::max(result.latest_time, operation.time());
  }
}

void SlotReplica::on_chunk(NodeId from, const pb::StateChunk& chunk, Received& result, Outbox& out) {
  const auto it = sources_.find(from);
  if (it == sources_.end()) return;
  Source& source = it->second;
  if (chunk.first()) {
    source.incoming = std::make_unique<slot::State>(state_.id, state_.seed);
    source.damaged = false;
  }
  if (!source.incoming) return;
  for (const auto& row : chunk.rows())
    if (!slot::decode_row(*source.incoming, row.key(), row.value())) source.damaged = true;
  if (!chunk.last()) {
    pb::ReplicaMessage more;
    more.set_slot(state_.id);
    more.mutable_more();
    out.emplace_back(from, std::move(more));
    return;
  }
  const auto incoming = std::move(source.incoming);
  const auto out_of_time = [](const slot::Latest& latest) { return std::max(latest.time, latest.epoch.time) >= slot::time_limit; };
  if (source.damaged || !slot::finish_decoding(*incoming) || out_of_time(slot::latest(*incoming))) {
    result.bad = true;
    return;
  }
  slot::merge(state_, *incoming, result.changes);
  log_.restart(state_.seen);
  if (const auto reader = readers_.find(from); reader != readers_.end()) reader->second.known.join(incoming->seen);
  result.merged = true;
  const slot::Latest latest = slot::latest(*incoming);
  result.latest_time = latest.time;
  latest_ = std::max(latest_, latest.epoch);
}

}  // namespace hf::replica
