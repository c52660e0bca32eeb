// What the log says of connections: who came, who was turned away, who went and why. A text is put together only where
// its level is written.
#include "broker/mqtt/describe.hpp"
#include "broker/node/client_log.hpp"
#include "broker/node/front.hpp"
#include "broker/node/parts.hpp"

namespace hf::node {

namespace {

std::string with(std::string_view before, std::string_view text) { return text.empty() ? "" : std::string(before).append(text); }
std::string user_of(std::string_view name) { return name.empty() ? "" : ", user " + mqtt::quoted(name); }
std::string seconds(std::uint64_t count) { return std::to_string(count) + " s"; }

}  // namespace

void Front::log(const Connection& connection, env::Level level, std::string_view event, std::string_view text) const {
  parts_.env.log({.level = level, .text = text, .event = event, .client = connection.client, .remote = connection.remote});
}

void Front::log_connected(const Connection& connection) const {
  if (!parts_.env.logs(env::Level::info)) return;
  const slot::pb::Connect& record = connection.record;
  std::string text = "connected: MQTT " + std::string(mqtt::name(connection.version));
  text += connection.session_present ? ", session present" : ", new session";
  if (record.clean()) text += ", clean start";
  if (record.expiry_s() == 0xFFFFFFFF) {
    text += ", session expiry never";
  } else if (!connection.bound) {
    text += ", session expiry " + seconds(record.expiry_s());
  }
  text += ", keep alive " + seconds(record.keep_alive_s());
  if (record.has_will()) text += ", will";
  if (!connection.listener.empty()) text += ", listener " + mqtt::quoted(connection.listener);
  log(connection, env::Level::info, client_event::connected, text + user_of(connection.grant.user));
}

void Front::log_refused(const Connection& connection, mqtt::Reason reason, std::string_view why) const {
  // Who never said a client id is somebody who tries ports: no client of ours.
  const env::Level level = connection.client.empty() ? env::Level::info : level_of(reason);
  if (!parts_.env.logs(level)) return;
  std::string text = "refused: " + words_of(reason) + with(", ", why);
  if (!connection.listener.empty()) text += ", listener " + mqtt::quoted(connection.listener);
  if (connection.opening && connection.opening->connect.username) text += user_of(*connection.opening->connect.username);
  log(connection, level, client_event::refused, text);
}

void Front::log_disconnected(const Connection& connection, env::Level level, std::string_view by, mqtt::Reason reason, std::string_view why) const {
  // Load balancers look whether somebody listens, every few seconds.
  if (connection.pending()) level = env::Level::debug;
  if (!parts_.env.logs(level)) return;
  std::string text(by);
  if (mqtt::code(reason) != 0) text += ": " + words_of(reason);
  text += with(mqtt::code(reason) != 0 ? ", " : ": ", why);
  if (connection.pending()) return log(connection, level, client_event::no_connect, "no CONNECT was taken; " + text);
  if (connection.phase == Connection::Phase::opening) text += ", before CONNACK";
  const std::uint64_t wall = parts_.env.wall_ms();
  if (connection.connected_ms != 0 && wall >= connection.connected_ms) text += ", after " + seconds((wall - connection.connected_ms) / 1000);
  log(connection, level, client_event::disconnected, text);
}

void Front::log_lost(const Connection& connection, env::CloseReason reason) const {
  const std::string_view why = reason == env::CloseReason::ended ? "the client closed it without DISCONNECT" : "it was reset, or timed out";
  log_disconnected(connection, env::Level::info, "connection lost", mqtt::Reason::success, why);
}

void Front::log_denied(const Connection& connection, std::string_view event, std::string_view topic, const Refusal& refusal, std::size_t more) const {
  if (!parts_.env.logs(env::Level::warn)) return;
  std::string text = event == client_event::publish_denied ? "PUBLISH to " : "SUBSCRIBE to ";
  text += mqtt::quoted(topic) + (more == 0 ? "" : " and " + std::to_string(more) + " more filters");
  text += " denied: " + words_of(refusal.reason) + with(", ", refusal.text);
  log(connection, env::Level::warn, event, text + user_of(connection.grant.user));
}

}  // namespace hf::node
