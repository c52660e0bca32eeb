// JSON Web Tokens as passwords.
#include "broker/auth/jwt.hpp"

#include <algorithm>
#include <cstdint>
#include <initializer_list>

#include <nlohmann/json.hpp>

#include "broker/auth/base64.hpp"
#include "broker/auth/text_file.hpp"
#include "broker/files/text_file.hpp"
#include "broker/topic/name.hpp"

namespace hf::auth {
namespace {

using Json = nlohmann::json;
constexpr int depth_max = 16;
constexpr double seconds_max = 1e11;  ///< some 3000 years

/// A JSON object in base64url; null where it is none.
Json read_object(std::string_view part) {
  const auto text = from_base64url(part);
  if (!text) return {};
  const auto shallow = [](int depth, Json::parse_event_t, const Json&) { return depth <= depth_max; };
  Json json = Json::parse(*text, shallow, false);
  return json.is_object() ? json : Json();
}

/// A time since 1970 in milliseconds, which may be absent; false: it is there and no time.
bool time_of(const Json& claims, const char* name, std::optional<std::uint64_t>& out) {
  const auto found = claims.find(name);
  if (found == claims.end()) return true;
  if (!found->is_number()) return false;
  const double seconds = found->get<double>();
  if (!(seconds >= 0 && seconds <= seconds_max)) return false;
  out = static_cast<std::uint64_t>(seconds * 1000);
  return true;
}

bool is_text(const Json& object, const std::string& name, std::string_view value) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() && found->get_ref<const std::string&>() == value;
}

/// One of several audiences, or the only one.
bool is_for(const Json& claims, const std::string& audience) {
  const auto found = claims.find("aud");
  if (found == claims.end()) return false;
  if (!found->is_array()) return is_text(claims, "aud", audience);
  return std::any_of(found->begin(), found->end(), [&](const Json& one) { return one.is_string() && one == audience; });
}

/// {"allow" or "deny": "publish", "subscribe" or "all", "filter": "..."}
bool read_rule(const Json& json, access::Rules& rules) {
  if (!json.is_object() || json.size() != 2 || json.contains("allow") == json.contains("deny")) return false;
  const bool allow = json.contains("allow");
  const Json& what = json.at(allow ? "allow" : "deny");
  const auto filter = json.find("filter");
  if (!what.is_string() || filter == json.end() || !filter->is_string()) return false;
  if (what != "publish" && what != "subscribe" && what != "all") return false;
  access::Rule rule;
  rule.allow = allow;
  rule.publish = what != "subscribe";
  rule.subscribe = what != "publish";
  rule.filter = filter->get<std::string>();
  if (!topic::valid_filter(rule.filter)) return false;
  rules.push_back(std::move(rule));
  return true;
}

/// The claim "acl"; false: it is there and no list of rules.
bool read_rules(const Json& claims, std::shared_ptr<const access::Rules>& out) {
  const auto found = claims.find("acl");
  if (found == claims.end()) return true;
  if (!found->is_array()) return false;
  access::Rules rules;
  for (const Json& one : *found)
    if (!read_rule(one, rules)) return false;
  out = std::make_shared<const access::Rules>(std::move(rules));
  return true;
}

/// Ours: a name that MQTT could carry too.
bool is_user(std::string_view name) {
  return !name.empty() && name.size() <= 65535 && name.find('\0') == std::string_view::npos;
}

}  // namespace

Result<Jwt> Jwt::make(const JwtSettings& settings) {
  const auto with = [&](Result<JwtKey> key) -> Result<Jwt> {
    if (!key) return tl::make_unexpected(key.error());
    return Jwt(settings, std::move(*key));
  };
  const bool shared = settings.algorithm == "HS256";
  if (shared && !settings.secret.empty()) return with(JwtKey::shared(settings.secret, "access.jwt.secret"));
  const std::string& path = shared ? settings.secret_file : settings.public_key_file;
  auto text = files::read_text_file(path);
  if (!text) return tl::make_unexpected(text.error());
  if (!shared) return with(JwtKey::of_public(settings.algorithm, *text, path));
  while (text->ends_with('\n') || text->ends_with('\r')) text->pop_back();  // an editor's, not the secret's
  return with(JwtKey::shared(std::move(*text), path));
}

std::optional<access::Grant> Jwt::check(std::string_view token, const access::Applicant& applicant) const {
  if (token.size() > token_max) return std::nullopt;
  const auto first = token.find('.'), last = token.rfind('.');
  if (first == std::string_view::npos || first == last || token.find('.', first + 1) != last) return std::nullopt;
  const Json header = read_object(token.substr(0, first));
  // The algorithm is ours to say: a token that names another, or "none", is not looked at further.
  if (!is_text(header, "alg", key_.algorithm()) || header.contains("crit")) return std::nullopt;
  const auto signature = from_base64url(token.substr(last + 1));
  if (!signature || !key_.signed_by(token.substr(0, last), *signature)) return std::nullopt;

  const Json claims = read_object(token.substr(first + 1, last - first - 1));
  if (claims.is_null()) return std::nullopt;
  std::optional<std::uint64_t> ends, begins, issued;
  if (!time_of(claims, "exp", ends) || !time_of(claims, "nbf", begins) || !time_of(claims, "iat", issued)) return std::nullopt;
  const std::uint64_t now = applicant.wall_ms, leeway = static_cast<std::uint64_t>(settings_.leeway / 1ms);
  if (ends && *ends + leeway <= now) return std::nullopt;
  if (begins.value_or(0) > now + leeway || issued.value_or(0) > now + leeway) return std::nullopt;
  if (!settings_.issuer.empty() && !is_text(claims, "iss", settings_.issuer)) return std::nullopt;
  if (!settings_.audience.empty() && !is_for(claims, settings_.audience)) return std::nullopt;

  access::Grant grant;
  const auto user = claims.find(settings_.user_claim);
  if (user == claims.end() || !user->is_string() || !is_user(user->get_ref<const std::string&>())) return std::nullopt;
  grant.user = user->get<std::string>();
  if (settings_.user_is == "client_id" && grant.user != applicant.client) return std::nullopt;
  if (settings_.user_is == "user_name" && applicant.name != std::string_view(grant.user)) return std::nullopt;
  if (!read_rules(claims, grant.rules)) return std::nullopt;
  if (ends) grant.until_ms = *ends + leeway;
  return grant;
}

}  // namespace hf::auth
