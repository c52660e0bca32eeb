// Which filters each client surely has, surely has not, or may have, at each event.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "sim/check/index.hpp"
#include "sim/check/topology.hpp"

namespace hf::sim {

/// The filter was acknowledged at `start` and nothing put it in doubt before `end`.
struct Interval {
  std::size_t start = no_event, end = no_event;  ///< events; end no_event: to the end of the run
  std::uint8_t asked = 0, granted = 0;
  std::size_t confirmed = no_event;  ///< last SUBACK for the same within the interval
};

/// From `event` on the filter is surely gone (`gone` the event that promised it) or may be there.
struct Doubt {
  std::size_t event = no_event;
  bool gone = false;
};

struct Subscription {
  std::uint32_t client = no_id, filter = no_id;
  bool shared = false;
  std::vector<Interval> intervals;
  std::vector<Doubt> doubts;
};

/// Invariants: S1 an interval ends at the first sign that the client or its session may drop it.
/// S2 a request of an older connection that got no answer and may still arrive blocks both
/// promises: neither an interval nor `gone` begins while it is fresh.
class Subscriptions {
 public:
  Subscriptions(const History& history, const Index& index, const Topology& topology);

  [[nodiscard]] const std::vector<Subscription>& all() const { return all_; }
  /// Subscriptions of anybody, shared ones included, whose filter matches topic id `topic`.
  [[nodiscard]] const std::vector<std::size_t>& matching(std::uint32_t topic) const {
    return matching_[topic];
  }
  /// Those of one client, ascending.
  [[nodiscard]] std::vector<std::size_t> matching(std::uint32_t topic, std::uint32_t client) const;
  /// What comes on this topic may come to the client through a group.
  [[nodiscard]] bool through_group(std::uint32_t topic, std::uint32_t client) const;
  /// The interval that covers the moment of `event`, or null.
  [[nodiscard]] static const Interval* covering(const Subscription& subscription,
                                                std::size_t event);
  /// The event that promised the filter gone, as things stand at `event`; no_event: it may be
  /// there.
  [[nodiscard]] static std::size_t gone_since(const Subscription& subscription, std::size_t event);

 private:
  struct Outstanding {
    bool subscribe = false;
    std::uint8_t qos = 0;
    std::uint64_t connection = 0;
    VirtualTime at = 0;
  };
  struct State {
    std::vector<Outstanding> outstanding;
    std::uint8_t asked = 0;
    bool open = false;
  };
  struct CleanStart {
    std::uint64_t connection = 0;
    VirtualTime at = 0;
  };
  void step(const Event& event, std::size_t e);
  void session_over(std::uint32_t client, std::size_t e);
  void session_cleaned(std::uint32_t client, const Event& event, std::size_t e);
  void close(std::size_t s, std::size_t e);
  [[nodiscard]] bool stale_may_arrive(VirtualTime sent, VirtualTime now) const;
  [[nodiscard]] bool doubted(const State& state,
                             std::uint32_t client,
                             const Event& event,
                             bool subscribe) const;
  void match_topics(const History& history);

  const Index& index_;
  const Topology& topology_;
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::size_t> names_;  // (client, filter)
  std::vector<Subscription> all_;
  std::vector<State> states_;
  std::vector<std::vector<std::size_t>> of_client_;
  std::vector<std::vector<CleanStart>> cleans_;  // per client: unanswered CONNECTs with clean start
  std::vector<std::vector<std::size_t>> matching_;
};

}  // namespace hf::sim
