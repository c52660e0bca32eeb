// A shard on a toy environment.
#include "tests/node/bench_node.hpp"

#include <algorithm>

namespace hf::bench {

Node::Node(node::Config config, std::shared_ptr<const access::Guard> guard)
    : shard_(std::make_unique<node::Shard>(*this, std::move(config), std::move(guard))) {
  shard_->on_start();
  shard_->end_turn();
  settle();
  advance(3s);  // a node alone waits a moment before it takes its slots
}

/// Wall time 2026-01-01 plus the time since boot.
std::uint64_t Node::wall_ms() const {
  return 1'767'225'600'000U + static_cast<std::uint64_t>(now_.time_since_epoch() / 1ms);
}

void Node::settle() {
  while (died_.empty() && (!commits_.empty() || !reads_.empty())) {
    if (!commits_.empty()) {
      const env::CommitId id = commits_.front();
      commits_.pop_front();
      shard_->on_committed(id, env::CommitStatus::done);
    } else {
      auto [id, rows] = std::move(reads_.front());
      reads_.pop_front();
      shard_->on_rows(id, std::move(rows), env::ReadStatus::done);
    }
    shard_->end_turn();
  }
  for (auto& [id, stream] : streams_) {
    if (stream.closed || stream.paused || stream.in.empty()) continue;
    const Bytes bytes = std::move(stream.in.front());
    stream.in.pop_front();
    shard_->on_bytes(id, bytes);
    shard_->end_turn();
    return settle();
  }
}

StreamId Node::open(std::string_view remote, std::string_view listener) {
  const StreamId id = next_stream_++;
  streams_[id];
  shard_->on_accepted(id, {.kind = env::StreamKind::client, .remote = remote, .listener = listener});
  shard_->end_turn();
  settle();
  return id;
}

void Node::feed(StreamId stream, std::string_view bytes) {
  Stream& to = streams_.at(stream);
  if (to.closed || bytes.empty()) return;
  to.in.push_back(Bytes::copy(bytes));
  settle();
}

std::string Node::take(StreamId stream) {
  Stream& from = streams_.at(stream);
  return from.held ? std::string() : std::exchange(from.out, {});
}

bool Node::closed(StreamId stream) const { return streams_.at(stream).closed; }

void Node::vanish(StreamId stream, env::CloseReason reason) {
  Stream& from = streams_.at(stream);
  if (std::exchange(from.closed, true)) return;
  shard_->on_closed(stream, reason);
  shard_->end_turn();
  settle();
}

void Node::hold(StreamId stream, bool held) {
  Stream& at = streams_.at(stream);
  at.held = held;
  if (held || !std::exchange(at.full, false) || at.closed) return;
  shard_->on_writable(stream);
  shard_->end_turn();
  settle();
}

bool Node::paused(StreamId stream) const { return streams_.at(stream).paused; }

void Node::advance(Duration by) {
  const Instant until = now_ + by;
  while (died_.empty()) {
    const auto due = shard_->deadline();
    if (!due || *due > until) break;
    now_ = std::max(now_, *due);
    shard_->on_deadline();
    shard_->end_turn();
    settle();
    if (*due == shard_->deadline()) now_ += 1us;  // a deadline that stays due cannot stop time
  }
  now_ = std::max(now_, until);
}

void Node::stop() {
  shard_->on_stop();
  shard_->end_turn();
  settle();
}

void Node::set_guard(std::shared_ptr<const access::Guard> guard) {
  shard_->set_guard(std::move(guard));
  shard_->end_turn();
  settle();
}

void Node::turn(const std::function<void()>& job) {
  job();
  shard_->end_turn();
  settle();
}

void Node::send(StreamId stream, Bytes bytes) {
  const auto it = streams_.find(stream);
  if (it == streams_.end() || it->second.closed) return;
  it->second.out += bytes.view();
  it->second.full = it->second.held && it->second.out.size() > env::writable_mark;
}

std::size_t Node::unsent(StreamId stream) const {
  const auto it = streams_.find(stream);
  return it == streams_.end() || !it->second.held ? 0 : it->second.out.size();
}

void Node::pause_reading(StreamId stream, bool paused) {
  if (const auto it = streams_.find(stream); it != streams_.end()) it->second.paused = paused;
}

void Node::close(StreamId stream, bool flush) {
  const auto it = streams_.find(stream);
  if (it == streams_.end()) return;
  it->second.closed = true;
  if (!flush) it->second.out.clear();
}

void Node::commit(env::Batch batch, env::CommitId id) {
  using Kind = env::Batch::Change::Kind;
  for (auto& change : batch.changes) {
    if (change.kind == Kind::put) rows_[change.key] = change.value;
    if (change.kind == Kind::erase) rows_.erase(change.key);
    if (change.kind == Kind::erase_range) rows_.erase(rows_.lower_bound(change.key), rows_.lower_bound(change.value));
  }
  commits_.push_back(id);
}

void Node::read(std::string begin, std::string end, std::size_t limit, env::ReadId id) {
  std::vector<env::Row> found;
  for (auto it = rows_.lower_bound(begin); it != rows_.end() && it->first < end && found.size() < limit; ++it)
    found.push_back({it->first, it->second});
  reads_.emplace_back(id, std::move(found));
}

void Node::log(const env::LogLine& line) {
  log_.push_back({line.level, std::string(line.text), std::string(line.event), std::string(line.client), std::string(line.remote)});
}

Client::Client(Node& node, mqtt::Version version, std::string_view remote, std::string_view listener)
    : node_(node), version_(version), stream_(node.open(remote, listener)) {
  decoder_.set_version(version);
}

mqtt::Connect Client::connect_packet(std::string id, mqtt::Version version) {
  mqtt::Connect packet;
  packet.version = version;
  packet.client_id = std::move(id);
  return packet;
}

std::optional<mqtt::Connack> Client::connect(const mqtt::Connect& packet) {
  send(packet);
  return next<mqtt::Connack>();
}

void Client::send(const mqtt::Packet& packet) {
  std::string bytes;
  mqtt::encode(packet, version_, bytes);
  node_.feed(stream_, bytes);
}

std::optional<mqtt::Packet> Client::next() {
  decoder_.feed(Bytes(node_.take(stream_)));
  mqtt::Packet packet;
  if (decoder_.next(packet) != mqtt::Decoded::packet) return std::nullopt;
  return packet;
}

std::optional<std::uint8_t> Client::subscribe(std::string filter, std::uint8_t qos, mqtt::PacketId id) {
  mqtt::Subscribe packet;
  packet.packet_id = id;
  packet.subscriptions.push_back({.filter = std::move(filter), .qos = qos});
  send(packet);
  const auto suback = next<mqtt::Suback>();
  if (!suback || suback->packet_id != id || suback->codes.size() != 1) return std::nullopt;
  return suback->codes.front();
}

mqtt::Publish Client::publish_packet(std::string topic, std::string payload, std::uint8_t qos, mqtt::PacketId id) {
  mqtt::Publish packet;
  packet.topic = std::move(topic);
  packet.payload = Bytes(std::move(payload));
  packet.qos = qos;
  packet.packet_id = id;
  return packet;
}

}  // namespace hf::bench
