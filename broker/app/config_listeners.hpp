// Listeners in the configuration file, and the TLS that is in force at them and between nodes.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "broker/app/config_fields.hpp"
#include "broker/host/host.hpp"

namespace hf::app {

/// "listeners": [{"name": "tls", "tls": {"certificate": "node.pem", "key": "node.key"}}, …].
Result<void> set_listeners(Settings& settings, const Json& value, const std::string& source);
/// As set_listeners() takes them back.
Json listeners_shown(const Settings& settings);
Json listeners_schema();

/// Fills in what listeners take from elsewhere; checks them against each other and the peers' port.
Result<void> complete_listeners(Settings& settings);

/// What the host opens: the listeners, or the one at listen.bind and listen.port where none is configured.
std::vector<host::ListenerOptions> listeners_of(const Settings& settings);
std::optional<wrapping::TlsSettings> peer_tls_of(const Settings& settings);
/// Notes in `running` those TLS settings of `fresh` that Host::prepare_tls() takes over.
void take_over_tls(Settings& running, const Settings& fresh);

}  // namespace hf::app
