// The verdict: each guarantee judged from a history; nothing here knows how the broker works.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "sim/check/history.hpp"

namespace hf::sim {

/// A promise that was broken.
struct Violation {
  std::string guarantee;  ///< "G3"
  VirtualTime at = 0;
  std::uint64_t event = 0;          ///< number_in_run of the event that shows it
  std::string client;               ///< empty for G11
  std::string text;                 ///< what was promised to whom when, and what happened
  std::vector<std::size_t> events;  ///< indices into History::events that tell the story, ascending
};

struct Verdict {
  std::string id, name;
  std::uint64_t exercised = 0;  ///< how often put to the test; zero is "not exercised", not held
  std::uint64_t violated = 0;
  std::vector<Violation> violations;  ///< the first 20
  bool applicable = true;
  std::string why_not;  ///< when not applicable
};

/// One verdict per judged guarantee, in order of their numbers, one for rights where there are rules, and one for expiry where messages
/// expire. Costs n log n in events plus
/// (messages x matching subscriptions) log n.
std::vector<Verdict> judge(const History& history);

}  // namespace hf::sim
