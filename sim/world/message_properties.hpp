// The properties that simulated publishers put on their messages, and what receivers hold them against.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "broker/mqtt/properties.hpp"

namespace hf::sim {

/// Derived from the message's name alone. Which of the single ones there are differs from number to number; user properties
/// are several, one name comes twice, and they stand in no order of names or values.
mqtt::PropertySet message_properties(std::string_view publisher, std::uint64_t number);

/// A payload says whether its message was published with properties: so a receiver knows without asking anybody.
std::string mark_properties(std::string payload);
bool marks_properties(std::string_view payload);

/// What of `got` is not as published, "" if all is. What belongs to the delivery (alias, subscription identifiers) or counts
/// down on the way (message expiry) is left out.
std::string property_difference(const mqtt::PropertySet& got, const mqtt::PropertySet& published);

}  // namespace hf::sim
