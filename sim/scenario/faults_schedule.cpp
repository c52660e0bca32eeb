// When faults begin: at a time, in a situation, after another fault, or by a nemesis.
#include <algorithm>

#include "sim/scenario/faults.hpp"

namespace hf::sim {

void Faults::schedule() {
  for (const auto& spec : scenario_.faults) {
    if (spec.when) {
      schedule_when(spec);
    } else {
      world_.at(spec.at.count(), [this, &spec] { begin(spec); });
    }
  }
  for (const auto& spec : scenario_.nemesis) {
    nemeses_.push_back({&spec, &world_.draws().of("nemesis", spec.name), 0, {}});
  }
  for (auto& nemesis : nemeses_) {
    const std::int64_t first = nemesis.spec->every.draw(*nemesis.draws);
    world_.at(nemesis.spec->from.count() + first, [this, &nemesis] { nemesis_acts(nemesis); });
  }
}

void Faults::schedule_when(const FaultSpec& spec) {
  const When& when = *spec.when;
  if (when.reached.empty()) return;  // fire_after looks for it
  world_.when_reached(when.reached, when.node, when.occurrence, [this, &spec] {
    if (spec.when->delay.count() == 0) {
      begin(spec);
    } else {
      world_.at(world_.now() + spec.when->delay.count(), [this, &spec] { begin(spec); });
    }
  });
}

void Faults::fire_after(const std::string& name, bool ended) {
  for (const auto& spec : scenario_.faults) {
    if (!spec.when || spec.when->after != name || spec.when->ended != ended) continue;
    world_.at(world_.now() + spec.when->delay.count(), [this, &spec] { begin(spec); });
  }
}

/// Draws the same numbers whether the fault then begins or not.
void Faults::nemesis_acts(Nemesis& nemesis) {
  const NemesisSpec& spec = *nemesis.spec;
  const Duration until = spec.until.value_or(scenario_.heal_at);
  if (healed_ || world_.now() >= until.count()) return;
  const FaultSpec fault = draw_fault(nemesis);
  const std::int64_t next = spec.every.draw(*nemesis.draws);
  if (nemesis.active.size() < spec.max_concurrent) {
    const std::uint64_t id = begin(fault);
    if (active_.contains(id)) nemesis.active.insert(id);
  }
  world_.at(world_.now() + std::max<std::int64_t>(next, 1'000'000), [this, &nemesis] { nemesis_acts(nemesis); });
}

FaultSpec Faults::draw_fault(Nemesis& nemesis) {
  static const std::vector<std::string> shapes = {"isolate_one", "halves", "majority", "bridge"};
  static const std::vector<std::string> actions = {"drop", "takeover", "disconnect"};
  static const std::vector<std::string> directions = {"both", "both", "to", "from"};
  const NemesisSpec& spec = *nemesis.spec;
  DrawSequence& draws = *nemesis.draws;
  FaultSpec fault;
  fault.name = spec.name + "." + std::to_string(++nemesis.count);
  fault.kind = spec.kinds[draws.below(spec.kinds.size())];
  fault.lasts = Duration(std::max<std::int64_t>(spec.lasts.draw(draws), 1'000'000));
  fault.disk = spec.disks[draws.below(spec.disks.size())];
  const std::string shape = shapes[draws.below(shapes.size())];
  const std::string action = actions[draws.below(actions.size())];
  const std::string direction = directions[draws.below(directions.size())];
  const auto latency = draws.between(Duration(20ms), Duration(400ms));
  const auto loss = draws.below(50'000'000);
  fault.on = spec.on;
  switch (fault.kind) {
    case FaultKind::partition:
      fault.direction = direction;
      if (spec.on == "all" || spec.on == "one") {
        fault.shape = shape;
        fault.on = "all";
      }
      break;
    case FaultKind::link:
      fault.wire.latency = Drawn::fixed(latency.count());
      fault.wire.jitter = latency;
      fault.wire.loss_ppb = static_cast<std::uint32_t>(loss);
      break;
    case FaultKind::flap:
      fault.up = fault.down = std::max<Duration>(*fault.lasts / 8, 1ms);
      fault.count = 4;
      break;
    case FaultKind::client:
      fault.action = action;
      fault.on = "all";
      break;
    default:
      break;
  }
  return fault;
}

void Faults::heal() {
  healed_ = true;
  while (!active_.empty()) end(active_.begin()->first);
  partitions_.clear();
  world_.heal_network();
  for (const auto& node : world_.node_names()) {
    if (world_.node(node).state() == ProcessState::paused) world_.resume(node);
    if (world_.node(node).state() == ProcessState::down) world_.restart(node);
  }
}

}  // namespace hf::sim
