// Nodes n1, n2 and so on of one cluster in a simulated world, to be driven by WorldClients.
#pragma once

#include <optional>
#include <string>

#include "broker/node/inspection.hpp"
#include "broker/node/shard.hpp"
#include "sim/world/shard_factory.hpp"
#include "tests/node/world_client.hpp"

namespace hf::sim {

struct Nodes {
  History history;
  World world;

  /// Adds them; `start` is another step.
  explicit Nodes(NodeId count, node::Config config = with_slots(16), std::uint64_t seed = 1) : world(seed, history, shard_factory()) {
    for (NodeId id = 1; id <= count; ++id) config.members.push_back({id, name(id), name(id), "z"});
    for (config.id = 1; config.id <= count; ++config.id) world.add_node(name(config.id), config);
  }
  /// All at once, and until they serve.
  void start() {
    world.start_all();
    world.run_for(3s);
  }
  static std::string name(NodeId id) { return "n" + std::to_string(id); }
  static node::Config with_slots(std::uint32_t slots) {
    node::Config config;
    config.slots = slots;
    return config;
  }
  /// As n1 sees it: a session that is subscribed to "t" at QoS 1, and whose client has left.
  node::SessionView left_session(const std::string& client) {
    WorldClient probe(world, client, "n1", false, 3600);
    world.run_for(1s);
    probe.subscribe("t", 1);
    world.run_for(1s);
    probe.leave();
    world.run_for(1s);
    return *inspect("n1").session(client);
  }
  /// As that node sees it: the session of a client that was connected there for a moment.
  std::optional<node::SessionView> visit(const std::string& client, const std::string& node) {
    WorldClient probe(world, client, node, false, 3600);
    world.run_for(100ms);
    probe.leave();
    world.run_for(100ms);
    return inspect(node).session(client);
  }
  node::Shard& shard(const std::string& node) { return static_cast<node::Shard&>(*world.node(node).handler()); }
  const node::Inspection& inspect(const std::string& node) { return shard(node).inspection(); }
};

}  // namespace hf::sim
