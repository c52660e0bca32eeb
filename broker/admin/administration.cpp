// What the administration answers: a table of paths, each with its methods and parameters.
#include "broker/admin/administration.hpp"

#include <algorithm>
#include <chrono>

#include "broker/admin/asked.hpp"

namespace hf::admin {
namespace {

/// What stands for each * of the pattern; nothing: it is another path.
std::optional<std::vector<std::string>> match(const std::vector<std::string>& pattern, const std::vector<std::string>& path) {
  if (pattern.size() != path.size()) return std::nullopt;
  std::vector<std::string> names;
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (pattern[i] == "*") {
      if (path[i].empty()) return std::nullopt;
      names.push_back(path[i]);
    } else if (pattern[i] != path[i]) {
      return std::nullopt;
    }
  }
  return names;
}

/// Of one who was turned away; "": nothing yet, a browser that was not asked for its token before.
std::string what_was_wrong(const Request& request, const Reply& refusal) {
  if (refusal.status == 401 && !request.authorization.empty()) return "wrong token";
  if (request.certificate) return "its certificate's name is not among admin.tls.allowed_names";
  return refusal.status == 403 ? "its Host field does not name loopback" : "";
}

std::string list(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

}  // namespace

const std::vector<Administration::Route>& Administration::routes() {
  using A = Administration;
  static const std::vector<Route> table{
      {"GET", {}, {}, &A::page},
      {"GET", {"metrics"}, {}, &A::metrics},
      {"GET", {"health", "live"}, {}, &A::live},
      {"GET", {"health", "ready"}, {}, &A::ready},
      {"GET", {"api", "v1", "node"}, {}, &A::node},
      {"GET", {"api", "v1", "nodes"}, {}, &A::nodes},
      {"GET", {"api", "v1", "slots"}, {"limit", "after"}, &A::slots},
      {"GET", {"api", "v1", "clients"}, {"limit", "after"}, &A::clients},
      {"GET", {"api", "v1", "clients", "*"}, {}, &A::client},
      {"DELETE", {"api", "v1", "clients", "*"}, {}, &A::disconnect},
      {"GET", {"api", "v1", "sessions"}, {"limit", "after"}, &A::sessions},
      {"GET", {"api", "v1", "sessions", "*"}, {}, &A::session},
      {"DELETE", {"api", "v1", "sessions", "*"}, {}, &A::end_session},
      {"GET", {"api", "v1", "sessions", "*", "subscriptions"}, {"limit", "after"}, &A::subscriptions},
      {"GET", {"api", "v1", "retained"}, {"limit", "after"}, &A::retained},
      {"GET", {"api", "v1", "log-level"}, {}, &A::log_level},
      {"PUT", {"api", "v1", "log-level"}, {}, &A::change_log_level},
      {"GET", {"api", "v1", "safe-to-stop"}, {}, &A::safe_to_stop},
      {"GET", {"api", "v1", "trace"}, {"client"}, &A::trace},
  };
  return table;
}

Administration::Administration(node::Inspection& inspection, Surroundings surroundings, Rights rights)
    : inspection_(inspection), around_(std::move(surroundings)), rights_(std::move(rights)) {}

void Administration::handle(const Request& request, Respond respond) {
  const auto target = parse_target(request.target);
  if (!target) return respond(error_reply(400, "target", "the request target cannot be read: a broken %-escape, or a parameter twice"));
  if (auto refusal = turned_away(request, *target, rights_)) {
    if (const auto why = what_was_wrong(request, *refusal); !why.empty()) refused(Refusal::rights, request.remote, why);
    return respond(std::move(*refusal));
  }
  const std::string method = request.method == "HEAD" ? "GET" : request.method;
  std::vector<std::string> allowed;
  for (const Route& route : routes()) {
    auto names = match(route.path, target->path);
    if (!names) continue;
    if (route.method != method) {
      allowed.push_back(route.method);
      if (route.method == "GET") allowed.emplace_back("HEAD");
      continue;
    }
    for (const auto& [name, value] : target->query) {
      if (std::find(route.parameters.begin(), route.parameters.end(), name) != route.parameters.end()) continue;
      const std::string known = route.parameters.empty() ? "none" : list(route.parameters);
      return respond(error_reply(400, "parameter", "unknown parameter \"" + name + "\"; known here: " + known));
    }
    Asked asked{request, *target, std::move(*names), std::move(respond)};
    return (this->*route.handler)(asked);
  }
  if (allowed.empty()) return respond(error_reply(404, "path", "nothing is at this path"));
  Reply reply = error_reply(405, "method", "this path takes " + list(allowed));
  reply.fields.emplace_back("Allow", list(allowed));
  respond(std::move(reply));
}

std::optional<Reply> Administration::begin_trace(const std::string& client, node::Inspection::Sink sink, const std::string& by) {
  if (std::find(traced_.begin(), traced_.end(), client) != traced_.end()) {
    return error_reply(409, "traced", "somebody else is tracing this client; one trace a client");
  }
  if (!inspection_.trace(client, std::move(sink))) {
    return error_reply(503, "traces", "too many traces: at most " + std::to_string(node::Inspection::traces_max));
  }
  traced_.push_back(client);
  around_.log(env::Level::info, client, "traced by " + by);
  return std::nullopt;
}

void Administration::refused(Refusal kind, const std::string& remote, const std::string& why) {
  ++refused_.at(static_cast<std::size_t>(kind));
  if (!complaints_.worth_a_line(remote, at(std::chrono::steady_clock::now().time_since_epoch()), why)) return;
  const std::size_t silenced = complaints_.take_silenced();
  const std::string more = silenced == 0 ? "" : " (" + std::to_string(silenced) + " refusals since the last such line)";
  around_.log(env::Level::warn, "", "administration: " + remote + " refused: " + why + more);
}

void Administration::end_trace(const std::string& client) {
  traced_.erase(std::remove(traced_.begin(), traced_.end(), client), traced_.end());
  inspection_.end_trace(client);
}

}  // namespace hf::admin
