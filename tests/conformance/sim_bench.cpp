// Cases against real node code in the simulator.
#include "tests/conformance/sim_bench.hpp"

#include <stdexcept>

#include "broker/app/config_file.hpp"

namespace hf::conformance {

struct SimBench::Client final : sim::ClientEnd {
  void on_connected(StreamId) override {}
  void on_bytes(StreamId, const Bytes& bytes) override { ear.bytes += bytes.view(); }
  void on_closed(StreamId, env::CloseReason) override { ear.ended = true; }
  StreamId stream = 0;
  Ear ear;
};

namespace {

std::string name_of(std::size_t index) { return "n" + std::to_string(index + 1); }

node::Config base_config(const std::map<std::string, std::string>& given) {
  app::Settings settings;
  for (const auto& [path, value] : given)
    if (auto done = app::apply_value(settings, path, value, "case"); !done) throw std::invalid_argument(done.error().text);
  if (!given.contains("cluster.slots")) settings.node.slots = 16;
  settings.node.access.anonymous = settings.auth.anonymous != auth::Anonymous::nobody;  // nobody here comes over loopback
  return settings.node;
}

}  // namespace

SimBench::SimBench(int nodes, const std::map<std::string, std::string>& settings)
    : world_(1, history_, [this](env::Environment& environment, const node::Config& config) {
        auto shard = std::make_unique<node::Shard>(environment, config);
        shards_.at(config.id - 1) = shard.get();
        return shard;
      }),
      nodes_(nodes) {
  shards_.resize(static_cast<std::size_t>(nodes));
  node::Config config = base_config(settings);
  config.members.clear();
  for (std::size_t i = 0; i < shards_.size(); ++i)
    config.members.push_back({static_cast<NodeId>(i + 1), name_of(i), name_of(i), "z" + std::to_string(i + 1)});
  for (std::size_t i = 0; i < shards_.size(); ++i) {
    config.id = static_cast<NodeId>(i + 1);
    world_.add_node(name_of(i), config);
  }
  world_.start_all();
  world_.run_for(std::chrono::seconds(5));  // links, gossip, ready slots
}

SimBench::~SimBench() = default;

std::size_t SimBench::open(std::size_t which) {
  clients_.push_back(std::make_unique<Client>());
  Client& client = *clients_.back();
  client.stream = world_.dial_as_client("c" + std::to_string(clients_.size()),
                                        name_of(which % static_cast<std::size_t>(nodes_)), &client);
  return clients_.size() - 1;
}

void SimBench::send(std::size_t connection, const std::string& bytes) {
  world_.send(clients_.at(connection)->stream, Bytes(bytes));
}
void SimBench::close(std::size_t connection) { world_.close(clients_.at(connection)->stream); }
void SimBench::reset(std::size_t connection) { world_.reset(clients_.at(connection)->stream); }
void SimBench::pause(std::size_t connection, bool paused) {
  world_.pause_reading(clients_.at(connection)->stream, paused);
}
Ear& SimBench::ear(std::size_t connection) { return clients_.at(connection)->ear; }

void SimBench::listen(std::size_t connection, Millis patience) {
  const Ear& one = ear(connection);
  const std::size_t before = one.bytes.size();
  for (Millis spent{0}; spent < patience && one.bytes.size() == before && !one.ended; spent += Millis(1))
    world_.run_for(std::chrono::milliseconds(1));
}

void SimBench::wait(Millis time) { world_.run_for(time); }
const node::Shard& SimBench::shard(std::size_t which) const { return *shards_.at(which); }
bool SimBench::alive(std::size_t which) { return world_.node(name_of(which)).state() == sim::ProcessState::running; }

}  // namespace hf::conformance
