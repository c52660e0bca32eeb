// How long messages last, and what a DISCONNECT says of a session; the checks' own reckoning of when one may be over, or surely is.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "sim/check/index.hpp"
#include "sim/check/topology.hpp"

namespace hf::sim {

/// Invariant: a doubt is a yes. A message that may be over is promised to nobody, and none that may still last is called late.
/// Times are those of the run: what may be over is so by the fastest clock, what surely is by the slowest.
class Expiry {
 public:
  Expiry(const History& history, const Index& index, const Topology& topology);

  /// A message of the run expires.
  [[nodiscard]] bool any() const { return any_; }
  /// None: for ever. Wills too, if anybody received them.
  [[nodiscard]] std::optional<VirtualTime> lasts(std::uint32_t message) const { return messages_[message].lasts; }
  /// Before this no server has taken it.
  [[nodiscard]] VirtualTime began(std::uint32_t message) const { return messages_[message].began; }
  /// A copy that was received at event `receipt` was taken by then. None: it cannot be told.
  [[nodiscard]] std::optional<VirtualTime> taken_by(std::uint32_t message, std::size_t receipt) const;
  /// From then on it may be over; the most there is: never.
  [[nodiscard]] VirtualTime may_be_over(std::uint32_t message) const;
  /// Nothing is on its way between a client and its node for longer, where `prompt`.
  [[nodiscard]] VirtualTime on_the_wire() const { return history_.facts.detect_after; }
  [[nodiscard]] bool prompt(VirtualTime from, VirtualTime to) const;

  /// Was the client connected for long enough, in calm, between `from` and when the message may be over? `more`: than the bound.
  [[nodiscard]] bool had_time(std::uint32_t client, std::uint32_t message, VirtualTime from, VirtualTime more = 0) const;
  [[nodiscard]] bool had_time_until(std::uint32_t client, VirtualTime from, VirtualTime until, VirtualTime more = 0) const;

  /// The DISCONNECT at this event reached all replicas: nothing happened to the cluster around it.
  [[nodiscard]] bool farewell_known(std::size_t disconnected) const;
  /// The session ends so long after this connection, which the client ended by DISCONNECT with an expiry. `declared`: the CONNECT's.
  /// In doubt the shorter.
  [[nodiscard]] VirtualTime session_expiry(const Connection& connection, VirtualTime declared) const;
  /// May the session have expired by `t`? It counts from the end of its last connection that was acknowledged, of those before
  /// number `below`. `declared`: the CONNECT's expiry.
  [[nodiscard]] bool session_may_be_over(std::uint32_t client, std::uint64_t below, VirtualTime declared, VirtualTime t) const;
  /// What was acknowledged to the client at event `since` is known, as of `now`, to who knew it then, or knows of a later
  /// resume: one side may have ended the session that another resumed.
  [[nodiscard]] std::size_t known_from(std::uint32_t client, std::size_t since, std::size_t now) const;

 private:
  struct Life {
    std::optional<VirtualTime> lasts;
    VirtualTime began = 0;
    const Connection* will_of = nullptr;
    std::size_t first_receipt = no_event;  ///< of a will, by anybody
  };
  void find_wills();
  [[nodiscard]] VirtualTime ended_by(const Connection& connection, VirtualTime t) const;
  [[nodiscard]] VirtualTime at(std::size_t e) const { return history_.events[e].at; }
  [[nodiscard]] std::optional<VirtualTime> taken(const Message& message, std::size_t send) const;
  [[nodiscard]] std::optional<VirtualTime> due(const Connection& connection) const;
  [[nodiscard]] std::optional<VirtualTime> fired(const Life& will, std::size_t receipt) const;

  const History& history_;
  const Index& index_;
  const Topology& topology_;
  std::vector<Life> messages_;
  std::vector<std::vector<std::size_t>> doubtful_resumes_;  ///< by client: CONNACKs of sessions that may have been over
  std::vector<VirtualTime> shortest_named_;  ///< of each client: the shortest session expiry that a DISCONNECT of it named
  bool any_ = false;
};

}  // namespace hf::sim
