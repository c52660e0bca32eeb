// Reading what a node answered; what is missing is empty, so that a node of another version is no crash.
#pragma once

#include <cstdint>
#include <string>

#include <nlohmann/json.hpp>

namespace hf::ctl {

using Json = nlohmann::ordered_json;

inline Json parsed(const std::string& body) { return Json::parse(body, nullptr, false); }
inline std::uint64_t number(const Json& object, const char* name) {
  return object.is_object() && object.contains(name) && object[name].is_number_unsigned() ? object[name].get<std::uint64_t>() : 0;
}
inline std::string text(const Json& object, const char* name) {
  return object.is_object() && object.contains(name) && object[name].is_string() ? object[name].get<std::string>() : "";
}
inline bool flag(const Json& object, const char* name) {
  return object.is_object() && object.contains(name) && object[name].is_boolean() && object[name].get<bool>();
}
inline const Json& list(const Json& object, const char* name) {
  static const Json none = Json::array();
  return object.is_object() && object.contains(name) && object[name].is_array() ? object[name] : none;
}
/// 1, 2, 3
inline std::string joined(const Json& array) {
  std::string all;
  for (const Json& each : array) all += (all.empty() ? "" : " ") + (each.is_string() ? each.get<std::string>() : each.dump());
  return all;
}

}  // namespace hf::ctl
