// One request and one answer, as the pages of the administration see them: no sockets, no parser.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "broker/base/percent.hpp"

namespace hf::admin {

struct Request {
  std::string method;         ///< as sent; HEAD is answered like GET, without the body
  std::string target;         ///< "/api/v1/clients?limit=10"
  std::string host;           ///< of the Host field, without port
  std::string authorization;  ///< the field's value
  std::string body;
  std::string remote{};       ///< the other end's address, for the log
  std::optional<std::string> certificate{};  ///< the common name in the client's, which TLS has verified; "": one without
};

struct Reply {
  unsigned status = 200;
  std::string type = "application/json";
  std::string body;
  std::vector<std::pair<std::string, std::string>> fields;  ///< more header fields
  std::optional<std::string> trace;  ///< instead of a body: the packets of this client, as long as the reader stays
};

/// A target that was taken apart. Names and values are decoded.
struct Target {
  std::vector<std::string> path;             ///< "/a/b%2Fc" is {"a", "b/c"}; "/" is {}
  std::map<std::string, std::string> query;
};

/// Nothing: it is not one (no leading '/', a broken %-escape, a parameter that is there twice).
std::optional<Target> parse_target(std::string_view target);

/// {"error": {"code": ..., "message": ...}}
Reply error_reply(unsigned status, std::string_view code, std::string_view message);

}  // namespace hf::admin
