// A request that has found its route, and the ways to answer it.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "broker/admin/administration.hpp"

namespace hf::admin {

using Json = nlohmann::ordered_json;

inline std::string text_of(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n"; }

struct Administration::Asked {
  const Request& request;
  const Target& target;
  std::vector<std::string> names;  ///< what stands for each * of the route
  Respond respond;

  void answer(const Json& json, unsigned status = 200) {
    Reply reply;
    reply.status = status;
    reply.body = text_of(json);
    respond(std::move(reply));
  }
  void refuse(unsigned status, std::string_view code, std::string_view message) { respond(error_reply(status, code, message)); }
  [[nodiscard]] std::string parameter(const std::string& name) const {
    const auto it = target.query.find(name);
    return it == target.query.end() ? std::string() : it->second;
  }
};

struct Administration::Route {
  std::string method;
  std::vector<std::string> path;        ///< * for any one part
  std::vector<std::string> parameters;  ///< any other is an error
  void (Administration::*handler)(Asked&);
};

}  // namespace hf::admin
