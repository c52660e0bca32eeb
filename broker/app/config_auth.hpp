// How clients prove who they are, in the configuration file.
#pragma once

#include <optional>

#include "broker/app/config_fields.hpp"

namespace hf::app {

/// "loopback", true or false; anything else: none.
std::optional<auth::Anonymous> anonymous_in(const Json& value);
Json anonymous_shown(auth::Anonymous anonymous);
Json anonymous_schema();
/// access.anonymous.
Field access_anonymous();
/// access.methods: a list of authentication methods.
Field access_methods();
/// access.jwt.secret. It is not printed.
Field access_jwt_secret();
/// Settings of access.* held against each other.
Result<void> check_auth(const Settings& settings);

}  // namespace hf::app
