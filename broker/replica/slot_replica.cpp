// One slot at one holder: writing, gates, storage, forgetting.
#include "broker/replica/slot_replica.hpp"

#include "broker/base/assert.hpp"

namespace hf::replica {

namespace {
constexpr std::size_t log_bytes_max = 8U * 1024 * 1024;  ///< G13: beyond, readers get the whole state
}

std::string big_endian(std::uint64_t value, std::size_t bytes) {
  std::string out(bytes, '\0');
  for (std::size_t i = bytes; i-- > 0; value >>= 8U) out[i] = static_cast<char>(value & 0xFFU);
  return out;
}
std::uint64_t from_big_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char c : bytes) value = value << 8U | static_cast<unsigned char>(c);
  return value;
}
std::string row_prefix(SlotId slot) { return "S" + big_endian(slot, 4); }
std::string log_prefix(SlotId slot) { return "L" + big_endian(slot, 4); }
std::string floor_key(SlotId slot) { return "F" + big_endian(slot, 4); }
std::string promise_key(SlotId slot) { return "P" + big_endian(slot, 4); }
std::string prefix_end(std::string prefix) {
  while (!prefix.empty() && static_cast<unsigned char>(prefix.back()) == 0xFF) prefix.pop_back();
  if (!prefix.empty()) prefix.back() = static_cast<char>(prefix.back() + 1);
  return prefix;
}

SlotReplica::SlotReplica(SlotId slot, Origin self, bool local, Mutant mutant, std::uint64_t seed)
    : state_(slot, seed), self_(self), local_(local), mutant_(std::move(mutant)) {}

slot::Dot SlotReplica::append(slot::pb::Operation operation, slot::Stamp stamp, slot::Changes& changes) {
  const slot::Dot dot{self_, state_.seen.seen(self_) + 1};
  operation.set_version(1);
  slot::to_pb(dot, operation.mutable_dot());
  operation.set_time(stamp.time);
  slot::apply(state_, operation, changes);
  if (!local_) log_.append(dot, operation.SerializeAsString());
  return dot;
}

void SlotReplica::when_stored(const slot::Dot& dot, bool majority, std::function<void()> then) {
  (majority ? majority_gates_ : stored_gates_).push_back({dot, std::move(then)});
}

std::vector<std::function<void()>> SlotReplica::take_fired(CopiesOfGates& copies_of_gates) {
  std::vector<std::function<void()>> fired;
  fire(stored_gates_, false, fired, copies_of_gates);
  // A gate may be older than the claim: what a majority had stored before it comes first.
  if (!majority_gates_.empty() && (decides() || mutant_.is("qos2_without_majority"))) fire(majority_gates_, true, fired, copies_of_gates);
  return fired;
}

void SlotReplica::fire(std::deque<Gate>& gates, bool under_claim, std::vector<std::function<void()>>& fired, CopiesOfGates& counts) {
  while (!gates.empty()) {
    const slot::Dot dot = gates.front().dot;
    if (!(under_claim ? stored_by_majority(dot) : stored(dot))) return;
    if (!local_) ++counts[std::min(copies(dot, false), counts.size() - 1)];
    fired.push_back(std::move(gates.front().then));
    gates.pop_front();
  }
}

bool SlotReplica::whole_at(NodeId node) const {
  if (node == self_.node) return durable_.covers(before_);
  if (last_stable_.covers(before_)) return true;
  const auto it = confirmed_.find(node);
  return it != confirmed_.end() && it->second.durable.covers(before_);
}

void SlotReplica::note_time() {
  if (before_ != recent_) before_ = recent_;
  if (recent_ != state_.seen) recent_ = state_.seen;
}

void SlotReplica::drop_gates() {
  stored_gates_.clear();
  majority_gates_.clear();
}

void SlotReplica::claim(const slot::Stamp& claim) {
  HF_ASSERT(claim > promised_);
  epoch_ = promised_ = claim;
  latest_ = std::max(latest_, claim);
}

bool SlotReplica::decides() const {
  if (local_) return true;
  if (fenced()) return false;
  std::size_t promised = 0;
  for (const NodeId node : quorum_.replicas) promised += (node == self_.node || synced(node, true)) && confirmed_by(node, {}, true);
  return promised >= quorum_.replicas.size() / 2 + 1;
}

bool SlotReplica::confirmed_by(NodeId node, const slot::Dot& dot, bool under_claim) const {
  const auto it = confirmed_.find(node);
  if (node != self_.node && it == confirmed_.end()) return false;
  const slot::VersionVector& durable = node == self_.node ? durable_ : it->second.durable;
  const slot::Stamp& promised = node == self_.node ? durable_promise_ : it->second.promised;
  return (dot.seq == 0 || durable.covers(dot)) && (!under_claim || promised == epoch_);
}

std::size_t SlotReplica::copies(const slot::Dot& dot, bool under_claim) const {
  std::size_t count = 0;
  for (const NodeId node : quorum_.replicas) count += confirmed_by(node, dot, under_claim) ? 1U : 0U;
  return count;
}

bool SlotReplica::stored(const slot::Dot& dot) const {
  if (local_ || mutant_.is("ack_before_sync")) return true;
  if (mutant_.is("ack_before_replication")) return durable_.covers(dot);
  const std::size_t need = std::max<std::size_t>(1, std::min(quorum_.write, quorum_.reachable));
  if (quorum_.reachable == 0) return durable_.covers(dot);  // a stand-in: itself is all there is
  return copies(dot, false) >= need;
}

bool SlotReplica::stored_by_majority(const slot::Dot& dot) const {
  if (local_) return true;
  if (mutant_.is("qos2_without_majority")) return stored(dot);
  return copies(dot, true) >= quorum_.replicas.size() / 2 + 1;
}

std::optional<Stored> SlotReplica::take_batch(env::Batch& batch) {
  if (local_) {
    state_.dirty.clear();
    return std::nullopt;
  }
  if (log_.bytes() > log_bytes_max) log_.shrink_to(log_bytes_max / 2);
  const bool log_moved = log_.begin() != log_stored_begin_;
  const bool promise_moved = promised_ != stored_promise_;
  if (state_.dirty.empty() && log_stored_end_ == log_.end() && !log_moved && !promise_moved) return std::nullopt;
  if (promise_moved) {
    slot::pb::Stamp promise;
    slot::to_pb(promised_, &promise);
    batch.put(promise_key(state_.id), promise.SerializeAsString());
    stored_promise_ = promised_;
  }
  const std::string rows = row_prefix(state_.id);
  for (const std::string& key : state_.dirty) {
    if (auto value = slot::encode_row(state_, key))
      batch.put(rows + key, std::move(*value));
    else
      batch.erase(rows + key);
  }
  state_.dirty.clear();
  const std::string logs = log_prefix(state_.id);
  for (std::uint64_t at = std::max(log_stored_end_, log_.begin()); at < log_.end(); ++at)
    batch.put(logs + big_endian(at, 8), log_.at(at).bytes);
  log_stored_end_ = log_.end();
  if (log_moved) {
    batch.erase_range(logs, logs + big_endian(log_.begin(), 8));
    slot::pb::VersionVector floor;
    slot::to_pb(log_.floor(), &floor);
    batch.put(floor_key(state_.id), big_endian(log_.begin(), 8) + floor.SerializeAsString());
    log_stored_begin_ = log_.begin();
  }
  return Stored{state_.seen, promised_};
}

void SlotReplica::durable(const Stored& stored, std::uint64_t time, Outbox& out) {
  if (durable_ == stored.seen && durable_promise_ == stored.promised) return;
  durable_.join(stored.seen);
  durable_promise_ = std::max(durable_promise_, stored.promised);
  for (const auto& [source, unused] : sources_) confirm(source, time, out);
}

void SlotReplica::confirm(NodeId to, std::uint64_t time, Outbox& out) const {
  pb::ReplicaMessage message;
  message.set_slot(state_.id);
  slot::to_pb(durable_, message.mutable_confirm()->mutable_durable());
  slot::to_pb(durable_promise_, message.mutable_confirm()->mutable_promised());
  message.mutable_confirm()->set_time(time);
  out.emplace_back(to, std::move(message));
}

bool SlotReplica::load_row(std::string_view key, std::string_view value) {
  return slot::decode_row(state_, key, value);
}

bool SlotReplica::load_promise(std::string_view value) {
  slot::pb::Stamp promise;
  if (!promise.ParseFromArray(value.data(), static_cast<int>(value.size()))) return false;
  promised_ = stored_promise_ = durable_promise_ = latest_ = slot::from_pb(promise);
  return true;
}

bool SlotReplica::load_log(std::uint64_t position, std::string_view bytes) {
  slot::pb::Operation operation;
  if (!operation.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return false;
  if (position != log_.end()) return false;
  log_.append(slot::from_pb(operation.dot()), std::string(bytes));
  log_stored_end_ = log_.end();
  return true;
}

void SlotReplica::load_floor(std::uint64_t begin, const slot::VersionVector& floor) {
  log_.start_at(begin, floor);
  log_stored_begin_ = log_stored_end_ = begin;
}

bool SlotReplica::finish_loading() {
  if (!slot::finish_decoding(state_)) return false;
  durable_ = state_.seen;
  state_.dirty.clear();
  return true;
}

std::pair<slot::VersionVector, std::uint64_t> SlotReplica::stable(NodeId self) const {
  slot::VersionVector all = durable_;
  std::uint64_t horizon = UINT64_MAX;
  for (const NodeId node : quorum_.replicas) {
    if (node == self) continue;
    const auto it = confirmed_.find(node);
    if (it == confirmed_.end()) return {slot::VersionVector{}, 0};
    all = slot::VersionVector::meet(all, it->second.durable);
    horizon = state_.seen.covers(it->second.durable) ? std::min(horizon, it->second.time) : 0;
  }
  return {all, horizon};
}

void SlotReplica::forget(const slot::VersionVector& stable, std::uint64_t horizon, slot::Changes& changes) {
  last_stable_.join(stable);
  if (mutant_.is("log_never_forgotten")) return;
  log_.drop_stable(last_stable_);
  if (horizon == 0) return;
  horizon_ = std::max(horizon_, horizon);
  slot::forget(state_, last_stable_, horizon, changes);
}

bool SlotReplica::something_to_forget() const {
  return log_.size() != 0 || slot::tombstones(state_) != 0;
}

void SlotReplica::announce_stable(const slot::VersionVector& stable, std::uint64_t horizon, Outbox& out) {
  std::map<NodeId, bool> to;
  for (const auto& [node, unused] : readers_) to[node] = true;
  for (const auto& [node, unused] : sources_) to[node] = true;
  for (const auto& [node, unused] : to) {
    pb::ReplicaMessage message;
    message.set_slot(state_.id);
    slot::to_pb(stable, message.mutable_stable()->mutable_stable());
    message.mutable_stable()->set_horizon(horizon);
    out.emplace_back(node, std::move(message));
  }
}

}  // namespace hf::replica
