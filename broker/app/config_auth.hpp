// How clients prove who they are, in the configuration file.
#pragma once

#include "broker/app/config_fields.hpp"

namespace hf::app {

/// access.anonymous: "loopback", true or false.
Field access_anonymous();
/// access.methods: a list of authentication methods.
Field access_methods();
/// access.jwt.secret. It is not printed.
Field access_jwt_secret();
/// Settings of access.* held against each other.
Result<void> check_auth(const Settings& settings);

}  // namespace hf::app
