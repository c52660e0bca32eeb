// What the log says of clients: the events, and words that several parts share. Never a password, a payload or
// authentication data.
#pragma once

#include <string>
#include <string_view>

#include "broker/env/environment.hpp"
#include "broker/mqtt/reason.hpp"

namespace hf::node {

/// The events of clients, as the log's field `event` has them.
namespace client_event {
inline constexpr std::string_view connected = "connected";
inline constexpr std::string_view refused = "refused";                    ///< before it was connected, and told so if possible
inline constexpr std::string_view no_connect = "no_connect";              ///< a connection that ended without CONNECT
inline constexpr std::string_view disconnected = "disconnected";
inline constexpr std::string_view publish_denied = "publish_denied";
inline constexpr std::string_view subscribe_denied = "subscribe_denied";
inline constexpr std::string_view messages_dropped = "messages_dropped";  ///< at a declared limit
inline constexpr std::string_view taken_over = "taken_over";              ///< the session goes on at another node
inline constexpr std::string_view session_expired = "session_expired";
inline constexpr std::string_view session_ended = "session_ended";        ///< by the client's wish
inline constexpr std::string_view will_published = "will_published";
}  // namespace client_event

/// "keep alive timeout (0x8D)".
[[nodiscard]] std::string words_of(mqtt::Reason reason);
/// What an operator expects to happen is info; what a client did wrong, or too much of, is a warning.
[[nodiscard]] env::Level level_of(mqtt::Reason reason);
/// About a session by its key at its coordinator: the client's id, or a shared subscription, which is no client.
void log_session(env::Environment& env, env::Level level, std::string_view event, std::string_view session_key, std::string_view text);

}  // namespace hf::node
