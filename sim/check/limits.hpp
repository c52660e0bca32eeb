// What a cluster may refuse or drop at the limits it declares; the checks' own reckoning of when one may be reached.
#pragma once

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "sim/check/index.hpp"
#include "sim/check/subscriptions.hpp"
#include "sim/check/topology.hpp"

namespace hf::sim {

/// Invariant: a doubt is a yes. Where a limit may have been reached, nobody is blamed for keeping it.
class Limits {
 public:
  Limits(const History& history, const Index& index, const Topology& topology, const Subscriptions& subscriptions);

  /// The topic (or filter) is within the declared length and depth.
  [[nodiscard]] bool allows(std::uint32_t topic) const;
  /// May the policy for full queues have taken this acknowledged message from this client?
  [[nodiscard]] bool covers_loss(std::uint32_t client, std::uint32_t message) const;
  /// May this message be larger than the client takes?
  [[nodiscard]] bool covers_size(std::uint32_t client, std::uint32_t message) const;
  /// May a full queue have turned this message away at one coordinator, while the copy of another came later (by `until`)?
  [[nodiscard]] bool covers_lateness(std::uint32_t client, std::uint32_t message, VirtualTime until) const;
  /// May this PUBACK or PUBREC with an error be what a full queue asks for?
  [[nodiscard]] bool covers_refusal(std::size_t abandoned) const;
  /// May this CONNACK with an error come from too many connections, or too many a second?
  [[nodiscard]] bool covers_connect(std::size_t refused) const;

 private:
  /// How many messages may wait for a client from `at` on.
  struct Step {
    VirtualTime at = 0;
    std::int64_t waiting = 0;
  };
  [[nodiscard]] const std::vector<Step>& steps(std::uint32_t client) const;
  [[nodiscard]] bool may_be_full(std::uint32_t client, VirtualTime from, VirtualTime to) const;
  /// By then whatever began at `t` is over: acknowledged, logged, known to every replica.
  [[nodiscard]] VirtualTime over_by(VirtualTime t) const;

  const History& history_;
  const Index& index_;
  const Topology& topology_;
  const Subscriptions& subscriptions_;
  const RunFacts::Limits& limits_;
  mutable std::map<std::uint32_t, std::vector<Step>> steps_;  ///< by client, once asked for
};

}  // namespace hf::sim
