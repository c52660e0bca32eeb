// What a shard counts. Never reset, and never asked for while it would cost a walk over sessions.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "broker/base/time.hpp"

namespace hf::node {

/// How long something took, in buckets. `counts[i]`: at most bounds_us[i] and more than the bound before; the last one:
/// more than all bounds.
struct Histogram {
  static constexpr std::array<std::uint64_t, 15> bounds_us{100,    250,    500,     1'000,   2'500,     5'000,     10'000,   25'000,
                                                           50'000, 100'000, 250'000, 500'000, 1'000'000, 2'500'000, 10'000'000};
  std::array<std::uint64_t, bounds_us.size() + 1> counts{};
  std::uint64_t sum_us = 0, count = 0;

  void add(Duration took) {
    const auto us = static_cast<std::uint64_t>(std::max<std::int64_t>(0, std::chrono::duration_cast<std::chrono::microseconds>(took).count()));
    const auto at = std::lower_bound(bounds_us.begin(), bounds_us.end(), us) - bounds_us.begin();
    ++counts[static_cast<std::size_t>(at)];
    sum_us += us;
    ++count;
  }
};

/// Monotonic since boot unless said otherwise.
struct Counters {
  std::uint64_t connections = 0;       ///< now
  std::uint64_t connections_max = 0;   ///< the most there were at once
  std::uint64_t connects = 0;
  std::uint64_t connects_refused = 0;  ///< answered with an error code, or too many had not been said yet
  std::uint64_t keep_alive_expired = 0;
  std::uint64_t packets_in = 0, packets_out = 0;  ///< MQTT control packets
  std::uint64_t bytes_in = 0, bytes_out = 0;      ///< of clients, as MQTT counts them
  std::uint64_t publishes_in = 0;
  std::uint64_t publishes_out = 0;
  std::array<std::uint64_t, 3> publishes_in_by_qos{}, publishes_out_by_qos{};
  std::uint64_t acknowledgements = 0;  ///< PUBACK and PUBREC sent
  Histogram acknowledged_after;        ///< from PUBLISH taken to PUBACK or PUBREC written
  /// Copies on stable storage when what waited for an operation went on, an acknowledgement say; the last: 8 or more.
  std::array<std::uint64_t, 9> stable_copies{};
  std::uint64_t sessions_created = 0;    ///< opened here without a session to resume
  std::uint64_t sessions_resumed = 0;
  std::uint64_t sessions_ended = 0;      ///< expired, or cleaned
  std::uint64_t sessions_expired = 0;    ///< of them: their client did not come back in time
  std::uint64_t operations = 0;        ///< operations applied
  std::uint64_t merges = 0;            ///< whole states merged
  std::uint64_t failovers = 0;         ///< slots this node began to serve after another
  std::uint64_t takeovers = 0;
  std::uint64_t dropped = 0;           ///< messages dropped at a declared limit: the sum of the next six
  std::uint64_t dropped_queue_full = 0;
  std::uint64_t dropped_slow_reader = 0;  ///< QoS 0, beyond the unsent bytes allowed
  std::uint64_t dropped_slow_peer = 0;    ///< QoS 0, for a node that does not take what it is sent
  std::uint64_t dropped_expired = 0;
  std::uint64_t dropped_too_large = 0;    ///< for the receiver
  std::uint64_t dropped_denied = 0;       ///< the receiver may not have it
  std::uint64_t dropped_memory = 0;       ///< QoS 0, published while memory was short
  std::uint64_t refused = 0;           ///< PUBLISH that was not carried out, with a reason code where there is one
  std::uint64_t hints = 0;             ///< hints stored
  std::uint64_t relayed = 0;           ///< peer frames relayed for others
  std::uint64_t commits = 0;           ///< batches handed to storage
  Histogram committed_after;           ///< from hand-over to stable
};

}  // namespace hf::node
