// How short memory is, as the process tells the shard.
#pragma once

#include <cstdint>

namespace hf::node {

/// What is given up, in this order; the rest goes on.
/// `high`: who comes with a clean start is refused (0x97), QoS 0 messages of clients are dropped. Who comes back for a
/// session is let in: what it takes away makes room.
/// `critical`: also who publishes at QoS 1 or 2 is read from no more, until it is less; nothing of it is lost.
enum class Pressure : std::uint8_t { none, high, critical };

}  // namespace hf::node
