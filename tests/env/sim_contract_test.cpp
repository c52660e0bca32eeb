// The simulator is held to the contract of env::Environment.
#include "sim/world/world.hpp"
#include "tests/env/contract.hpp"

namespace hf::contract {
namespace {

class SimulatedWorld final : public World {
 public:
  explicit SimulatedWorld(const faultnet::Wire& wire)
      : world_(7, history_, [this](env::Environment& environment, const node::Config&) {
          return make_(environment);
        }) {
    for (const NodeId id : {1U, 2U, 3U}) {
      node::Config config;
      config.id = id;
      world_.add_node(name(static_cast<int>(id) - 1), config);
    }
    world_.set_node_wire(wire);
  }

  void start(int process, const MakeHandler& make) override {
    make_ = make;
    world_.start(name(process));
  }
  void stop(int process) override { world_.crash(name(process), sim::CrashMode::lose_unsynced, sim::Silence::reset); }
  [[nodiscard]] std::string address(int process) const override { return name(process); }
  [[nodiscard]] std::string nowhere() const override { return name(2); }
  bool run_until(const std::function<bool()>& done, Duration limit) override {
    const sim::VirtualTime end = world_.now() + limit.count();
    world_.run_for(Duration(0));
    while (!done()) {
      if (!world_.scheduler().step(end)) return false;
    }
    return true;
  }

 private:
  static std::string name(int process) { return "n" + std::to_string(process + 1); }

  sim::History history_;
  MakeHandler make_;
  sim::World world_;
};

faultnet::Wire bad_wire() {
  faultnet::Wire wire;
  wire.jitter = 2ms;
  wire.loss = 1'000'000;
  wire.slice = 20'000;
  return wire;
}

INSTANTIATE_TEST_SUITE_P(
    Simulator, EnvironmentContract,
    testing::Values(WorldMaker{"good_wires", [] { return std::make_unique<SimulatedWorld>(faultnet::Wire{}); }},
                    WorldMaker{"bad_wires", [] { return std::make_unique<SimulatedWorld>(bad_wire()); }}));

}  // namespace
}  // namespace hf::contract
