// Reading, checking and printing the configuration, driven by the table of fields.
#include "broker/app/config_file.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "broker/app/config_admin.hpp"
#include "broker/app/config_auth.hpp"
#include "broker/app/config_fields.hpp"
#include "broker/app/config_listeners.hpp"
#include "broker/files/text_file.hpp"
#include "broker/host/sockets.hpp"

namespace hf::app {
namespace {

const std::string members_path = "cluster.members";
const std::string listeners_path = "listeners";
const std::vector<std::string> member_names{"id", "name", "address", "zone"};

std::string last_part(const std::string& path) { return path.substr(path.rfind('.') + 1); }

std::vector<std::string> known_paths() {
  std::vector<std::string> paths{members_path, listeners_path};
  for (const Field& field : fields()) paths.push_back(field.path);
  return paths;
}

tl::unexpected<Error> unknown(const std::string& source, const std::string& path,
                              const Json& value) {
  const std::vector<std::string> paths = known_paths();
  std::string near = nearest(path, paths);
  for (const std::string& known : paths) {  // right name, wrong section
    if (near.empty() && last_part(known) == last_part(path)) near = known;
  }
  const std::string hint =
      near.empty() ? "a known field (--print-config lists all)" : "\"" + near + "\", the nearest known field";
  return wrong_value(source, path + " (unknown field)", outline(value), hint);
}

Result<node::MemberConfig> member_of(const Json& value, const std::string& source,
                                     const std::string& path) {
  if (!value.is_object()) {
    return wrong_value(source, path, value, R"({"id": 1, "address": "host:7946", "zone": "a"})");
  }
  node::MemberConfig member;
  for (const auto& [name, part] : value.items()) {
    const std::string here = path + "." + name;
    if (name == "id") {
      const auto id = number_in(part, 1, 0xFFFF'FFFFU);
      if (!id) return wrong_value(source, here, part, "a whole number from 1 to 4294967295");
      member.id = static_cast<NodeId>(*id);
    } else if (name == "name" || name == "zone" || name == "address") {
      if (!part.is_string()) return wrong_value(source, here, part, "a text");
      const auto text = part.get<std::string>();
      if (name == "address" && !host::split_address(text)) {
        return wrong_value(source, here, part, "\"host:port\"");
      }
      (name == "name" ? member.name : name == "zone" ? member.zone : member.address) = text;
    } else {
      const std::string near = nearest(name, member_names);
      return wrong_value(source, here + " (unknown field)", part,
                   near.empty() ? "id, name, address or zone" : "\"" + near + "\", the nearest known field");
    }
  }
  if (member.id == 0) return wrong_value(source, path, value, "an \"id\"");
  if (member.address.empty()) return wrong_value(source, path, value, "an \"address\"");
  if (member.name.empty()) member.name = "node-" + std::to_string(member.id);
  return member;
}

Result<void> set_members(Settings& settings, const Json& value, const std::string& source) {
  if (!value.is_array()) return wrong_value(source, members_path, value, "a list of members");
  std::vector<node::MemberConfig> members;
  for (const Json& each : value) {
    auto member = member_of(each, source, members_path + "[" + std::to_string(members.size()) + "]");
    if (!member) return tl::make_unexpected(member.error());
    members.push_back(std::move(*member));
  }
  settings.node.members = std::move(members);
  return {};
}

Result<void> set_field(Settings& settings, const std::string& path, const Json& value,
                       const std::string& source) {
  if (path == members_path) return set_members(settings, value, source);
  if (path == listeners_path) return set_listeners(settings, value, source);
  const auto& table = fields();
  const auto field =
      std::find_if(table.begin(), table.end(), [&](const Field& f) { return f.path == path; });
  if (field == table.end()) return unknown(source, path, value);
  if (!field->set(settings, value)) return wrong_value(source, path, field->secret ? Json("(hidden)") : value, field->expected);
  return {};
}

bool is_section(const std::string& path) {
  const auto paths = known_paths();
  return std::any_of(paths.begin(), paths.end(),
                     [&](const std::string& known) { return known.rfind(path + ".", 0) == 0; });
}

tl::unexpected<Error> twice(const std::string& source, const std::string& field) {
  return fail(Blame::user, source + ": the field \"" + field + "\" is there twice");
}

/// Sections may be nested ({"mqtt": {"receive_maximum": 1}}) or written as one path; `seen`: the fields that were there.
Result<void> apply_object(Settings& settings, const Json& object, const std::string& prefix,
                          const std::string& source, std::set<std::string>& seen) {
  for (const auto& [name, value] : object.items()) {
    const std::string path = prefix.empty() ? name : prefix + "." + name;
    if (is_section(path)) {
      if (!value.is_object()) return wrong_value(source, path, outline(value), "a section: {...}");
      if (auto done = apply_object(settings, value, path, source, seen); !done) return done;
    } else if (!seen.insert(path).second) {
      return twice(source, path);
    } else if (auto done = set_field(settings, path, value, source); !done) {
      return done;
    }
  }
  return {};
}

/// Where it is broken and how, without what stands there: that may be a secret.
tl::unexpected<Error> broken(const std::string& source, std::string what) {
  if (const auto at = what.find("] "); at != std::string::npos) what = what.substr(at + 2);
  what.resize(std::min(what.find("; last read: '"), what.size()));
  return fail(Blame::user, source + ": not JSON: " + what);
}

Result<Json> json_of(std::string_view text, const std::string& source) {
  // nlohmann keeps the last of two equal keys without a word; here that is an error.
  std::vector<std::set<std::string>> open;
  std::string doubled;
  const auto watch = [&](int, Json::parse_event_t event, const Json& parsed) {
    if (event == Json::parse_event_t::object_start) open.emplace_back();
    if (event == Json::parse_event_t::object_end) open.pop_back();
    if (event == Json::parse_event_t::key && !open.back().insert(parsed.get<std::string>()).second) {
      doubled = parsed.get<std::string>();
    }
    return true;
  };
  Json document;
  try {
    document = Json::parse(text, watch, true, true);
  } catch (const Json::parse_error& error) {
    return broken(source, error.what());
  } catch (const Json::exception&) {
    return broken(source, "a number that is too large");
  }
  if (!doubled.empty()) return twice(source, doubled);
  return document;
}

}  // namespace

Result<void> apply_text(Settings& settings, std::string_view json, const std::string& source) {
  const auto document = json_of(json, source);
  if (!document) return tl::make_unexpected(document.error());
  if (!document->is_object()) return wrong_value(source, "the file", outline(*document), "an object: {...}");
  std::set<std::string> seen;
  return apply_object(settings, *document, "", source, seen);
}

Result<void> apply_file(Settings& settings, const std::string& path) {
  const auto text = files::read_text_file(path);
  if (!text) return tl::make_unexpected(text.error());
  return apply_text(settings, *text, path);
}

Result<void> apply_value(Settings& settings, const std::string& path, const std::string& value,
                         const std::string& source) {
  // 1884 is a number and 10.0.0.1 is not; a name made of digits alone is still a name.
  // Lists and objects are JSON.
  const Json as_text(value);
  const bool list = path == members_path || path == listeners_path;
  const bool structured = list || (!value.empty() && (value[0] == '[' || value[0] == '{'));
  auto read = json_of(value, source + ": " + path);
  if (!read && list) return tl::make_unexpected(read.error());
  if (structured && !read && Json::accept(value)) return tl::make_unexpected(read.error());  // a field twice
  Json parsed = read ? std::move(*read) : as_text;
  if (parsed.is_number() || parsed.is_structured()) {
    Settings trial = settings;
    if (!set_field(trial, path, parsed, source) && set_field(trial, path, as_text, source)) {
      parsed = as_text;
    }
  } else if (!list) {
    parsed = as_text;
  }
  return set_field(settings, path, parsed, source);
}

Result<void> add_member(Settings& settings, const std::string& text, const std::string& source) {
  Json object = Json::object();
  std::size_t at = 0;
  while (at <= text.size()) {
    const std::size_t comma = std::min(text.find(',', at), text.size());
    const std::string part = text.substr(at, comma - at);
    const std::size_t equals = part.find('=');
    if (equals == std::string::npos || equals == 0) {
      return wrong_value(source, "a member", Json(text), "id=N,address=HOST:PORT[,zone=Z][,name=N]");
    }
    const std::string name = part.substr(0, equals);
    const Json value = Json(part.substr(equals + 1));
    const Json number = name == "id" ? Json::parse(part.substr(equals + 1), nullptr, false) : value;
    object[name] = number.is_discarded() ? value : number;
    at = comma + 1;
  }
  auto member = member_of(object, source, "a member");
  if (!member) return tl::make_unexpected(member.error());
  settings.node.members.push_back(std::move(*member));
  return {};
}

Result<void> complete(Settings& settings) {
  if (auto done = check_auth(settings); !done) return done;
  node::Config& node = settings.node;
  if (node.members.empty()) {
    const bool any = settings.peer_bind == "0.0.0.0" || settings.peer_bind == "::";
    const std::string host = any ? "127.0.0.1" : settings.peer_bind;
    const bool six = host.find(':') != std::string::npos;
    node.members.push_back({node.id, "node-" + std::to_string(node.id),
                            (six ? "[" + host + "]" : host) + ":" + std::to_string(settings.peer_port),
                            ""});
  }
  std::set<NodeId> ids;
  std::set<std::string> addresses;
  for (const auto& member : node.members) {
    if (!ids.insert(member.id).second) {
      return fail(Blame::user, "cluster.members: id " + std::to_string(member.id) + " is there twice");
    }
    if (!addresses.insert(member.address).second) {
      return fail(Blame::user, "cluster.members: address " + member.address + " is there twice");
    }
  }
  if (ids.count(node.id) == 0) {
    return fail(Blame::user, "cluster.members: node.id is " + std::to_string(node.id) +
                                 "; expected this node among the members");
  }
  // Nodes send each other each message whole (cluster::Channel).
  if (node.max_packet_size > 8 * node.max_outbox_bytes) {
    return fail(Blame::user, "mqtt.max_packet_size is " + std::to_string(node.max_packet_size) +
                                 "; expected at most eight times cluster.max_outbox (" +
                                 std::to_string(node.max_outbox_bytes) + ")");
  }
  if (node.write_quorum > node.replicas) {
    return fail(Blame::user, "cluster.write_quorum is " + std::to_string(node.write_quorum) +
                                 "; expected at most cluster.replicas (" +
                                 std::to_string(node.replicas) + ")");
  }
  if (node.detect_after < 2 * node.heartbeat_every) {
    return fail(Blame::user, "cluster.detect is " + duration_text(node.detect_after) +
                                 "; expected at least twice cluster.heartbeat (" +
                                 duration_text(node.heartbeat_every) + ")");
  }
  for (const auto& [path, bind] : {std::pair{"listen.bind", settings.bind},
                                   std::pair{"listen.peer_bind", settings.peer_bind},
                                   std::pair{"admin.bind", settings.admin.bind}}) {
    if (!host::numeric_endpoint(bind, 1)) {
      return fail(Blame::user, std::string(path) + " is \"" + bind +
                                   "\"; expected a numeric IPv4 or IPv6 address");
    }
  }
  if (auto done = check_admin(settings.admin); !done) return done;
  return complete_listeners(settings);
}

namespace {

Json document_of(const Settings& settings) {
  Json document = Json::object();
  for (const Field& field : fields()) {
    Json* place = &document;
    std::size_t from = 0;
    for (auto dot = field.path.find('.'); dot != std::string::npos; dot = field.path.find('.', from)) {
      place = &(*place)[field.path.substr(from, dot - from)];
      from = dot + 1;
    }
    (*place)[field.path.substr(from)] = field.get(settings);
  }
  Json members = Json::array();
  for (const auto& member : settings.node.members) {
    Json object{{"id", member.id}, {"name", member.name}, {"address", member.address}};
    if (!member.zone.empty()) object["zone"] = member.zone;
    members.push_back(std::move(object));
  }
  document["cluster"]["members"] = std::move(members);
  document[listeners_path] = listeners_shown(settings);
  return document;
}

void compare(const Json& one, const Json& other, const std::string& path, std::vector<std::string>& found) {
  if (one == other) return;
  if (one.is_object() && other.is_object()) {
    for (const auto& [name, value] : one.items()) {
      compare(value, other.value(name, Json()), path.empty() ? name : path + "." + name, found);
    }
    for (const auto& [name, value] : other.items()) {
      if (!one.contains(name)) found.push_back(path.empty() ? name : path + "." + name);
    }
  } else if (one.is_array() && other.is_array() && one.size() == other.size()) {
    for (std::size_t i = 0; i < one.size(); ++i) {
      compare(one[i], other[i], path + "[" + std::to_string(i) + "]", found);
    }
  } else {
    found.push_back(path);
  }
}

}  // namespace

std::vector<std::string> differences(const Settings& one, const Settings& other) {
  std::vector<std::string> found;
  compare(document_of(one), document_of(other), "", found);
  return found;
}

std::string print(const Settings& settings) {
  return document_of(settings).dump(2, ' ', false, Json::error_handler_t::replace);
}

}  // namespace hf::app
