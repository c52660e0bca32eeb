// The commands about one thing, and how refusals are told.
#include "broker/base/escaped.hpp"
#include "broker/ctl/answers.hpp"
#include "broker/ctl/commands.hpp"
#include "broker/ctl/human.hpp"
#include "broker/ctl/table.hpp"

namespace hf::ctl {
namespace {

std::string in_words(std::string word) {
  for (char& c : word) c = c == '_' ? ' ' : c;
  return word;
}

std::string expiry(std::uint64_t seconds) { return seconds == 0xFFFF'FFFFU ? "never" : seconds == 0 ? "with the connection" : duration_s(seconds); }

std::string name_of(const std::string& client) { return "\"" + shown(client) + "\""; }

}  // namespace

int Commands::show(std::string_view method, const std::string& target, const std::string& body, const Print& print) {
  const auto answer = client_.ask(method, target, body);
  if (!answer) return complain(answer.error());
  if (answer->status != 200) return complain(*answer);
  const Json object = parsed(answer->body);
  if (!object.is_object()) return complain(Error{Blame::peer, "the answer is no JSON object"});
  if (json_) {
    out_ << document_escaped(object.dump(2)) << "\n";
  } else {
    print(object);
  }
  return exit_yes;
}

int Commands::complain(const Error& error) {
  complaints_ << "holdfast-ctl: " << shown(error.text) << "\n";
  return error.blame == Blame::user ? exit_usage : exit_unreachable;
}

int Commands::complain(const Answer& answer) {
  const Json object = parsed(answer.body);
  const Json error = object.is_object() ? object.value("error", Json::object()) : Json::object();
  const std::string message = text(error, "message");
  complaints_ << "holdfast-ctl: " << (message.empty() ? "status " + std::to_string(answer.status) : shown(message)) << "\n";
  // Not there, or not here: the node has answered. Anything else is a node that does not do what it is asked.
  return answer.status == 404 || answer.status == 409 ? exit_no : exit_unreachable;
}

int Commands::status() {
  return show("GET", "/api/v1/node", "", [this](const Json& node) {
    const Json totals = node.value("totals", Json::object()), counters = node.value("counters", Json::object());
    out_ << pairs({{"node", std::to_string(number(node, "node"))},
                   {"cluster", text(node, "cluster")},
                   {"version", text(node, "version")},
                   {"readiness", in_words(text(node, "readiness"))},
                   {"up for", duration_s(number(node, "uptime_s"))},
                   {"connections", count(number(totals, "connections"))},
                   {"sessions", count(number(totals, "sessions_served")) + " served, " + count(number(totals, "sessions")) + " held"},
                   {"subscriptions", count(number(totals, "subscriptions"))},
                   {"queued", count(number(totals, "queued_messages")) + " messages, " + bytes(number(totals, "queued_bytes"))},
                   {"retained", count(number(totals, "retained_served")) + " served, " + count(number(totals, "retained_messages")) + " held, " +
                                    bytes(number(totals, "retained_bytes"))},
                   {"slots", count(number(totals, "slots_served")) + " served, " + count(number(totals, "slots_held")) + " held, " +
                                 count(number(totals, "slots_unserved")) + " not ready"},
                   {"replication lag", count(number(totals, "log_operations")) + " operations"},
                   {"hints", count(number(totals, "hints")) + " slots"},
                   {"publishes", count(number(counters, "publishes_in")) + " in, " + count(number(counters, "publishes_out")) + " out"},
                   {"traffic", bytes(number(counters, "bytes_in")) + " in, " + bytes(number(counters, "bytes_out")) + " out"},
                   {"dropped", count(number(counters, "dropped"))},
                   {"refused", count(number(counters, "refused"))}});
  });
}

int Commands::client(const std::string& id) {
  return show("GET", "/api/v1/clients/" + percent_encoded(id), "", [this](const Json& client) {
    out_ << pairs({{"client", text(client, "client")},
                   {"user", text(client, "user")},
                   {"remote", text(client, "remote")},
                   {"listener", text(client, "listener")},
                   {"protocol", "MQTT " + text(client, "protocol")},
                   {"connected since", time_of(number(client, "connected_ms"))},
                   {"silent for", duration_ms(number(client, "silent_ms"))},
                   {"keep alive", duration_s(number(client, "keep_alive_s"))},
                   {"session ends", flag(client, "bound") ? "with the connection" : expiry(number(client, "session_expiry_s"))},
                   {"slot", std::to_string(number(client, "slot")) + ", coordinated by node " + std::to_string(number(client, "coordinator"))},
                   {"in flight", count(number(client, "in_flight_out")) + " to it, " + count(number(client, "in_flight_in")) + " from it"},
                   {"held back", count(number(client, "held_back"))},
                   {"unsent", bytes(number(client, "unsent_bytes"))},
                   {"read from", flag(client, "paused") ? "not at the moment" : "yes"}});
  });
}

int Commands::session(const std::string& id) {
  const std::string target = "/api/v1/sessions/" + percent_encoded(id);
  const int status = show("GET", target, "", [this](const Json& session) {
    const bool connected = flag(session, "connected");
    out_ << pairs({{"client", text(session, "client")},
                   {"slot", std::to_string(number(session, "slot")) + ", coordinated by node " + std::to_string(number(session, "coordinator"))},
                   {"replicas", joined(ctl::list(session, "replicas"))},
                   {"connected", connected ? "to node " + std::to_string(number(session, "front"))
                                           : "no, since " + time_of(number(session, "closed_ms"))},
                   {"ends after", expiry(number(session, "expiry_s"))},
                   {"queued", count(number(session, "queued_messages")) + " messages, " + bytes(number(session, "queued_bytes"))},
                   {"in flight", count(number(session, "in_flight"))},
                   {"will", flag(session, "will") ? "yes" : "no"},
                   {"subscriptions", count(number(session, "subscriptions"))}});
    out_ << "\n";
  });
  if (status != exit_yes || json_) return status;
  return list(target + "/subscriptions", {"FILTER", "QOS>", "NO LOCAL", "IDENTIFIER>"}, [](const Json& one) -> std::vector<std::string> {
    return {text(one, "filter"), std::to_string(number(one, "qos")), flag(one, "no_local") ? "yes" : "no",
            number(one, "identifier") == 0 ? "-" : std::to_string(number(one, "identifier"))};
  });
}

int Commands::end_session(const std::string& id) {
  return show("DELETE", "/api/v1/sessions/" + percent_encoded(id), "",
              [&](const Json&) { out_ << "the session of " << name_of(id) << " is ended\n"; });
}

int Commands::disconnect(const std::string& id) {
  return show("DELETE", "/api/v1/clients/" + percent_encoded(id), "", [&](const Json&) { out_ << name_of(id) << " is disconnected\n"; });
}

int Commands::safe_to_stop() {
  const auto answer = client_.ask("GET", "/api/v1/safe-to-stop");
  if (!answer) return complain(answer.error());
  if (answer->status != 200) return complain(*answer);
  const Json object = parsed(answer->body);
  const bool safe = flag(object, "safe");
  if (json_) {
    out_ << document_escaped(object.dump(2)) << "\n";
  } else {
    out_ << "node " << number(object, "node") << (safe ? " may be stopped\n" : " should not be stopped:\n");
    for (const Json& why : ctl::list(object, "why")) out_ << "  " << shown(why.is_string() ? why.get<std::string>() : why.dump()) << "\n";
  }
  return safe ? exit_yes : exit_no;
}

int Commands::log_level(const std::string& level) {
  const auto print = [this](const Json& answer) { out_ << text(answer, "level") << "\n"; };
  if (level.empty()) return show("GET", "/api/v1/log-level", "", print);
  return show("PUT", "/api/v1/log-level", Json{{"level", level}}.dump(), print);
}

int Commands::trace(const std::string& id) {
  const auto line = [this](std::string_view given) {
    if (json_) {
      out_ << document_escaped(given) << std::endl;
      return out_.good();
    }
    const Json one = parsed(std::string(given));
    if (!text(one, "packet").empty()) {
      const std::uint64_t ms = number(one, "time_ms");
      const std::string fraction = std::to_string(1000 + ms % 1000).substr(1);
      out_ << time_of(ms).substr(11, 8) << "." << fraction << (text(one, "direction") == "in" ? "  <- " : "  -> ") << shown(text(one, "packet"))
           << std::endl;
    } else if (number(one, "lost") > 0) {
      out_ << "(" << count(number(one, "lost")) << " packets not shown: too many for this connection)" << std::endl;
    }
    return out_.good();
  };
  const auto answer = client_.follow("/api/v1/trace?client=" + percent_encoded(id), line);
  if (!answer) return complain(answer.error());
  return answer->status == 200 ? exit_yes : complain(*answer);
}

}  // namespace hf::ctl
