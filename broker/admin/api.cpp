// The API on single things: this node, the nodes it knows, one client, one session; and what an operator may do.
#include <algorithm>

#include "broker/admin/asked.hpp"
#include "broker/admin/views.hpp"

namespace hf::admin {
namespace {

const std::vector<std::string> levels{"debug", "info", "warn", "error"};

std::string list(const std::vector<NodeId>& nodes) {
  std::string text;
  for (const auto node : nodes) text += (text.empty() ? "" : ", ") + std::to_string(node);
  return text;
}

/// There is none; or it would be at nodes that hold its slot, and this is none of them.
Reply no_session(const node::Inspection& inspection, const std::string& client) {
  const auto home = inspection.home_of(client);
  if (std::find(home.replicas.begin(), home.replicas.end(), inspection.self()) != home.replicas.end()) {
    return error_reply(404, "session", "there is no persistent session of this client");
  }
  return error_reply(409, "elsewhere", "this client's slot is not held here: ask node " + list(home.replicas));
}

}  // namespace

void Administration::node(Asked& asked) {
  const auto uptime = std::chrono::duration_cast<std::chrono::seconds>(inspection_.uptime()).count();
  asked.answer({{"node", inspection_.self()},
                {"cluster", around_.cluster},
                {"version", around_.version},
                {"uptime_s", uptime},
                {"readiness", word_of(inspection_.readiness())},
                {"totals", view(inspection_.totals())},
                {"counters", view(inspection_.counters())}});
}

void Administration::nodes(Asked& asked) {
  Json items = Json::array();
  for (const auto& each : inspection_.nodes()) items.push_back(view(each));
  asked.answer({{"seen_by", inspection_.self()}, {"view_number", inspection_.totals().view_number}, {"items", std::move(items)}});
}

void Administration::client(Asked& asked) {
  const auto found = inspection_.client(asked.names[0]);
  if (!found) return asked.refuse(404, "client", "this client has no connection at node " + std::to_string(inspection_.self()));
  asked.answer(view(*found));
}

void Administration::disconnect(Asked& asked) {
  const std::string& client = asked.names[0];
  bool done = false;
  around_.in_turn([&] { done = inspection_.disconnect(client); });
  if (!done) return asked.refuse(404, "client", "this client has no connection at node " + std::to_string(inspection_.self()));
  around_.log(env::Level::info, client, "disconnected by " + operator_of(asked.request.certificate));
  asked.answer({{"disconnected", client}});
}

void Administration::session(Asked& asked) {
  const auto found = inspection_.session(asked.names[0]);
  if (!found) return asked.respond(no_session(inspection_, asked.names[0]));
  asked.answer(view(*found));
}

void Administration::end_session(Asked& asked) {
  const std::string client = asked.names[0];
  const auto found = inspection_.session(client);
  if (!found) return asked.respond(no_session(inspection_, asked.names[0]));
  bool begun = false;
  around_.in_turn([&] {
    begun = inspection_.end_session(client, [this, client, by = operator_of(asked.request.certificate), respond = asked.respond] {
      around_.log(env::Level::info, client, "session ended by " + by);
      Reply reply;
      reply.body = text_of({{"ended", client}});
      respond(std::move(reply));
    });
  });
  if (begun) return;
  asked.refuse(409, "elsewhere", "node " + std::to_string(found->coordinator) + " serves this session's slot: ask there");
}

void Administration::log_level(Asked& asked) { asked.answer({{"level", around_.log_level()}}); }

void Administration::change_log_level(Asked& asked) {
  const Json given = Json::parse(asked.request.body, nullptr, false);
  const bool right = given.is_object() && given.size() == 1 && given.contains("level") && given["level"].is_string() &&
                     std::find(levels.begin(), levels.end(), given["level"].get<std::string>()) != levels.end();
  if (!right) return asked.refuse(400, "body", R"(expected {"level": L}, L one of "debug", "info", "warn", "error")");
  const auto level = given["level"].get<std::string>();
  around_.set_log_level(level);
  around_.log(env::Level::info, "", "log level set to " + level + " by " + operator_of(asked.request.certificate));
  asked.answer({{"level", around_.log_level()}});
}

void Administration::safe_to_stop(Asked& asked) {
  const auto found = inspection_.safe_to_stop();
  asked.answer({{"node", inspection_.self()}, {"safe", found.safe}, {"why", found.why}});
}

void Administration::trace(Asked& asked) {
  const std::string client = asked.parameter("client");
  if (client.empty()) return asked.refuse(400, "parameter", "client: expected the id of a client");
  Reply reply;
  reply.trace = client;
  asked.respond(std::move(reply));
}

void Administration::live(Asked& asked) { asked.answer({{"status", "live"}, {"node", inspection_.self()}}); }

void Administration::ready(Asked& asked) {
  const auto readiness = inspection_.readiness();
  Json body{{"status", word_of(readiness)}, {"node", inspection_.self()}};
  if (readiness == node::Readiness::ready) return asked.answer(body);
  const auto totals = inspection_.totals();
  body["why"] = readiness == node::Readiness::draining ? "the node is leaving: new clients should go elsewhere"
                : readiness == node::Readiness::starting
                    ? "the node has not read its data yet"
                    : std::to_string(totals.slots_unserved) + " slots that this node should serve have not caught up";
  asked.answer(body, 503);
}

}  // namespace hf::admin
