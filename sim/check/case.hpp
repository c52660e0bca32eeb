// What every judge is given, and how it writes down what it finds.
#pragma once

#include <string>
#include <vector>

#include "sim/check/check.hpp"
#include "sim/check/expiry.hpp"
#include "sim/check/index.hpp"
#include "sim/check/limits.hpp"
#include "sim/check/rights.hpp"
#include "sim/check/subscriptions.hpp"
#include "sim/check/topology.hpp"

namespace hf::sim {

struct Case {
  explicit Case(const History& h)
      : history(h), index(h), topology(h), subscriptions(h, index, topology), rights(h, index),
        limits(h, index, topology, subscriptions), expiry(h, index, topology) {}
  const History& history;
  Index index;
  Topology topology;
  Subscriptions subscriptions;
  Rights rights;
  Limits limits;
  Expiry expiry;

  [[nodiscard]] const Event& event(std::size_t e) const { return history.events[e]; }
  [[nodiscard]] Topology::Node node(std::size_t e) const { return topology.node(event(e).node); }
  [[nodiscard]] VirtualTime end() const;
  /// Was it acknowledged at `from` and is it owed at every place the message was sent before
  /// `until`?
  [[nodiscard]] bool owed(std::size_t from, const Message& message, std::size_t until) const;
};

/// A promise that a message reaches a client: a subscription was sure when it was first sent.
struct Delivery {
  std::uint32_t message = no_id, client = no_id;
  std::size_t subscribed = no_event;  ///< SUBACK event
  std::size_t receipt = no_event;     ///< no_event: broken
};
/// All promised deliveries of messages first sent after `after`, kept or broken; void ones left
/// out.
std::vector<Delivery> deliveries(const Case& c, VirtualTime after);

/// Had this client a fair chance to read what was acknowledged at `acked`?
bool had_time(const Case& c, std::uint32_t client, VirtualTime acked);

/// "16.204113s"
std::string in_seconds(VirtualTime t);
/// "t/3 (pub-2 #112)"
std::string named(const Case& c, std::uint32_t message);

Verdict verdict(std::string id, std::string name);
/// Counts; keeps the first 20. `story` gives the events, the last of `at_event` the place.
void violate(Verdict& verdict,
             const Case& c,
             std::size_t at_event,
             std::string client,
             std::string text,
             std::vector<std::size_t> story);
bool not_applicable(Verdict& verdict, bool when, const std::string& why);
/// Sets not applicable when more disks were lost than the guarantee survives.
bool too_many_disks_lost(Verdict& verdict, const Case& c);

Verdict judge_resume(const Case& c);
Verdict judge_kept(const Case& c);
Verdict judge_exactly_once(const Case& c);
Verdict judge_subscriptions(const Case& c);
Verdict judge_order(const Case& c);
Verdict judge_available(const Case& c);
Verdict judge_one_connection(const Case& c);
Verdict judge_retained(const Case& c);
Verdict judge_wills(const Case& c);
Verdict judge_shared(const Case& c);
Verdict judge_convergence(const Case& c);
Verdict judge_bounded(const Case& c);
Verdict judge_access(const Case& c);
/// A part of G4.
void judge_ended_sessions(const Case& c, Verdict& verdict);
Verdict judge_options(const Case& c);
Verdict judge_expiry(const Case& c);

}  // namespace hf::sim
