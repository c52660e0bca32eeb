// TLS in the configuration file: of a listener as an object, of peers and the administration as fields of their own.
#pragma once

#include <string>
#include <vector>

#include "broker/app/config_fields.hpp"

namespace hf::app {

/// {"certificate": "node.pem", "key": "node.key", …}.
Result<wrapping::TlsSettings> tls_of(const Json& value, const std::string& source, const std::string& path);
/// As tls_of() takes it back.
Json tls_shown(const wrapping::TlsSettings& tls);
Json tls_schema();
/// What is missing beside what is there: "a \"key\""; nullptr: nothing.
const char* lack_of(const wrapping::TlsSettings& tls);

/// cluster.tls.*: paths.
std::vector<Field> cluster_tls_fields();
/// admin.tls.*: all that a listener has, but for user_from; and who may come in.
std::vector<Field> admin_tls_fields();

}  // namespace hf::app
