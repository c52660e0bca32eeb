// Listeners in the configuration file, and the TLS that is in force at them and between nodes.
#include "broker/app/config_listeners.hpp"

#include <set>
#include <utility>

#include "broker/app/config_auth.hpp"
#include "broker/app/config_parts.hpp"
#include "broker/app/config_tls.hpp"
#include "broker/host/sockets.hpp"

namespace hf::app {
namespace {

using host::ListenerOptions;
using wrapping::TlsSettings;

constexpr std::size_t listeners_max = 1000;

const Words<bool> protocols{{"mqtt", false}, {"websocket", true}};

/// A listener, and what was said of it.
struct Draft {
  ListenerOptions options;
  Json tls;
  std::optional<auth::Anonymous> anonymous;
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
    {"anonymous", R"("loopback", true or false: as access.anonymous, for this listener)", "string",
     [](Draft& d, const Json& v) { return (d.anonymous = anonymous_in(v)).has_value(); }},
    {"tls", R"(an object: {"certificate": "node.pem", "key": "node.key"})", "object",
     [](Draft& d, const Json& v) {
       d.tls = v;
       return v.is_object();
     }},
};

Result<Draft> listener_of(const Json& value, const std::string& source, const std::string& path) {
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
  return draft;
}

}  // namespace

Result<void> set_listeners(Settings& settings, const Json& value, const std::string& source) {
  const std::string path = "listeners";
  if (!value.is_array() || value.size() > listeners_max) {
    return wrong_value(source, path, value, "a list of at most 1000 listeners");
  }
  std::vector<ListenerOptions> listeners;
  auth::AnonymousAt anonymous_at;
  for (const Json& each : value) {
    auto one = listener_of(each, source, path + "[" + std::to_string(listeners.size()) + "]");
    if (!one) return tl::make_unexpected(one.error());
    if (one->anonymous) anonymous_at[one->options.name] = *one->anonymous;
    listeners.push_back(std::move(one->options));
  }
  settings.listeners = std::move(listeners);
  settings.auth.anonymous_at = std::move(anonymous_at);
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
    const auto anonymous = settings.auth.anonymous_at.find(each.name);
    if (anonymous != settings.auth.anonymous_at.end()) object["anonymous"] = anonymous_shown(anonymous->second);
    if (each.tls) object["tls"] = tls_shown(*each.tls);
    all.push_back(std::move(object));
  }
  return all;
}

Json listeners_schema() {
  Json listener = parts_schema(listener_parts);
  listener["required"] = Json::array({"name"});
  listener["properties"]["tls"] = tls_schema();
  listener["properties"]["anonymous"].erase("type");
  listener["properties"]["anonymous"].update(anonymous_schema());
  return {{"description", "where clients come in; in place of the one at listen.bind and listen.port"},
          {"type", "array"},
          {"maxItems", listeners_max},
          {"items", listener},
          {"default", Json::array()}};
}

namespace {

/// A port that this process would listen at, and the field that says so.
struct Door {
  std::string field, bind;
  std::uint16_t port = 0;
};

/// Whether one takes the other's connections: "::" is all addresses of IPv4, too.
bool overlap(const std::string& one, const std::string& other) {
  const auto all_of = [](const std::string& wide, const std::string& bind) {
    return wide == "::" || (wide == "0.0.0.0" && bind.find(':') == std::string::npos);
  };
  return one == other || all_of(one, other) || all_of(other, one);
}

Result<void> check_ports(const Settings& settings) {
  std::vector<Door> doors;
  for (const ListenerOptions& each : settings.listeners) {
    if (each.unix_path.empty()) doors.push_back({"the port of listener '" + each.name + "'", each.bind, each.port});
  }
  if (settings.listeners.empty()) doors.push_back({"listen.port", settings.bind, settings.port});
  doors.push_back({"listen.peer_port", settings.peer_bind, settings.peer_port});
  if (settings.admin.enabled && settings.admin.port != 0) doors.push_back({"admin.port", settings.admin.bind, settings.admin.port});
  for (auto one = doors.begin(); one != doors.end(); ++one) {
    for (auto other = doors.begin(); other != one; ++other) {
      if (one->port != other->port || !overlap(one->bind, other->bind)) continue;
      return fail(Blame::user, one->field + " is " + std::to_string(one->port) + " at " + one->bind + "; expected another port than " +
                                   other->field + " (at " + other->bind + ")");
    }
  }
  return {};
}

}  // namespace

Result<void> complete_listeners(Settings& settings) {
  std::set<std::string> names;
  std::set<std::string> addresses;
  for (ListenerOptions& each : settings.listeners) {
    if (each.bind.empty()) each.bind = settings.bind;
    if (!names.insert(each.name).second) {
      return fail(Blame::user, "listeners: the name \"" + each.name + "\" is there twice");
    }
    const std::string address =
        each.unix_path.empty() ? each.bind + " port " + std::to_string(each.port) : each.unix_path;
    if (!addresses.insert(address).second) return fail(Blame::user, "listeners: " + address + " is there twice");
  }
  if (auto done = check_ports(settings); !done) return done;
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
