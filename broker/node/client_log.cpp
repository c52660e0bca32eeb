// What the log says of clients: words that several parts share.
#include "broker/node/client_log.hpp"

#include "broker/mqtt/describe.hpp"
#include "broker/node/groups.hpp"

namespace hf::node {

std::string words_of(mqtt::Reason reason) {
  constexpr std::string_view hex = "0123456789ABCDEF";
  const std::uint8_t code = mqtt::code(reason);
  std::string out(mqtt::name(reason));
  for (char& c : out)
    if (c == '_') c = ' ';
  return out + " (0x" + hex[code >> 4U] + hex[code & 0xFU] + ")";
}

env::Level level_of(mqtt::Reason reason) {
  using mqtt::Reason;
  switch (reason) {
    case Reason::keep_alive_timeout:
    case Reason::session_taken_over:
    case Reason::administrative_action:
    case Reason::server_shutting_down:
    case Reason::use_another_server:
    case Reason::server_moved: return env::Level::info;
    default: return mqtt::is_error(reason) ? env::Level::warn : env::Level::info;
  }
}

void log_session(env::Environment& env, env::Level level, std::string_view event, std::string_view session_key, std::string_view text) {
  if (!env.logs(level)) return;
  if (is_group(session_key)) {
    const std::string of_group = std::string(text) + ", of the shared subscription " + mqtt::quoted(session_key.substr(1));
    return env.log({.level = level, .text = of_group, .event = event});
  }
  // The session of one connection is named by the client id and the connection.
  env.log({.level = level, .text = text, .event = event, .client = session_key.substr(0, session_key.find('\x1f'))});
}

}  // namespace hf::node
