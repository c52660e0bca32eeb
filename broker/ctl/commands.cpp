// The commands that print lists.
#include "broker/ctl/commands.hpp"

#include "broker/base/escaped.hpp"
#include "broker/ctl/answers.hpp"
#include "broker/ctl/human.hpp"
#include "broker/ctl/table.hpp"

namespace hf::ctl {
namespace {

std::string yes(bool condition) { return condition ? "yes" : "no"; }
std::string id_of(const Json& object, const char* name) { return number(object, name) == 0 ? "-" : std::to_string(number(object, name)); }
std::string or_dash(const std::string& text) { return text.empty() ? "-" : text; }

std::string link_of(const Json& node) {
  if (flag(node, "self")) return "this node";
  if (!flag(node, "reachable")) return "out of reach";
  return flag(node, "direct") ? "direct" : "over a relay";
}

std::string role_of(const Json& slot) {
  if (flag(slot, "serving")) return "serves";
  if (!flag(slot, "held")) return "-";
  return flag(slot, "replica") ? "replica" : "stray copy";
}

}  // namespace

int Commands::list(const std::string& path, std::vector<std::string> columns, const Row& row) {
  Table table(std::move(columns));
  Json all = Json::array();
  std::string after;
  do {
    const auto answer = client_.ask("GET", path + "?limit=1000" + (after.empty() ? "" : "&after=" + after));
    if (!answer) return complain(answer.error());
    if (answer->status != 200) return complain(*answer);
    const Json page = parsed(answer->body);
    for (const Json& item : ctl::list(page, "items")) {
      if (json_) {
        all.push_back(item);
      } else {
        table.row(row(item));
      }
    }
    after = text(page, "next");
  } while (!after.empty());
  if (json_) {
    out_ << document_escaped(Json{{"items", all}}.dump(2)) << "\n";
  } else {
    out_ << table.text();
  }
  return exit_yes;
}

int Commands::nodes() {
  return show("GET", "/api/v1/nodes", "", [this](const Json& answer) {
    Table table({"ID>", "NAME", "ADDRESS", "ZONE", "LINK", "BOOT>", "UNACKNOWLEDGED>"});
    for (const Json& node : ctl::list(answer, "items")) {
      table.row({id_of(node, "id"), text(node, "name"), text(node, "address"), or_dash(text(node, "zone")), link_of(node), id_of(node, "boot"),
                 flag(node, "self") ? "-" : bytes(number(node, "unacknowledged_bytes"))});
    }
    out_ << table.text();
  });
}

int Commands::slots() {
  return list("/api/v1/slots", {"SLOT>", "REPLICAS", "COORDINATOR>", "HERE", "COPIES>", "COMPLETE", "SESSIONS>", "QUEUED>", "RETAINED>", "LOG>"},
              [](const Json& slot) -> std::vector<std::string> {
                return {std::to_string(number(slot, "slot")), joined(ctl::list(slot, "replicas")), id_of(slot, "coordinator"), role_of(slot),
                        count(number(slot, "copies")), yes(flag(slot, "all_replicas_reachable")), count(number(slot, "sessions")),
                        count(number(slot, "queued_messages")), count(number(slot, "retained_messages")), count(number(slot, "log_operations"))};
              });
}

int Commands::clients() {
  return list("/api/v1/clients", {"CLIENT", "USER", "REMOTE", "MQTT", "SINCE", "SILENT>", "IN FLIGHT>", "UNSENT>"},
              [](const Json& client) -> std::vector<std::string> {
                return {text(client, "client"), or_dash(text(client, "user")), text(client, "remote"), text(client, "protocol"),
                        time_of(number(client, "connected_ms")), duration_ms(number(client, "silent_ms")),
                        count(number(client, "in_flight_out")), bytes(number(client, "unsent_bytes"))};
              });
}

int Commands::sessions() {
  return list("/api/v1/sessions", {"CLIENT", "SLOT>", "REPLICAS", "COORDINATOR>", "CONNECTED", "SUBSCRIPTIONS>", "QUEUED>", "BYTES>"},
              [](const Json& session) -> std::vector<std::string> {
                return {text(session, "client"), std::to_string(number(session, "slot")), joined(ctl::list(session, "replicas")),
                        id_of(session, "coordinator"), flag(session, "connected") ? "node " + id_of(session, "front") : "no",
                        count(number(session, "subscriptions")), count(number(session, "queued_messages")), bytes(number(session, "queued_bytes"))};
              });
}

}  // namespace hf::ctl
