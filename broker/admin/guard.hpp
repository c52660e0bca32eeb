// Who may ask what: tokens, certificates, and what a browser that was led here may not do.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/admin/http_text.hpp"
#include "broker/wrapping/tls_context.hpp"

namespace hf::admin {

struct Rights {
  std::string token;           ///< "" and no certificates: whoever reaches the listener, which then is on loopback
  bool open_health = true;     ///< /health/... without either
  bool open_metrics = false;   ///< /metrics without either
  /// Required: none comes in without. Optional: one of them, or the token.
  wrapping::ClientCertificate certificates = wrapping::ClientCertificate::none;
  std::vector<std::string> names{};  ///< common names of those that count; none: all of the authority
};

/// "operator 'ann'" by the name in a verified certificate; else "an operator". For the log.
std::string operator_of(const std::optional<std::string>& certificate);

/// Takes as long for a wrong text as for the right one.
bool same_secret(std::string_view given, std::string_view secret);

/// The reply that turns a request away; nothing: it may go on.
///
/// Where everybody may, the Host field must name loopback: a page of somewhere else that lets its own name point to 127.0.0.1
/// would else be of the same origin as this listener, and could use it through the browser of an operator. Where a certificate
/// has let the browser in, ours was not good for that page's name.
std::optional<Reply> turned_away(const Request& request, const Target& target, const Rights& rights);

}  // namespace hf::admin
