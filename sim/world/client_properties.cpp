// A client and properties of MQTT 5: what it puts on its messages, and what it holds against those that come.
#include "sim/world/client.hpp"
#include "sim/world/message_properties.hpp"

namespace hf::sim {

/// Whatever way the message took, its properties are those that its publisher put on it.
void Client::check_properties(const mqtt::Publish& packet, const Message& message) {
  if (spec_.version != mqtt::Version::v5) return;  // the packet has no place for any
  const bool any = marks_properties(packet.payload.view());
  const mqtt::PropertySet published = any ? message_properties(message.publisher, message.number) : mqtt::PropertySet{};
  const std::string text = property_difference(*packet.properties, published);
  if (!text.empty()) violation("PUBLISH " + message.publisher + " #" + std::to_string(message.number) + ": " + text);
}

/// Explanations that it asked not to have [MQTT-3.1.2-29].
void Client::check_problem_information(const mqtt::Packet& packet) {
  if (spec_.problem_information) return;
  const bool always = std::holds_alternative<mqtt::Publish>(packet) || std::holds_alternative<mqtt::Connack>(packet) ||
                      std::holds_alternative<mqtt::Disconnect>(packet);
  if (always) return;
  std::visit(
      [&](const auto& p) {
        if constexpr (requires { p.properties->reason_string; }) {
          if (p.properties->reason_string || !p.properties->user_properties.empty())
            violation(std::string(mqtt::packet_name(packet)) + " explains itself to who asked for no problem information [MQTT-3.1.2-29]");
        }
      },
      packet);
}

}  // namespace hf::sim
