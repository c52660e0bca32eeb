// Events and violations as lines for a person.
#include <algorithm>

#include "sim/scenario/verdicts.hpp"

namespace hf::sim {

namespace {

std::string padded(std::string text, std::size_t width) {
  if (text.size() < width) text.append(width - text.size(), ' ');
  return text;
}

std::string message(const Event& event) {
  return event.topic + " (" + event.publisher + " #" + std::to_string(event.number) + ")";
}

std::string id_and_dup(const Event& event) {
  if (event.packet_id == 0) return {};
  return ", id " + std::to_string(event.packet_id) + (event.flag ? ", dup" : "");
}

/// Of a SUBSCRIBE, or of what came through it.
std::string options(const Event& event) {
  std::string text = event.no_local ? ", no local" : "";
  if (event.as_published) text += ", retain as published";
  if (event.handling != 0) text += ", retain handling " + std::to_string(event.handling);
  for (const auto identifier : event.identifiers) text += ", identifier " + std::to_string(identifier);
  return text;
}

std::string reason(const Event& event) {
  return (event.code == 0 ? "" : ", code " + std::to_string(event.code)) + (event.text.empty() ? "" : ": " + event.text);
}

std::string groups(const Event& event) {
  std::string out;
  for (const auto& group : event.groups) {
    out += out.empty() ? "{" : " | {";
    for (const auto& node : group) out += (out.back() == '{' ? "" : " ") + node;
    out += "}";
  }
  return out;
}

std::string what(const Event& event) {
  using Kind = Event::Kind;
  const std::string qos = " QoS " + std::to_string(event.qos);
  switch (event.kind) {
    case Kind::connect_sent: return event.flag ? "sends CONNECT, clean start" : "sends CONNECT";
    case Kind::connected: return event.flag ? "is connected, session present" : "is connected, no session";
    case Kind::refused: return "is refused" + reason(event);
    case Kind::disconnected: return (event.flag ? "disconnects" : "loses its connection") + reason(event);
    case Kind::subscribe_sent: return "sends SUBSCRIBE " + event.topic + qos + options(event);
    case Kind::subscribed: return "holds SUBACK " + event.topic + qos + reason(event);
    case Kind::unsubscribe_sent: return "sends UNSUBSCRIBE " + event.topic;
    case Kind::unsubscribed: return "holds UNSUBACK " + event.topic;
    case Kind::publish_sent: return "sends " + message(event) + qos + id_and_dup(event);
    case Kind::publish_acked: return (event.qos == 2 ? "holds PUBREC of " : "holds PUBACK of ") + message(event) + id_and_dup(event);
    case Kind::publish_completed: return "holds PUBCOMP of " + message(event) + id_and_dup(event);
    case Kind::publish_abandoned: return "gives up " + message(event) + id_and_dup(event) + reason(event);
    case Kind::reauthenticate_sent: return "sends AUTH anew as " + event.text;
    case Kind::reauthenticated: return event.flag ? "holds AUTH, wrong as it was" : "holds AUTH";
    case Kind::left: return "connects anew beside this";
    case Kind::received: return "received " + message(event) + qos + id_and_dup(event) + (event.retained ? ", retained" : "") + options(event);
    case Kind::protocol_violation: return "sees the protocol broken: " + event.text;
    case Kind::node_crashed: return "crashed" + reason(event);
    case Kind::node_restarted: return "started again";
    case Kind::node_wiped: return "lost its disk";
    case Kind::node_paused: return "paused";
    case Kind::node_resumed: return "resumed";
    case Kind::fault_began: return "fault begins: " + event.text;
    case Kind::fault_ended: return "fault ends: " + event.text;
    case Kind::partition_changed: return "sides " + groups(event);
    case Kind::healed: return "healed";
    case Kind::ended: return "ended";
  }
  return "?";
}

}  // namespace

std::string show_time(VirtualTime at) {
  std::string micros = std::to_string((at / 1000) % 1'000'000);
  micros.insert(0, 6 - micros.size(), '0');
  return std::to_string(at / 1'000'000'000) + "." + micros + "s";
}

std::string show(const Event& event) {
  std::string who = event.client.empty() ? event.node : event.client;
  if (!event.client.empty() && !event.node.empty()) who += "@" + event.node;
  return padded(show_time(event.at), 12) + padded(who, 14) + " " + what(event);
}

std::string story(const Violation& violation, const History& history, std::size_t lines_max) {
  std::string out = violation.guarantee + "   at " + show_time(violation.at) + "   event " +
                    std::to_string(violation.event) + "\n  " + violation.text + "\n";
  if (violation.events.empty()) return out;
  // Between the first and the last event of the story, what befell the cluster belongs to it.
  std::vector<std::size_t> lines = violation.events;
  for (std::size_t i = lines.front(); i < lines.back() && i < history.events.size(); ++i) {
    if (history.events[i].kind >= Event::Kind::node_crashed) lines.push_back(i);
  }
  std::sort(lines.begin(), lines.end());
  lines.erase(std::unique(lines.begin(), lines.end()), lines.end());
  const std::size_t skip = lines.size() > lines_max ? lines.size() - lines_max : 0;
  if (skip > 0) out += "  … " + std::to_string(skip) + " earlier lines left out\n";
  for (std::size_t i = skip; i < lines.size(); ++i) {
    if (lines[i] < history.events.size()) out += "  " + show(history.events[lines[i]]) + "\n";
  }
  return out;
}

}  // namespace hf::sim
