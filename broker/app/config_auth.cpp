// How clients prove who they are, in the configuration file.
#include "broker/app/config_auth.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

namespace hf::app {

using auth::Anonymous;

std::optional<Anonymous> anonymous_in(const Json& value) {
  if (value == "loopback") return Anonymous::loopback;
  if (value == true || value == "true") return Anonymous::anybody;
  if (value == false || value == "false") return Anonymous::nobody;
  return std::nullopt;
}

Json anonymous_shown(Anonymous anonymous) {
  return anonymous == Anonymous::loopback ? Json("loopback") : Json(anonymous == Anonymous::anybody);
}

Json anonymous_schema() { return {{"enum", {"loopback", true, false}}}; }

Field access_anonymous() {
  return {"access.anonymous", R"("loopback", true or false)",
          [](Settings& settings, const Json& value) {
            const auto found = anonymous_in(value);
            if (found) settings.auth.anonymous = *found;
            return found.has_value();
          },
          [](const Settings& settings) { return anonymous_shown(settings.auth.anonymous); },
          anonymous_schema()};
}

Field access_methods() {
  return {"access.methods", R"(a list of authentication methods: ["SCRAM-SHA-256"], or [] for none)",
          [](Settings& settings, const Json& value) {
            if (!value.is_array() || value.size() > 1 || (value.size() == 1 && value[0] != "SCRAM-SHA-256")) return false;
            settings.auth.methods = value.get<std::vector<std::string>>();
            return true;
          },
          [](const Settings& settings) { return Json(settings.auth.methods); },
          {{"type", "array"}, {"items", {{"const", "SCRAM-SHA-256"}}}, {"maxItems", 1}}};
}

Field access_jwt_secret() {
  return {"access.jwt.secret", "a text of at least 32 bytes, \"\" for none",
          [](Settings& settings, const Json& value) {
            if (!value.is_string()) return false;
            settings.auth.jwt.secret = value.get<std::string>();
            return true;
          },
          [](const Settings& settings) { return Json(settings.auth.jwt.secret.empty() ? "" : "(hidden)"); },
          {{"type", "string"}},
          true};
}

Result<void> check_auth(const Settings& settings) {
  const auth::JwtSettings& jwt = settings.auth.jwt;
  if (jwt.algorithm.empty()) {
    if (!jwt.secret.empty() || !jwt.secret_file.empty() || !jwt.public_key_file.empty())
      return fail(Blame::user, R"(access.jwt.algorithm is ""; expected "HS256", "RS256" or "ES256" where there is a key)");
    return {};
  }
  const bool shared = jwt.algorithm == "HS256";
  if (shared && (jwt.secret.empty() == jwt.secret_file.empty() || !jwt.public_key_file.empty()))
    return fail(Blame::user, "access.jwt.algorithm is \"HS256\"; expected either access.jwt.secret or access.jwt.secret_file");
  if (!shared && (jwt.public_key_file.empty() || !jwt.secret.empty() || !jwt.secret_file.empty()))
    return fail(Blame::user, "access.jwt.algorithm is \"" + jwt.algorithm + "\"; expected access.jwt.public_key_file, and no secret");
  return {};
}

}  // namespace hf::app
