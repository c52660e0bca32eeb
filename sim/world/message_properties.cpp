// The properties that simulated publishers put on their messages, and what receivers hold them against.
#include "sim/world/message_properties.hpp"

#include <vector>

namespace hf::sim {

namespace {

constexpr std::string_view mark = " properties";

std::string shown(const std::vector<mqtt::UserProperty>& properties) {
  std::string text;
  for (const auto& [name, value] : properties) text += (text.empty() ? "" : ", ") + name + "=" + value;
  return "[" + text + "]";
}

template <class Value>
std::string difference(std::string_view name, const Value& got, const Value& published) {
  if (got == published) return {};
  if (!got) return std::string(name) + " is missing";
  return std::string(name) + (published ? " is another" : " was added");
}

}  // namespace

mqtt::PropertySet message_properties(std::string_view publisher, std::uint64_t number) {
  const std::string n = std::to_string(number);
  mqtt::PropertySet set;
  if (number % 2 == 0) set.payload_format_indicator = static_cast<std::uint8_t>(number / 2 % 2);
  if (number % 3 != 0) set.content_type = "text/" + n;
  if (number % 5 != 0) set.response_topic = "answers/" + std::string(publisher);
  if (number % 4 != 0) set.correlation_data = n + std::string("\0\xFF\x01", 3) + n;
  set.user_properties = {{"trace", "z-" + n}, {"publisher", std::string(publisher)}, {"trace", "a-" + n}};
  if (number % 3 == 0) set.user_properties.emplace_back("", "");
  if (number % 7 == 0) set.user_properties.emplace_back("trace", "z-" + n);
  return set;
}

std::string mark_properties(std::string payload) { return std::move(payload) + std::string(mark); }

bool marks_properties(std::string_view payload) {
  const auto name = payload.find(' ');
  const auto number = name == payload.npos ? name : payload.find(' ', name + 1);
  return number != payload.npos && payload.substr(number).starts_with(mark);
}

std::string property_difference(const mqtt::PropertySet& got, const mqtt::PropertySet& published) {
  if (auto text = difference("payload format indicator", got.payload_format_indicator, published.payload_format_indicator); !text.empty())
    return text + " [MQTT-3.3.2-4]";
  if (auto text = difference("content type", got.content_type, published.content_type); !text.empty()) return text + " [MQTT-3.3.2-20]";
  if (auto text = difference("response topic", got.response_topic, published.response_topic); !text.empty())
    return text + " [MQTT-3.3.2-15]";
  if (auto text = difference("correlation data", got.correlation_data, published.correlation_data); !text.empty())
    return text + " [MQTT-3.3.2-16]";
  if (got.user_properties != published.user_properties)
    return "user properties are " + shown(got.user_properties) + ", published were " + shown(published.user_properties) +
           " [MQTT-3.3.2-17], [MQTT-3.3.2-18]";
  return {};
}

}  // namespace hf::sim
