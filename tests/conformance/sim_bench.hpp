// Cases against real node code in the simulator: virtual time, nothing random but the seed.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "broker/node/shard.hpp"
#include "sim/check/history.hpp"
#include "sim/world/world.hpp"
#include "tests/conformance/bench.hpp"

namespace hf::conformance {

class SimBench final : public Bench {
 public:
  /// `settings` by the names of holdfastd's configuration.
  SimBench(int nodes, const std::map<std::string, std::string>& settings);
  ~SimBench() override;

  std::size_t open(std::size_t which) override;
  void send(std::size_t connection, const std::string& bytes) override;
  void close(std::size_t connection) override;
  void reset(std::size_t connection) override;
  void pause(std::size_t connection, bool paused) override;
  Ear& ear(std::size_t connection) override;
  void listen(std::size_t connection, Millis patience) override;
  void wait(Millis time) override;

  [[nodiscard]] const node::Shard& shard(std::size_t which) const;
  /// Of node `which`: whether it still runs (it is down after env::Environment::die).
  [[nodiscard]] bool alive(std::size_t which);

 private:
  struct Client;
  sim::History history_;
  std::vector<node::Shard*> shards_;
  sim::World world_;
  int nodes_;
  std::vector<std::unique_ptr<Client>> clients_;
};

}  // namespace hf::conformance
