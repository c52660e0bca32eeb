// Kinds of fields: numbers, durations, flags, texts, words.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "broker/app/config_fields.hpp"

namespace hf::app {

/// `At` answers a reference into Settings, for both setting and reading.
template <class At>
Field number(std::string path, std::uint64_t low, std::uint64_t high, At at) {
  std::string expected =
      "a whole number from " + std::to_string(low) + " to " + std::to_string(high);
  return {std::move(path), std::move(expected),
          [=](Settings& settings, const Json& value) {
            const auto found = number_in(value, low, high);
            using Type = std::remove_reference_t<decltype(at(settings))>;
            if (found) at(settings) = static_cast<Type>(*found);
            return found.has_value();
          },
          [=](const Settings& settings) { return Json(at(const_cast<Settings&>(settings))); },
          {{"type", "integer"}, {"minimum", low}, {"maximum", high}}};
}

template <class At>
Field duration(std::string path, Duration low, Duration high, At at) {
  std::string expected = "a duration from " + duration_text(low) + " to " + duration_text(high) +
                         ", such as \"1s\" or \"250ms\"";
  return {std::move(path), std::move(expected),
          [=](Settings& settings, const Json& value) {
            const auto found = duration_of(value);
            if (!found || *found < low || *found > high) return false;
            at(settings) = *found;
            return true;
          },
          [=](const Settings& settings) {
            return Json(duration_text(at(const_cast<Settings&>(settings))));
          },
          {{"type", "string"}, {"pattern", R"(^[0-9]+(\.[0-9]+)?(ns|us|ms|s|m|h|d)$)"}}};
}

template <class At>
Field flag(std::string path, At at) {
  return {std::move(path), "true or false",
          [=](Settings& settings, const Json& value) {
            // the command line brings words
            const bool word = value.is_string() && (value == "true" || value == "false");
            if (!value.is_boolean() && !word) return false;
            at(settings) = word ? value == "true" : value.get<bool>();
            return true;
          },
          [=](const Settings& settings) { return Json(at(const_cast<Settings&>(settings))); }};
}

/// A text that may be empty, for "none"; at most what an MQTT string holds.
template <class At>
Field optional_text(std::string path, std::string expected, At at) {
  return {std::move(path), std::move(expected),
          [=](Settings& settings, const Json& value) {
            if (!value.is_string() || value.get_ref<const std::string&>().size() > 65535) return false;
            at(settings) = value.get<std::string>();
            return true;
          },
          [=](const Settings& settings) { return Json(at(const_cast<Settings&>(settings))); }};
}

template <class At>
Field text(std::string path, std::string expected, At at) {
  return {std::move(path), std::move(expected),
          [=](Settings& settings, const Json& value) {
            if (!value.is_string() || value.get_ref<const std::string&>().empty()) return false;
            at(settings) = value.get<std::string>();
            return true;
          },
          [=](const Settings& settings) { return Json(at(const_cast<Settings&>(settings))); },
          {{"type", "string"}, {"minLength", 1}}};
}

/// A text that is not shown. Long enough not to be guessed, or empty for "none".
template <class At>
Field secret(std::string path, At at) {
  constexpr std::size_t length_min = 16, length_max = 4096;
  return {std::move(path), "a secret of 16 to 4096 characters, \"\" for none",
          [=](Settings& settings, const Json& value) {
            if (!value.is_string()) return false;
            const auto& given = value.get_ref<const std::string&>();
            if (!given.empty() && (given.size() < length_min || given.size() > length_max)) return false;
            at(settings) = given;
            return true;
          },
          [=](const Settings& settings) { return Json(at(const_cast<Settings&>(settings)).empty() ? "" : "(hidden)"); },
          {{"type", "string"}, {"pattern", "^(.{16,4096})?$"}},
          true};
}

template <class At>
Field word(std::string path, std::vector<std::string> words, At at) {
  std::string expected = "one of";
  for (const auto& each : words) expected += (each == words.front() ? " \"" : ", \"") + each + "\"";
  return {std::move(path), std::move(expected),
          [=](Settings& settings, const Json& value) {
            if (!value.is_string()) return false;
            const auto& given = value.get_ref<const std::string&>();
            if (std::find(words.begin(), words.end(), given) == words.end()) return false;
            at(settings) = given;
            return true;
          },
          [=](const Settings& settings) { return Json(at(const_cast<Settings&>(settings))); },
          {{"enum", words}}};
}

}  // namespace hf::app
