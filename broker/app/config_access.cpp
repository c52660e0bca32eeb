// Users and rules in the configuration file.
#include "broker/app/config_access.hpp"

#include <algorithm>
#include <optional>

#include "broker/topic/name.hpp"

namespace hf::app {
namespace {

/// A text of an object; nothing if it is missing or no text.
std::optional<std::string> text_of(const Json& object, const char* name) {
  const auto it = object.find(name);
  if (it == object.end() || !it->is_string()) return std::nullopt;
  return it->get<std::string>();
}

bool only(const Json& object, std::initializer_list<std::string_view> names) {
  if (!object.is_object()) return false;
  for (const auto& [name, value] : object.items())
    if (std::find(names.begin(), names.end(), name) == names.end() || !value.is_string()) return false;
  return true;
}

std::optional<access::User> user_of(const Json& value) {
  if (!only(value, {"name", "password", "scram"})) return std::nullopt;
  const auto name = text_of(value, "name"), password = text_of(value, "password"), verifier = text_of(value, "scram");
  if (!name || name->empty() || password.has_value() == verifier.has_value()) return std::nullopt;
  if (verifier && verifier->empty()) return std::nullopt;
  return access::User{*name, password.value_or(""), verifier.value_or("")};
}

std::optional<access::Rule> rule_of(const Json& value) {
  if (!only(value, {"user", "client", "allow", "deny", "filter"})) return std::nullopt;
  const auto allow = text_of(value, "allow"), deny = text_of(value, "deny"), filter = text_of(value, "filter");
  if (allow.has_value() == deny.has_value() || !filter || !topic::valid_filter(*filter)) return std::nullopt;
  const std::string what = allow ? *allow : *deny;
  if (what != "publish" && what != "subscribe" && what != "all") return std::nullopt;
  return access::Rule{.user = text_of(value, "user").value_or(""),
                      .client = text_of(value, "client").value_or(""),
                      .allow = allow.has_value(),
                      .publish = what != "subscribe",
                      .subscribe = what != "publish",
                      .filter = *filter};
}

template <class One, class Read>
std::optional<std::vector<One>> list_of(const Json& value, Read&& read) {
  if (!value.is_array()) return std::nullopt;
  std::vector<One> all;
  for (const Json& each : value) {
    auto one = read(each);
    if (!one) return std::nullopt;
    all.push_back(std::move(*one));
  }
  return all;
}

}  // namespace

Field access_users() {
  return {"access.users", R"(a list of {"name": "ann", "password": "..." or "scram": "SCRAM-SHA-256$4096:SALT$KEY:KEY"}, each name once)",
          [](Settings& settings, const Json& value) {
            auto users = list_of<access::User>(value, user_of);
            if (!users) return false;
            for (const auto& user : *users)
              if (std::count_if(users->begin(), users->end(), [&](const auto& u) { return u.name == user.name; }) != 1) return false;
            settings.node.access.users = std::move(*users);
            return true;
          },
          [](const Settings& settings) {
            Json all = Json::array();
            for (const auto& user : settings.node.access.users) all.push_back({{"name", user.name}, {user.verifier.empty() ? "password" : "scram", "(hidden)"}});
            return all;
          },
          {{"type", "array"}},
          true};
}

Field access_rules() {
  return {"access.rules",
          R"(a list of {"user": "a*", "client": "c*", "allow" or "deny": "publish", "subscribe" or "all", "filter": "t/%u/%c/#"})",
          [](Settings& settings, const Json& value) {
            auto rules = list_of<access::Rule>(value, rule_of);
            if (rules) settings.node.access.rules = std::move(*rules);
            return rules.has_value();
          },
          [](const Settings& settings) {
            Json all = Json::array();
            for (const auto& rule : settings.node.access.rules) {
              Json one = Json::object();
              if (!rule.user.empty()) one["user"] = rule.user;
              if (!rule.client.empty()) one["client"] = rule.client;
              one[rule.allow ? "allow" : "deny"] = rule.publish && rule.subscribe ? "all" : rule.publish ? "publish" : "subscribe";
              one["filter"] = rule.filter;
              all.push_back(std::move(one));
            }
            return all;
          }};
}

}  // namespace hf::app
