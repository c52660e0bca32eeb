// Verdicts held against the scenario's expectations.
#include "sim/scenario/verdicts.hpp"

#include <algorithm>

namespace hf::sim {

std::vector<Verdict> all_verdicts(const History& history) {
  std::vector<Verdict> verdicts = judge(history);
  Verdict mqtt;
  mqtt.id = "MQTT";
  mqtt.name = "protocol";
  for (std::size_t i = 0; i < history.events.size(); ++i) {
    const Event& event = history.events[i];
    if (event.kind == Event::Kind::connected || event.kind == Event::Kind::received) ++mqtt.exercised;
    if (event.kind != Event::Kind::protocol_violation) continue;
    ++mqtt.violated;
    if (mqtt.violations.size() == 20) continue;
    Violation violation;
    violation.guarantee = "MQTT";
    violation.at = event.at;
    violation.event = event.number_in_run;
    violation.client = event.client;
    violation.text = event.client + " at " + event.node + ": " + event.text;
    for (std::size_t j = i > 400 ? i - 400 : 0; j <= i; ++j) {
      if (history.events[j].client == event.client && i - j < 400) violation.events.push_back(j);
    }
    if (violation.events.size() > 12) {
      violation.events.erase(violation.events.begin(), violation.events.end() - 12);
    }
    mqtt.violations.push_back(std::move(violation));
  }
  verdicts.push_back(std::move(mqtt));
  return verdicts;
}

bool RunResult::all_exercised() const {
  return std::all_of(verdicts.begin(), verdicts.end(),
                     [](const Verdict& v) { return !v.applicable || v.exercised > 0; });
}

std::vector<std::string> failed_expectations(const Scenario& scenario, const RunResult& result) {
  std::vector<std::string> failed;
  const auto wanted = [&](const std::string& id) {
    bool any = false;
    for (const auto& expectation : scenario.expect) {
      if (expectation.guarantee.empty() || expectation.failure) continue;
      any = true;
      if (expectation.guarantee == id) return true;
    }
    return !any;
  };
  const auto failure_wanted = [&](const std::string& id) {
    return std::any_of(scenario.expect.begin(), scenario.expect.end(),
                       [&](const Expectation& e) { return e.failure && e.guarantee == id; });
  };
  for (const auto& verdict : result.verdicts) {
    if (failure_wanted(verdict.id)) {
      if (verdict.violated == 0) failed.push_back(verdict.id + " was to be violated and was not");
    } else if (verdict.violated > 0 && verdict.applicable && wanted(verdict.id)) {
      failed.push_back(verdict.id + " " + verdict.name + " violated");
    }
  }
  for (const auto& expectation : scenario.expect) {
    if (expectation.situation.empty()) continue;
    const auto it = result.situations.find(expectation.situation);
    const std::uint64_t count = it == result.situations.end() ? 0 : it->second;
    if (count < expectation.min) {
      failed.push_back("situation " + expectation.situation + " came " + std::to_string(count) +
                       " times, not " + std::to_string(expectation.min));
    }
  }
  return failed;
}

}  // namespace hf::sim
