// The checks' verdicts, the protocol's beside them, and what the scenario expected.
#pragma once

#include <string>
#include <vector>

#include "sim/scenario/run.hpp"

namespace hf::sim {

/// judge(), and "MQTT": every violation of the protocol that a client saw.
std::vector<Verdict> all_verdicts(const History& history);
/// One sentence for each expectation that does not hold.
std::vector<std::string> failed_expectations(const Scenario& scenario, const RunResult& result);

/// One event as a line for a person: "14.880213s  c7  received cmd/c7 (pub-2 #112) from n3, id 9".
std::string show(const Event& event);
std::string show_time(VirtualTime at);
/// A violation with the events that matter.
std::string story(const Violation& violation, const History& history, std::size_t lines_max = 40);

}  // namespace hf::sim
