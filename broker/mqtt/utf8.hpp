// Well-formed UTF-8 as MQTT means it (5.0: section 1.5.4; RFC 3629).
#pragma once

#include <string_view>

namespace hf::mqtt {

/// No overlong forms, no surrogates, nothing above U+10FFFF. U+0000 is well-formed here.
/// What a payload with format indicator 1 must be.
bool is_utf8(std::string_view text);

/// An MQTT "UTF-8 encoded string": is_utf8 and without U+0000. Says nothing about length.
bool is_mqtt_string(std::string_view text);

}  // namespace hf::mqtt
