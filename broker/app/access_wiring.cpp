// Who may connect, publish and subscribe: from the settings and the files they name to the node, and again on reload.
#include "broker/app/access_wiring.hpp"

#include <string>
#include <utility>

#include "broker/auth/crypto.hpp"
#include "broker/auth/operator_guard.hpp"

namespace hf::app {

Result<std::shared_ptr<const access::Guard>> make_guard(const Settings& settings) {
  static const std::string secret = auth::random_bytes(32);
  auto guard = auth::OperatorGuard::make(settings.auth, settings.node.access, secret);
  if (!guard) return tl::make_unexpected(guard.error());
  return std::shared_ptr<const access::Guard>(std::move(*guard));
}

Reloadable access_of(node::Shard& shard) {
  return [&shard](const Settings& fresh) -> Result<TakeOver> {
    auto guard = make_guard(fresh);
    if (!guard) return tl::make_unexpected(guard.error());
    return [&shard, guard = std::move(*guard), auth = fresh.auth, policy = fresh.node.access](Settings& running) {
      shard.set_guard(guard);
      running.auth = auth;
      running.node.access = policy;
    };
  };
}

}  // namespace hf::app
