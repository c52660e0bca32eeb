// One object a run.
#include "reports/json.hpp"

#include <array>
#include <cstdio>

#include <nlohmann/json.hpp>

#include "sim/scenario/verdicts.hpp"

namespace hf::reports {

std::string to_json(const sim::RunResult& result, const std::string& resolved, std::int64_t wall_ns,
                    const std::string& machine, const std::string& build) {
  using Json = nlohmann::ordered_json;
  std::array<char, 20> digest{};
  std::snprintf(digest.data(), digest.size(), "%016llx", static_cast<unsigned long long>(result.digest));
  Json out = {{"scenario", result.scenario}, {"seed", result.seed}, {"mutant", result.mutant},
              {"machine", machine}, {"build", build}, {"digest", digest.data()},
              {"events", result.events}, {"virtual_ns", result.virtual_time}, {"wall_ns", wall_ns},
              {"held", result.held()}, {"settled", result.settled}};
  Json verdicts = Json::array();
  for (const auto& verdict : result.verdicts) {
    Json violations = Json::array();
    for (const auto& violation : verdict.violations) {
      Json events = Json::array();
      for (const auto index : violation.events) {
        if (index < result.history.events.size()) events.push_back(sim::show(result.history.events[index]));
      }
      violations.push_back({{"at_ns", violation.at}, {"event", violation.event}, {"client", violation.client},
                            {"text", violation.text}, {"events", std::move(events)}});
    }
    verdicts.push_back({{"id", verdict.id}, {"name", verdict.name}, {"exercised", verdict.exercised},
                        {"violated", verdict.violated}, {"applicable", verdict.applicable},
                        {"why_not", verdict.why_not}, {"violations", std::move(violations)}});
  }
  out["verdicts"] = std::move(verdicts);
  Json facts = Json::object();
  for (const auto& [name, value] : result.facts) facts[name] = value;
  out["facts"] = std::move(facts);
  out["situations"] = result.situations;
  out["failed_expectations"] = result.failed_expectations;
  out["unsettled"] = result.unsettled;
  out["resolved_scenario"] = Json::parse(resolved, nullptr, false);
  return out.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace hf::reports
