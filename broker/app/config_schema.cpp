// The JSON schema of the configuration file, made from the table of fields.
#include "broker/app/config_schema.hpp"

#include "broker/app/config_fields.hpp"
#include "broker/app/config_listeners.hpp"

namespace hf::app {
namespace {

const char* type_of(const Json& value) {
  if (value.is_boolean()) return "boolean";
  if (value.is_array()) return "array";
  return value.is_object() ? "object" : "string";
}

Json member_schema() {
  return {{"description", "every member of the cluster, this node included"},
          {"type", "array"},
          {"items",
           {{"type", "object"},
            {"properties",
             {{"id", {{"type", "integer"}, {"minimum", 1}, {"maximum", 0xFFFF'FFFFU}}},
              {"name", {{"type", "string"}}},
              {"address", {{"description", "host:port for other nodes"}, {"type", "string"}}},
              {"zone", {{"type", "string"}}}}},
            {"required", {"id", "address"}},
            {"additionalProperties", false}}}};
}

/// Puts a field into its section, and its dotted path beside the sections.
void put(Json& properties, const std::string& path, Json field) {
  std::string pointer = "#";
  Json* at = &properties;
  std::size_t begin = 0;
  for (std::size_t dot = path.find('.'); dot != std::string::npos; dot = path.find('.', begin)) {
    const std::string name = path.substr(begin, dot - begin);
    Json& section = (*at)[name];
    if (section.is_null()) section = {{"type", "object"}, {"properties", Json::object()}, {"additionalProperties", false}};
    pointer += "/properties/" + name;
    at = &section["properties"];
    begin = dot + 1;
  }
  const std::string name = path.substr(begin);
  (*at)[name] = std::move(field);
  if (begin > 0) properties[path] = {{"$ref", pointer + "/properties/" + name}};
}

}  // namespace

std::string schema() {
  const Settings defaults;
  Json properties = Json::object();
  for (const Field& field : fields()) {
    const Json value = field.get(defaults);
    Json one{{"description", field.expected}};
    if (field.schema.empty()) one["type"] = type_of(value);
    one.update(field.schema);
    one["default"] = value;
    put(properties, field.path, std::move(one));
  }
  put(properties, "cluster.members", member_schema());
  put(properties, "listeners", listeners_schema());
  const Json document{{"$schema", "https://json-schema.org/draft/2020-12/schema"},
                      {"title", "The configuration of holdfastd"},
                      {"type", "object"},
                      {"properties", properties},
                      {"additionalProperties", false}};
  return document.dump(2);
}

}  // namespace hf::app
