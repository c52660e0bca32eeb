// TLS in the configuration file: of a listener as an object, of peers and the administration as fields of their own.
#include "broker/app/config_tls.hpp"

#include <algorithm>
#include <iterator>

#include "broker/app/config_parts.hpp"

namespace hf::app {
namespace {

using wrapping::ClientCertificate;
using wrapping::TlsSettings;
using wrapping::TlsVersion;
using wrapping::UserFrom;

const Words<ClientCertificate> client_certificates{{"none", ClientCertificate::none},
                                                   {"optional", ClientCertificate::optional},
                                                   {"required", ClientCertificate::required}};
const Words<UserFrom> users_from{
    {"none", UserFrom::none}, {"common_name", UserFrom::common_name}, {"subject", UserFrom::subject}};
const Words<TlsVersion> versions{{"1.2", TlsVersion::v1_2}, {"1.3", TlsVersion::v1_3}};

const Part<TlsSettings> tls_parts[] = {
    {"certificate", "a path", "string", [](TlsSettings& t, const Json& v) { return take_or_none(t.certificate, v); }},
    {"key", "a path", "string", [](TlsSettings& t, const Json& v) { return take_or_none(t.key, v); }},
    {"ca", "a path, \"\" for none", "string", [](TlsSettings& t, const Json& v) { return take_or_none(t.ca, v); }},
    {"crl", "a path, \"\" for none", "string", [](TlsSettings& t, const Json& v) { return take_or_none(t.crl, v); }},
    {"client_certificate", R"(one of "none", "optional", "required")", "string",
     [](TlsSettings& t, const Json& v) { return choose(t.client_certificate, v, client_certificates); }},
    {"user_from", R"(one of "none", "common_name", "subject")", "string",
     [](TlsSettings& t, const Json& v) { return choose(t.user_from, v, users_from); }},
    {"min_version", R"("1.2" or "1.3")", "string", [](TlsSettings& t, const Json& v) { return choose(t.min_version, v, versions); }},
    {"ciphers", "a list of ciphers as OpenSSL writes it, \"\" for the default", "string",
     [](TlsSettings& t, const Json& v) { return take_or_none(t.ciphers, v); }},
    {"ciphersuites", "a list of cipher suites as OpenSSL writes it, \"\" for the default", "string",
     [](TlsSettings& t, const Json& v) { return take_or_none(t.ciphersuites, v); }},
};

/// Answers a reference into Settings.
using TlsAt = TlsSettings& (*)(Settings&);

/// The part of that name as a field of its own.
Field tls_field(const std::string& section, const std::string& name, TlsAt at) {
  const auto* part = std::find_if(std::begin(tls_parts), std::end(tls_parts), [&](const auto& p) { return p.name == name; });
  return {section + name, part->expected, [=](Settings& settings, const Json& value) { return part->set(at(settings), value); },
          [=](const Settings& settings) { return tls_shown(at(const_cast<Settings&>(settings))).value(name, Json("")); }};
}

Field allowed_names() {
  return {"admin.tls.allowed_names", R"(a list of common names: ["ann"], or [] for every certificate of the authority)",
          [](Settings& settings, const Json& value) {
            const auto is_name = [](const Json& each) { return each.is_string() && !each.get_ref<const std::string&>().empty(); };
            if (!value.is_array() || !std::all_of(value.begin(), value.end(), is_name)) return false;
            settings.admin.allowed_names = value.get<std::vector<std::string>>();
            return true;
          },
          [](const Settings& settings) { return Json(settings.admin.allowed_names); },
          {{"type", "array"}, {"items", {{"type", "string"}, {"minLength", 1}}}}};
}

}  // namespace

Result<TlsSettings> tls_of(const Json& value, const std::string& source, const std::string& path) {
  TlsSettings tls;
  if (auto done = apply_parts(tls, value, tls_parts, source, path); !done) return tl::make_unexpected(done.error());
  if (const char* lack = lack_of(tls)) return wrong_value(source, path, value, lack);
  return tls;
}

Json tls_shown(const TlsSettings& tls) {
  Json object = Json::object();
  const auto text = [&](const char* name, const std::string& value) {
    if (!value.empty()) object[name] = value;
  };
  text("certificate", tls.certificate);
  text("key", tls.key);
  text("ca", tls.ca);
  text("crl", tls.crl);
  object["client_certificate"] = word_of(tls.client_certificate, client_certificates);
  object["user_from"] = word_of(tls.user_from, users_from);
  object["min_version"] = word_of(tls.min_version, versions);
  text("ciphers", tls.ciphers);
  text("ciphersuites", tls.ciphersuites);
  return object;
}

Json tls_schema() {
  Json schema = parts_schema(tls_parts);
  schema["required"] = Json::array({"certificate", "key"});
  return schema;
}

const char* lack_of(const TlsSettings& tls) {
  if (tls.certificate.empty()) return "a \"certificate\"";
  if (tls.key.empty()) return "a \"key\"";
  if (tls.client_certificate != ClientCertificate::none) {
    return tls.ca.empty() ? "a \"ca\", by which clients' certificates are judged" : nullptr;
  }
  if (tls.user_from != UserFrom::none) return "\"client_certificate\" beside \"user_from\"";
  if (!tls.crl.empty()) return "\"client_certificate\" beside \"crl\"";
  return nullptr;
}

std::vector<Field> cluster_tls_fields() {
  const TlsAt at = [](Settings& settings) -> TlsSettings& { return settings.peer_tls; };
  std::vector<Field> all;
  for (const char* name : {"certificate", "key", "ca", "crl"}) all.push_back(tls_field("cluster.tls.", name, at));
  return all;
}

std::vector<Field> admin_tls_fields() {
  const TlsAt at = [](Settings& settings) -> TlsSettings& { return settings.admin.tls; };
  std::vector<Field> all;
  for (const auto& part : tls_parts) {
    if (std::string(part.name) != "user_from") all.push_back(tls_field("admin.tls.", part.name, at));
  }
  all.push_back(allowed_names());
  return all;
}

}  // namespace hf::app
