// Users and rules in the configuration file.
#pragma once

#include "broker/app/config_fields.hpp"

namespace hf::app {

/// access.users: [{"name": "ann", "password": "..."}], or a SCRAM verifier in its place. Neither is printed.
Field access_users();
/// access.rules: [{"user": "ann", "client": "dev-*", "allow": "publish" | "subscribe" | "all", "filter": "t/%c/#"}]; or "deny".
Field access_rules();

}  // namespace hf::app
