// How clients prove who they are, in the configuration file.
#include "broker/app/config_auth.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

namespace hf::app {

using auth::Anonymous;

Field access_anonymous() {
  return {"access.anonymous", R"("loopback", true or false)",
          [](Settings& settings, const Json& value) {
            std::optional<Anonymous> found;
            if (value == "loopback") found = Anonymous::loopback;
            if (value == true || value == "true") found = Anonymous::anybody;
            if (value == false || value == "false") found = Anonymous::nobody;
            if (found) settings.auth.anonymous = *found;
            return found.has_value();
          },
          [](const Settings& settings) {
            if (settings.auth.anonymous == Anonymous::loopback) return Json("loopback");
            return Json(settings.auth.anonymous == Anonymous::anybody);
          },
          {{"enum", {"loopback", true, false}}}};
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
