// A small handler to fill the world with: stores what it gets, echoes, and gossips to peers.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "sim/world/world.hpp"

namespace hf::sim {

/// Echoes every byte to its sender; commits what clients send; dials every member it is told to.
class ToyNode final : public env::Handler {
 public:
  explicit ToyNode(env::Environment& environment) : env(environment) {}

  void on_start() override { env.read("", "\xff", 1000, 1); }
  void on_accepted(StreamId stream, const env::Arrival& arrival) override {
    accepted[stream] = std::string(arrival.remote);
    kinds[stream] = arrival.kind;
  }
  void on_connected(StreamId stream) override { connected.push_back(stream); }
  void on_bytes(StreamId stream, const Bytes& bytes) override {
    got[stream] += bytes.view();
    received_at = env.now();
    if (bytes.view() == "die") return env.die("asked to");
    if (bytes.view() == "commit") {
      env::Batch batch;
      batch.put("row" + std::to_string(++last_commit), "value");
      env.commit(std::move(batch), last_commit);
      env.reached("toy.committing");
    }
    if (echo) env.send(stream, bytes);
  }
  void on_closed(StreamId stream, env::CloseReason reason) override { closed[stream] = reason; }
  void on_writable(StreamId) override {}
  void on_committed(env::CommitId, env::CommitStatus status) override { commits.push_back(status); }
  void on_rows(env::ReadId, std::vector<env::Row> read, env::ReadStatus) override { rows = std::move(read); }
  void on_deadline() override {
    ++alarms;
    woken_at = env.now();
    wanted = every ? std::optional(env.now() + *every) : std::nullopt;
  }
  void on_stop() override { stopping = true; }
  void end_turn() override { ++turns; }
  [[nodiscard]] std::optional<Instant> deadline() const override { return wanted; }
  [[nodiscard]] bool stopped() const override { return stopping; }

  env::Environment& env;
  std::map<StreamId, std::string> accepted, got;
  std::map<StreamId, env::StreamKind> kinds;
  std::map<StreamId, env::CloseReason> closed;
  std::vector<StreamId> connected;
  std::vector<env::CommitStatus> commits;
  std::vector<env::Row> rows;
  std::optional<Instant> wanted;
  std::optional<Duration> every;
  Instant woken_at{}, received_at{};
  env::CommitId last_commit = 0;
  int alarms = 0, turns = 0;
  bool stopping = false, echo = true;
};

struct ToyClient final : ClientEnd {
  void on_connected(StreamId) override { ++connected; }
  void on_bytes(StreamId, const Bytes& bytes) override {
    got += bytes.view();
    ++pieces;
    if (world != nullptr && left > 0) {
      --left;
      world->send(stream, bytes);
    }
  }
  void on_closed(StreamId, env::CloseReason reason) override { closed.push_back(reason); }
  void on_timer(std::uint64_t token) override { timers.push_back(token); }
  int connected = 0, pieces = 0;
  std::string got;
  std::vector<env::CloseReason> closed;
  std::vector<std::uint64_t> timers;
  World* world = nullptr;  ///< set: bounces what it gets, `left` times
  StreamId stream = 0;
  int left = 0;
};

struct Toys {
  explicit Toys(int nodes, std::uint64_t seed = 1)
      : world(seed, history, [](env::Environment& e, const node::Config&) { return std::make_unique<ToyNode>(e); }) {
    for (int i = 1; i <= nodes; ++i) {
      node::Config config;
      config.id = static_cast<NodeId>(i);
      world.add_node("n" + std::to_string(i), config);
    }
    world.start_all();
    world.run_for(1s);
  }
  ToyNode& toy(std::string_view name) { return static_cast<ToyNode&>(*world.node(name).handler()); }
  StreamId dial(ToyClient& client, std::string_view node, std::string_view name = "c1") {
    const StreamId stream = world.dial_as_client(name, node, &client);
    world.run_for(10ms);
    EXPECT_EQ(client.connected, 1);
    client.stream = stream;
    return stream;
  }
  void send(StreamId stream, std::string text) { world.send(stream, Bytes(std::move(text))); }
  [[nodiscard]] std::vector<Event::Kind> kinds() const {
    std::vector<Event::Kind> all;
    for (const auto& event : history.events) all.push_back(event.kind);
    return all;
  }

  History history;
  World world;
};

}  // namespace hf::sim
