// Who may ask what: tokens, and what a browser that was led here may not do.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "broker/admin/http_text.hpp"

namespace hf::admin {

struct Rights {
  std::string token;           ///< "": whoever reaches the listener, which then is on loopback
  bool open_health = true;     ///< /health/... without a token
  bool open_metrics = false;   ///< /metrics without a token
};

/// Takes as long for a wrong text as for the right one.
bool same_secret(std::string_view given, std::string_view secret);

/// The reply that turns a request away; nothing: it may go on.
///
/// Without a token the Host field must name loopback: a page of somewhere else that lets its own name point to 127.0.0.1
/// would else be of the same origin as this listener, and could use it through the browser of an operator.
std::optional<Reply> turned_away(const Request& request, const Target& target, const Rights& rights);

}  // namespace hf::admin
