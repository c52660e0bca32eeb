// Fields of the configuration from the environment: HOLDFAST_LISTEN_PORT=1884 is listen.port.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "broker/app/config_file.hpp"

namespace hf::app {

using Variables = std::vector<std::pair<std::string, std::string>>;

/// Those of this process whose names begin with HOLDFAST_.
Variables variables_of_process();

/// "HOLDFAST_LISTEN_PORT" for "listen.port".
std::string variable_of(const std::string& path);

/// Lays them over `settings`. One that is no field is an error that names the nearest; but HOLDFAST_CONFIG (the file),
/// HOLDFAST_CTL_... (of holdfast-ctl), and what Kubernetes sets for a service of that name are passed over.
Result<void> apply_variables(Settings& settings, const Variables& variables);

}  // namespace hf::app
