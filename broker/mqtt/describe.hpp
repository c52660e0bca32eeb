// A control packet in one line, for a person who follows a client.
#pragma once

#include <string>
#include <string_view>

#include "broker/mqtt/packet.hpp"

namespace hf::mqtt {

/// "PUBLISH id 7 qos 1 'a/b' 64 bytes": never a payload or a password. Texts of peers are cut after 200 bytes, and what
/// is not printable ASCII in them is shown as \xNN.
std::string describe(const Packet& packet);
/// A text of a peer as described above, between single quotes.
std::string quoted(std::string_view text);

}  // namespace hf::mqtt
