// One run: a resolved scenario in, verdicts, facts and the history out.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "sim/check/check.hpp"
#include "sim/check/history.hpp"
#include "sim/scenario/scenario.hpp"
#include "sim/world/process.hpp"

namespace hf::sim {

/// Sums over the nodes, by name, in a fixed order.
using NodeCounters = std::vector<std::pair<std::string, std::uint64_t>>;

/// What runs on the nodes, and how to look inside. All but the factory may be empty.
struct Inside {
  Factory factory;
  std::function<std::vector<SlotCopy>(const env::Handler&)> report;
  std::function<NodeCounters(const env::Handler&)> counters;
  std::function<Sample(const env::Handler&)> sample;  ///< but for when and which node
  std::function<NodeId(const env::Handler&, const std::string& client)> coordinator;
  std::function<std::vector<NodeId>(const env::Handler&, const std::string& client)> replicas;
};

struct RunOptions {
  std::string mutant;       ///< "" is the scenario's own
  bool trace = false;       ///< keep the nodes' log lines, debug included
  bool trace_messages = false;  ///< and every operation and message in them
  /// Asked now and then; false stops the run, which then has not settled.
  std::function<bool(VirtualTime now, std::uint64_t events)> go_on;
};

struct RunResult {
  std::string scenario;
  std::uint64_t seed = 0;
  std::string mutant;
  std::vector<Verdict> verdicts;
  History history;
  std::uint64_t digest = 0;
  std::vector<std::uint64_t> checkpoints;
  std::uint64_t events = 0;
  VirtualTime virtual_time = 0;
  bool settled = true;
  std::vector<std::string> unsettled;  ///< who still waits for what
  std::vector<std::pair<std::string, std::uint64_t>> facts;
  std::map<std::string, std::uint64_t> situations;
  std::vector<std::string> failed_expectations;
  std::string trace;

  /// A guarantee the scenario asks for was violated (or, with expect_failure, was not).
  [[nodiscard]] bool held() const { return failed_expectations.empty(); }
  [[nodiscard]] bool all_exercised() const;
};

RunResult run_scenario(const Scenario& scenario, const Inside& inside, const RunOptions& options = {});

}  // namespace hf::sim
