// Fields of an object within the configuration: a table of names, how each is read, and the words that some take.
#pragma once

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "broker/app/config_values.hpp"

namespace hf::app {

/// A field of an object.
template <class T>
struct Part {
  const char* name;
  const char* expected;
  const char* type;  ///< as JSON Schema calls it
  bool (*set)(T&, const Json&);
};

template <class T, std::size_t n>
Result<void> apply_parts(T& target, const Json& object, const Part<T> (&parts)[n], const std::string& source,
                         const std::string& path) {
  if (!object.is_object()) return wrong_value(source, path, object, "an object: {...}");
  for (const auto& [name, value] : object.items()) {
    const auto part = std::find_if(std::begin(parts), std::end(parts), [&, &key = name](const auto& p) { return p.name == key; });
    const std::string here = path + "." + name;
    if (part == std::end(parts)) {
      std::vector<std::string> names;
      for (const auto& each : parts) names.emplace_back(each.name);
      const std::string near = nearest(name, names);
      std::string all;
      for (const auto& each : names) all += (all.empty() ? "" : ", ") + each;
      return wrong_value(source, here + " (unknown field)", value,
                         near.empty() ? "one of " + all : "\"" + near + "\", the nearest known field");
    }
    if (!part->set(target, value)) return wrong_value(source, here, value, part->expected);
  }
  return {};
}

template <class T, std::size_t n>
Json parts_schema(const Part<T> (&parts)[n]) {
  Json properties = Json::object();
  for (const auto& part : parts) properties[part.name] = {{"description", part.expected}, {"type", part.type}};
  return {{"type", "object"}, {"properties", properties}, {"additionalProperties", false}};
}

inline bool take(std::string& target, const Json& value) {
  if (!value.is_string() || value.get_ref<const std::string&>().empty()) return false;
  target = value.get<std::string>();
  return target.find('\0') == std::string::npos;
}

inline bool take_or_none(std::string& target, const Json& value) {
  if (value != "") return take(target, value);
  target.clear();
  return true;
}

template <class E>
using Words = std::vector<std::pair<std::string, E>>;

template <class E>
bool choose(E& target, const Json& value, const Words<E>& words) {
  for (const auto& [word, meaning] : words) {
    if (value != word) continue;
    target = meaning;
    return true;
  }
  return false;
}

template <class E>
std::string word_of(E value, const Words<E>& words) {
  return std::find_if(words.begin(), words.end(), [&](const auto& word) { return word.second == value; })->first;
}

}  // namespace hf::app
