// Who may connect, publish and subscribe: from the settings and the files they name to the node, and again on reload.
#pragma once

#include <memory>

#include "broker/access/guard.hpp"
#include "broker/app/config_file.hpp"
#include "broker/app/reload.hpp"
#include "broker/base/result.hpp"
#include "broker/node/shard.hpp"

namespace hf::app {

/// Reads the files that access.* names.
Result<std::shared_ptr<const access::Guard>> make_guard(const Settings& settings);
/// Everything under access.*. Connections stay, with the rights of the moment; users that are gone are disconnected.
Reloadable access_of(node::Shard& shard);

}  // namespace hf::app
