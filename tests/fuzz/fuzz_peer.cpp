// The peer port: raw bytes to the frame decoder; and messages of a member that shook hands well and then says anything. The
// node must live.
#include <cstdint>
#include <cstdlib>
#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "broker/cluster/cluster.hpp"
#include "broker/mqtt/encoder.hpp"
#include "broker/node/message.pb.h"
#include "broker/node/shard.hpp"
#include "broker/slot/operation.pb.h"
#include "tests/fuzz/random_message.hpp"

namespace {

using namespace hf;  // NOLINT: a program of one file

/// Node 1 on a toy environment; node 2 is only a channel, and says what the input says.
class Pair final : public env::Environment {
 public:
  Pair() : shard_(*this, config()), far_(far_settings(), 7) {
    shard_.on_start();
    end_turn();
    cluster::Output out;
    far_.set_wall(wall_ms());
    far_.start(now_, out);
    carry(out);
    run(5s);
  }

  void raw(StreamId stream, const std::string& bytes) {
    shard_.on_bytes(stream, Bytes(bytes));
    end_turn();
  }
  StreamId accept_peer() {
    const StreamId stream = next_++;
    strangers_[stream];
    shard_.on_accepted(stream, {.kind = env::StreamKind::peer, .remote = "192.0.2.9:1"});
    end_turn();
    return stream;
  }
  void say(const google::protobuf::Message& message) {
    std::string bytes = message.SerializeAsString();
    if (!bytes.empty()) far_.send(1, Bytes(std::move(bytes)));
    cluster::Output out;
    far_.end_turn(now_, out);
    carry(out);
  }
  [[nodiscard]] bool joined() const { return far_.is_up(1); }
  void run(Duration time) {
    const Instant end = now_ + time;
    while (now_ < end && died_.empty()) {
      now_ += 50ms;
      shard_.on_deadline();
      end_turn();
      cluster::Output out;
      far_.set_wall(wall_ms());
      far_.tick(now_, out);
      far_.end_turn(now_, out);
      carry(out);
    }
  }
  /// A client comes by. Its slot may be in the hands of the peer, who says nothing sensible: an answer is not owed.
  void visit() {
    const StreamId stream = next_++;
    strangers_[stream];
    shard_.on_accepted(stream, {.kind = env::StreamKind::client, .remote = "192.0.2.1:2"});
    end_turn();
    mqtt::Connect connect;
    connect.client_id = "decent";
    std::string bytes;
    mqtt::encode(connect, mqtt::Version::v5, bytes);
    raw(stream, bytes);
    run(4s);
  }
  [[nodiscard]] bool dead() const { return !died_.empty(); }

  // --- env::Environment
  [[nodiscard]] Instant now() const override { return now_; }
  [[nodiscard]] std::uint64_t wall_ms() const override { return 1'767'225'600'000U + static_cast<std::uint64_t>(now_.time_since_epoch() / 1ms); }
  std::uint64_t random() override { return ++random_ * 0x9E3779B97F4A7C15U; }
  StreamId dial(std::string_view) override {
    const StreamId stream = next_++;
    dials_.push_back(stream);
    return stream;
  }
  void send(StreamId stream, Bytes bytes) override {
    if (links_.contains(stream)) to_far_.emplace_back(stream, std::move(bytes));
  }
  [[nodiscard]] std::size_t unsent(StreamId) const override { return 0; }
  void pause_reading(StreamId, bool) override {}
  void close(StreamId stream, bool) override { closes_.push_back(stream); }
  void commit(env::Batch, env::CommitId id) override { commits_.push_back(id); }
  void read(std::string, std::string, std::size_t, env::ReadId id) override { reads_.push_back(id); }
  [[nodiscard]] bool logs(env::Level) const override { return true; }
  void log(const env::LogLine&) override {}
  void die(std::string_view why) override { died_ = why; }

 private:
  static node::Config config() {
    node::Config out;
    out.slots = 4;
    out.members = {{1, "n1", "a1", "z1"}, {2, "n2", "a2", "z2"}, {3, "n3", "a3", "z3"}};
    return out;
  }
  static cluster::Settings far_settings() {
    cluster::Settings out;
    out.self = 2;
    out.boot = 1;
    out.cluster_name = "holdfast";
    for (const auto& member : config().members) out.members.push_back({member.id, member.name, member.address, member.zone});
    return out;
  }

  /// What node 2's channel wants done.
  void carry(cluster::Output& out) {
    for (const NodeId node : out.dial) {
      if (node != 1) continue;
      const StreamId stream = next_++;
      links_[stream] = stream;
      far_.dialled(1, stream);
      shard_.on_accepted(stream, {.kind = env::StreamKind::peer, .remote = "192.0.2.2:1"});
      end_turn();
      cluster::Output more;
      far_.connected(now_, stream, more);
      far_.end_turn(now_, more);
      carry(more);
    }
    for (const auto& send : out.send)
      if (links_.contains(send.stream)) {
        shard_.on_bytes(send.stream, send.bytes);
        end_turn();
      }
    for (const StreamId stream : out.close)
      if (links_.erase(stream) != 0) {
        shard_.on_closed(stream, env::CloseReason::ended);
        end_turn();
      }
  }

  void end_turn() {
    shard_.end_turn();
    for (int i = 0; i < 1000 && (!commits_.empty() || !reads_.empty()); ++i) {
      if (!commits_.empty()) {
        const auto id = commits_.front();
        commits_.pop_front();
        shard_.on_committed(id, env::CommitStatus::done);
      } else {
        const auto id = reads_.front();
        reads_.pop_front();
        shard_.on_rows(id, {}, env::ReadStatus::done);
      }
      shard_.end_turn();
    }
    if (inside_) return;
    inside_ = true;
    for (int i = 0; i < 1000; ++i) {
      if (!dials_.empty()) {  // of whoever: node 2 answers, nobody else does
        const StreamId stream = dials_.front();
        dials_.pop_front();
        cluster::Output out;
        links_[stream] = stream;
        far_.accepted(now_, stream, "192.0.2.2:1", out);
        shard_.on_connected(stream);
        shard_.end_turn();
        far_.end_turn(now_, out);
        carry(out);
      } else if (!to_far_.empty()) {
        const auto [stream, bytes] = std::move(to_far_.front());
        to_far_.pop_front();
        cluster::Output out;
        if (links_.contains(stream)) far_.bytes(now_, stream, bytes, out);
        far_.end_turn(now_, out);
        carry(out);
      } else if (!closes_.empty()) {
        const StreamId stream = closes_.front();
        closes_.pop_front();
        cluster::Output out;
        if (links_.erase(stream) != 0) far_.closed(now_, stream, out);
        far_.end_turn(now_, out);
        carry(out);
      } else {
        break;
      }
    }
    inside_ = false;
  }

  Instant now_{};
  std::uint64_t random_ = 0;
  StreamId next_ = 1;
  std::deque<StreamId> dials_, closes_;
  std::deque<std::pair<StreamId, Bytes>> to_far_;
  std::map<StreamId, StreamId> links_, strangers_;
  std::deque<env::CommitId> commits_;
  std::deque<env::ReadId> reads_;
  std::string died_;
  bool inside_ = false;
  node::Shard shard_;
  cluster::Cluster far_;
};

/// Operations travel as bytes inside messages: those are made of the input as well.
void fill_operations(node::pb::PeerMessage& message, fuzz::Choices& choices) {
  if (!message.has_replica() || !message.replica().has_ops()) return;
  for (std::string& bytes : *message.mutable_replica()->mutable_ops()->mutable_operations()) {
    slot::pb::Operation operation;
    fuzz::fill(operation, choices, 1);
    bytes = operation.SerializeAsString();
  }
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  google::protobuf::SetLogHandler(nullptr);  // it complains of text that is no UTF-8, which is what we send
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  Pair pair;
  if (!pair.joined()) std::abort();
  if (data[0] % 4 == 0) {
    const StreamId stream = pair.accept_peer();
    pair.raw(stream, std::string(reinterpret_cast<const char*>(data) + 1, size - 1));
  } else {
    fuzz::Choices choices(data + 1, size - 1);
    for (int i = 0; i < 12 && !choices.empty(); ++i) {
      node::pb::PeerMessage message;
      fuzz::fill(message, choices);
      fill_operations(message, choices);
      pair.say(message);
      if (choices.byte() % 4 == 0) pair.run(200ms);
    }
  }
  pair.run(2s);
  pair.visit();
  if (pair.dead()) std::abort();
  return 0;
}
