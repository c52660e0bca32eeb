// Listeners and TLS in the configuration file.
#include "broker/app/config_listeners.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "broker/host/sockets.hpp"

namespace hf::app {
namespace {

using host::ListenerOptions;
using wrapping::ClientCertificate;
using wrapping::TlsSettings;
using wrapping::TlsVersion;
using wrapping::UserFrom;

constexpr std::size_t listeners_max = 1000;

/// A field of an object in a list.
template <class T>
struct Part {
  const char* name;
  const char* expected;
  const char* type;  ///< as JSON Schema calls it
  bool (*set)(T&, const Json&);
};

template <class T, std::size_t n>
Result<void> apply_parts(T& target, const Json& object, const Part<T> (&parts)[n], const std::string& source,
                         const std::string& path) {
  if (!object.is_object()) return wrong_value(source, path, object, "an object: {...}");
  for (const auto& [name, value] : object.items()) {
    const auto part = std::find_if(std::begin(parts), std::end(parts), [&, &key = name](const auto& p) { return p.name == key; });
    const std::string here = path + "." + name;
    if (part == std::end(parts)) {
      std::vector<std::string> names;
      for (const auto& each : parts) names.emplace_back(each.name);
      const std::string near = nearest(name, names);
      std::string all;
      for (const auto& each : names) all += (all.empty() ? "" : ", ") + each;
      return wrong_value(source, here + " (unknown field)", value,
                         near.empty() ? "one of " + all : "\"" + near + "\", the nearest known field");
    }
    if (!part->set(target, value)) return wrong_value(source, here, value, part->expected);
  }
  return {};
}

bool take(std::string& target, const Json& value) {
  if (!value.is_string() || value.get_ref<const std::string&>().empty()) return false;
  target = value.get<std::string>();
  return target.find('\0') == std::string::npos;
}

template <class E>
using Words = std::vector<std::pair<std::string, E>>;

template <class E>
bool choose(E& target, const Json& value, const Words<E>& words) {
  for (const auto& [word, meaning] : words) {
    if (value != word) continue;
    target = meaning;
    return true;
  }
  return false;
}

template <class E>
std::string word_of(E value, const Words<E>& words) {
  return std::find_if(words.begin(), words.end(), [&](const auto& word) { return word.second == value; })->first;
}

const Words<ClientCertificate> client_certificates{{"none", ClientCertificate::none},
                                                   {"optional", ClientCertificate::optional},
                                                   {"required", ClientCertificate::required}};
const Words<UserFrom> users_from{
    {"none", UserFrom::none}, {"common_name", UserFrom::common_name}, {"subject", UserFrom::subject}};
const Words<TlsVersion> versions{{"1.2", TlsVersion::v1_2}, {"1.3", TlsVersion::v1_3}};
const Words<bool> protocols{{"mqtt", false}, {"websocket", true}};

constexpr const char* a_path = "a path";

const Part<TlsSettings> tls_parts[] = {
    {"certificate", a_path, "string", [](TlsSettings& t, const Json& v) { return take(t.certificate, v); }},
    {"key", a_path, "string", [](TlsSettings& t, const Json& v) { return take(t.key, v); }},
    {"ca", a_path, "string", [](TlsSettings& t, const Json& v) { return take(t.ca, v); }},
    {"crl", a_path, "string", [](TlsSettings& t, const Json& v) { return take(t.crl, v); }},
    {"client_certificate", R"(one of "none", "optional", "required")", "string",
     [](TlsSettings& t, const Json& v) { return choose(t.client_certificate, v, client_certificates); }},
    {"user_from", R"(one of "none", "common_name", "subject")", "string",
     [](TlsSettings& t, const Json& v) { return choose(t.user_from, v, users_from); }},
    {"min_version", R"("1.2" or "1.3")", "string", [](TlsSettings& t, const Json& v) { return choose(t.min_version, v, versions); }},
    {"ciphers", "a list of ciphers as OpenSSL writes it", "string", [](TlsSettings& t, const Json& v) { return take(t.ciphers, v); }},
    {"ciphersuites", "a list of cipher suites as OpenSSL writes it", "string",
     [](TlsSettings& t, const Json& v) { return take(t.ciphersuites, v); }},
};

/// A listener, and what was said of it.
struct Draft {
  ListenerOptions options;
  Json tls;
  bool port_given = false, bind_given = false, mode_given = false, path_given = false;
};

bool take_mode(unsigned& mode, const Json& value) {
  std::string text;
  if (!take(text, value) || text.size() > 4 || text.find_first_not_of("01234567") != std::string::npos) return false;
  mode = static_cast<unsigned>(std::stoul(text, nullptr, 8));
  return mode <= 0777;
}

const Part<Draft> listener_parts[] = {
    {"name", "a name", "string", [](Draft& d, const Json& v) { return take(d.options.name, v); }},
    {"protocol", R"("mqtt" or "websocket")", "string", [](Draft& d, const Json& v) { return choose(d.options.websocket, v, protocols); }},
    {"bind", "a numeric IPv4 or IPv6 address, such as \"0.0.0.0\"", "string",
     [](Draft& d, const Json& v) {
       return (d.bind_given = take(d.options.bind, v)) && host::numeric_endpoint(d.options.bind, 1).has_value();
     }},
    {"port", "a whole number from 1 to 65535", "integer",
     [](Draft& d, const Json& v) {
       const auto port = number_in(v, 1, 65535);
       if (port) d.options.port = static_cast<std::uint16_t>(*port);
       return d.port_given = port.has_value();
     }},
    {"unix", "a path of at most 107 bytes", "string",
     [](Draft& d, const Json& v) { return take(d.options.unix_path, v) && d.options.unix_path.size() <= 107; }},
    {"unix_mode", "permissions in octal, such as \"0660\"", "string",
     [](Draft& d, const Json& v) { return d.mode_given = take_mode(d.options.unix_mode, v); }},
    {"path", "a path that begins with \"/\"", "string",
     [](Draft& d, const Json& v) { return (d.path_given = take(d.options.path, v)) && d.options.path[0] == '/'; }},
    {"proxy_protocol", "true or false", "boolean",
     [](Draft& d, const Json& v) {
       if (v.is_boolean()) d.options.proxy_protocol = v.get<bool>();
       return v.is_boolean();
     }},
    {"max_connections", "a whole number from 0 (no limit of its own) to 10000000", "integer",
     [](Draft& d, const Json& v) {
       const auto count = number_in(v, 0, 10'000'000);
       if (count) d.options.max_connections = static_cast<std::size_t>(*count);
       return count.has_value();
     }},
    {"tls", R"(an object: {"certificate": "node.pem", "key": "node.key"})", "object",
     [](Draft& d, const Json& v) {
       d.tls = v;
       return v.is_object();
     }},
};

Result<TlsSettings> tls_of(const Json& value, const std::string& source, const std::string& path) {
  TlsSettings tls;
  if (auto done = apply_parts(tls, value, tls_parts, source, path); !done) return tl::make_unexpected(done.error());
  const auto lacks = [&](const char* what) { return wrong_value(source, path, value, what); };
  if (tls.certificate.empty()) return lacks("a \"certificate\"");
  if (tls.key.empty()) return lacks("a \"key\"");
  if (tls.ca.empty() && tls.client_certificate != ClientCertificate::none) {
    return lacks("a \"ca\", by which clients' certificates are judged");
  }
  if (tls.client_certificate == ClientCertificate::none) {
    if (tls.user_from != UserFrom::none) return lacks("\"client_certificate\" beside \"user_from\"");
    if (!tls.crl.empty()) return lacks("\"client_certificate\" beside \"crl\"");
  }
  return tls;
}

Result<ListenerOptions> listener_of(const Json& value, const std::string& source, const std::string& path) {
  Draft draft;
  draft.options.bind.clear();  // listen.bind, once that is known
  if (auto done = apply_parts(draft, value, listener_parts, source, path); !done) return tl::make_unexpected(done.error());
  ListenerOptions& options = draft.options;
  const auto lacks = [&](const char* what) { return wrong_value(source, path, value, what); };
  if (options.name.empty()) return lacks("a \"name\"");
  if (!options.unix_path.empty() && (draft.bind_given || draft.port_given)) return lacks("either \"unix\" or \"bind\" and \"port\"");
  if (options.unix_path.empty() && draft.mode_given) return lacks("\"unix\" beside \"unix_mode\"");
  if (draft.path_given && !options.websocket) return lacks("\"protocol\": \"websocket\" beside \"path\"");
  if (!draft.tls.is_null()) {
    auto tls = tls_of(draft.tls, source, path + ".tls");
    if (!tls) return tl::make_unexpected(tls.error());
    options.tls = std::move(*tls);
  }
  if (!draft.port_given) {
    options.port = options.websocket ? (options.tls ? 8084 : 8083) : (options.tls ? 8883 : 1883);
  }
  return std::move(options);
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

Field path_field(std::string path, std::string TlsSettings::*member) {
  return {std::move(path), "a path, \"\" for none",
          [=](Settings& settings, const Json& value) {
            if (!value.is_string() || value.get_ref<const std::string&>().find('\0') != std::string::npos) return false;
            settings.peer_tls.*member = value.get<std::string>();
            return true;
          },
          [=](const Settings& settings) { return Json(settings.peer_tls.*member); },
          Json::object(),
          false};
}

}  // namespace

Result<void> set_listeners(Settings& settings, const Json& value, const std::string& source) {
  const std::string path = "listeners";
  if (!value.is_array() || value.size() > listeners_max) {
    return wrong_value(source, path, value, "a list of at most 1000 listeners");
  }
  std::vector<ListenerOptions> listeners;
  for (const Json& each : value) {
    auto one = listener_of(each, source, path + "[" + std::to_string(listeners.size()) + "]");
    if (!one) return tl::make_unexpected(one.error());
    listeners.push_back(std::move(*one));
  }
  settings.listeners = std::move(listeners);
  return {};
}

Json listeners_shown(const Settings& settings) {
  Json all = Json::array();
  for (const ListenerOptions& each : settings.listeners) {
    Json object{{"name", each.name}, {"protocol", word_of(each.websocket, protocols)}};
    if (each.unix_path.empty()) {
      if (!each.bind.empty()) object["bind"] = each.bind;
      object["port"] = each.port;
    } else {
      object["unix"] = each.unix_path;
      const unsigned m = each.unix_mode;
      object["unix_mode"] = "0" + std::to_string(m >> 6U) + std::to_string(m >> 3U & 7U) + std::to_string(m & 7U);
    }
    if (each.websocket) object["path"] = each.path;
    object["proxy_protocol"] = each.proxy_protocol;
    object["max_connections"] = each.max_connections;
    if (each.tls) object["tls"] = tls_shown(*each.tls);
    all.push_back(std::move(object));
  }
  return all;
}

namespace {

template <class T, std::size_t n>
Json parts_schema(const Part<T> (&parts)[n]) {
  Json properties = Json::object();
  for (const auto& part : parts) properties[part.name] = {{"description", part.expected}, {"type", part.type}};
  return {{"type", "object"}, {"properties", properties}, {"additionalProperties", false}};
}

}  // namespace

Json listeners_schema() {
  Json listener = parts_schema(listener_parts);
  listener["required"] = Json::array({"name"});
  listener["properties"]["tls"] = parts_schema(tls_parts);
  listener["properties"]["tls"]["required"] = Json::array({"certificate", "key"});
  return {{"description", "where clients come in; in place of the one at listen.bind and listen.port"},
          {"type", "array"},
          {"maxItems", listeners_max},
          {"items", listener},
          {"default", Json::array()}};
}

std::vector<Field> cluster_tls_fields() {
  return {path_field("cluster.tls.certificate", &TlsSettings::certificate), path_field("cluster.tls.key", &TlsSettings::key),
          path_field("cluster.tls.ca", &TlsSettings::ca), path_field("cluster.tls.crl", &TlsSettings::crl)};
}

Result<void> complete_listeners(Settings& settings) {
  std::set<std::string> names;
  std::set<std::string> addresses;
  const std::string peers = settings.peer_bind + " port " + std::to_string(settings.peer_port);
  for (ListenerOptions& each : settings.listeners) {
    if (each.bind.empty()) each.bind = settings.bind;
    if (!names.insert(each.name).second) {
      return fail(Blame::user, "listeners: the name \"" + each.name + "\" is there twice");
    }
    const std::string address =
        each.unix_path.empty() ? each.bind + " port " + std::to_string(each.port) : each.unix_path;
    if (!addresses.insert(address).second) return fail(Blame::user, "listeners: " + address + " is there twice");
    if (address == peers) return fail(Blame::user, "listeners: " + address + " is the peers' (listen.peer_port)");
  }
  if (settings.listeners.empty() && settings.bind == settings.peer_bind && settings.port == settings.peer_port) {
    return fail(Blame::user, "listen.peer_port is " + std::to_string(settings.peer_port) +
                                 "; expected another port than listen.port");
  }
  const TlsSettings& tls = settings.peer_tls;
  const bool all = !tls.certificate.empty() && !tls.key.empty() && !tls.ca.empty();
  const bool none = tls.certificate.empty() && tls.key.empty() && tls.ca.empty() && tls.crl.empty();
  if (!all && !none) {
    return fail(Blame::user, "cluster.tls: expected certificate, key and ca, all of them or none");
  }
  return {};
}

std::vector<ListenerOptions> listeners_of(const Settings& settings) {
  if (!settings.listeners.empty()) return settings.listeners;
  ListenerOptions one;
  one.bind = settings.bind;
  one.port = settings.port;
  return {one};
}

std::optional<TlsSettings> peer_tls_of(const Settings& settings) {
  if (settings.peer_tls.certificate.empty()) return std::nullopt;
  return settings.peer_tls;
}

void take_over_tls(Settings& running, const Settings& fresh) {
  for (ListenerOptions& each : running.listeners) {
    for (const ListenerOptions& other : fresh.listeners) {
      if (each.name == other.name && each.websocket == other.websocket && each.tls && other.tls) each.tls = other.tls;
    }
  }
  if (peer_tls_of(running) && peer_tls_of(fresh)) running.peer_tls = fresh.peer_tls;
}

}  // namespace hf::app
