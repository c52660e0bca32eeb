// One node::Shard on a toy environment: bytes in, bytes out, time by hand. No network, no chance, no files.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "broker/env/environment.hpp"
#include "broker/mqtt/decoder.hpp"
#include "broker/mqtt/encoder.hpp"
#include "broker/mqtt/packet.hpp"
#include "broker/node/shard.hpp"

namespace hf::bench {

/// Runs the shard until it is quiet after each call: commits and reads are answered, deadlines are not reached
/// unless `advance` says so.
class Node final : public env::Environment {
 public:
  /// Boots at once: clients may connect when the constructor is done.
  explicit Node(node::Config config = {}, std::shared_ptr<const access::Guard> guard = nullptr);

  StreamId open(std::string_view remote = "192.0.2.1:40000", std::string_view listener = {});
  void feed(StreamId stream, std::string_view bytes);
  /// What the node wrote since the last take. A stream that is held gives nothing.
  std::string take(StreamId stream);
  /// The node has closed it; the client is gone otherwise.
  [[nodiscard]] bool closed(StreamId stream) const;
  /// The client goes without a word.
  void vanish(StreamId stream, env::CloseReason reason = env::CloseReason::reset);
  /// Nobody asks about this stream any more: a test with very many of them keeps no memory of it.
  void forget(StreamId stream) { streams_.erase(stream); }
  /// A client that does not read: what is written stays unsent.
  void hold(StreamId stream, bool held);
  [[nodiscard]] bool paused(StreamId stream) const;
  void advance(Duration by);
  void stop();
  void set_guard(std::shared_ptr<const access::Guard> guard);
  /// What an operator has the shard do.
  void turn(const std::function<void()>& job);

  [[nodiscard]] node::Shard& shard() { return *shard_; }
  struct Logged {
    env::Level level;
    std::string text, event, client, remote;
  };
  [[nodiscard]] const std::vector<Logged>& lines() const { return log_; }
  void forget_lines() { std::vector<Logged>().swap(log_); }
  env::Level log_from = env::Level::debug;  ///< what `logs` answers; whatever is logged all the same is in `lines`
  [[nodiscard]] const std::string& died() const { return died_; }

  // --- env::Environment
  [[nodiscard]] Instant now() const override { return now_; }
  [[nodiscard]] std::uint64_t wall_ms() const override;
  std::uint64_t random() override { return ++random_ * 0x9E3779B97F4A7C15U; }
  StreamId dial(std::string_view) override { return next_stream_++; }
  void send(StreamId stream, Bytes bytes) override;
  [[nodiscard]] std::size_t unsent(StreamId stream) const override;
  void pause_reading(StreamId stream, bool paused) override;
  void close(StreamId stream, bool flush) override;
  void commit(env::Batch batch, env::CommitId id) override;
  void read(std::string begin, std::string end, std::size_t limit, env::ReadId id) override;
  [[nodiscard]] bool logs(env::Level level) const override { return level >= log_from; }
  void log(const env::LogLine& line) override;
  void die(std::string_view why) override { died_ = why; }

 private:
  struct Stream {
    std::string out;
    std::deque<Bytes> in;  ///< fed while reading was paused
    bool closed = false, paused = false, held = false, full = false;
  };
  void settle();

  std::unique_ptr<node::Shard> shard_;
  Instant now_{};
  std::uint64_t random_ = 0;
  StreamId next_stream_ = 1;
  std::map<StreamId, Stream> streams_;
  std::map<std::string, std::string> rows_;
  std::deque<env::CommitId> commits_;
  std::deque<std::pair<env::ReadId, std::vector<env::Row>>> reads_;
  std::vector<Logged> log_;
  std::string died_;
};

/// An MQTT client of a bench node, in packets.
class Client {
 public:
  explicit Client(Node& node, mqtt::Version version = mqtt::Version::v5, std::string_view remote = "192.0.2.1:40000", std::string_view listener = {});

  static mqtt::Connect connect_packet(std::string id, mqtt::Version version = mqtt::Version::v5);
  /// Sends it, and gives what came back if that is a CONNACK.
  std::optional<mqtt::Connack> connect(const mqtt::Connect& packet);
  std::optional<mqtt::Connack> connect(std::string id) { return connect(connect_packet(std::move(id), version_)); }
  void send(const mqtt::Packet& packet);
  void send_bytes(std::string_view bytes) { node_.feed(stream_, bytes); }
  /// The next packet from the node, if there is one.
  std::optional<mqtt::Packet> next();
  /// The next packet if it is of this type; any other packet is lost.
  template <class Packet>
  std::optional<Packet> next() {
    auto packet = next();
    if (!packet || !std::holds_alternative<Packet>(*packet)) return std::nullopt;
    return std::get<Packet>(*std::move(packet));
  }
  /// The code for one filter.
  std::optional<std::uint8_t> subscribe(std::string filter, std::uint8_t qos = 0, mqtt::PacketId id = 1);
  static mqtt::Publish publish_packet(std::string topic, std::string payload, std::uint8_t qos = 0, mqtt::PacketId id = 0);
  [[nodiscard]] bool closed() const { return node_.closed(stream_); }
  [[nodiscard]] StreamId stream() const { return stream_; }

 private:
  Node& node_;
  mqtt::Version version_;
  StreamId stream_;
  mqtt::Decoder decoder_{mqtt::Role::client};
};

}  // namespace hf::bench
