// The administration in the configuration file: who may, and by what.
#pragma once

#include <optional>

#include "broker/app/config_file.hpp"

namespace hf::app {

/// Settings of admin.* held against each other.
Result<void> check_admin(const AdminSettings& admin);
std::optional<wrapping::TlsSettings> admin_tls_of(const AdminSettings& admin);

}  // namespace hf::app
