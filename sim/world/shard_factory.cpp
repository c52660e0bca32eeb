// The only file of the world that needs the node itself.
#include "sim/world/shard_factory.hpp"

#include "broker/node/shard.hpp"
#include "sim/world/challenge_guard.hpp"

namespace hf::sim {

Factory shard_factory() {
  return [](env::Environment& environment, const node::Config& config) {
    return std::make_unique<node::Shard>(environment, config, std::make_shared<const ChallengeGuard>(config.access));
  };
}

}  // namespace hf::sim
