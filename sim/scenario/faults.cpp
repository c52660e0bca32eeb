// What each kind of fault does to the world, and how it is undone.
#include "sim/scenario/faults.hpp"

#include <algorithm>

namespace hf::sim {

namespace {

std::string list(const std::vector<std::string>& words) {
  std::string out;
  for (const auto& word : words) out += (out.empty() ? "" : ",") + word;
  return out;
}

CrashMode crash_mode(const std::string& disk) {
  if (disk == "keep") return CrashMode::keep;
  return disk == "torn" ? CrashMode::torn : CrashMode::lose_unsynced;
}

}  // namespace

faultnet::Wire to_wire(const WireSpec& spec, Duration latency) {
  faultnet::Wire wire;
  wire.latency = latency;
  wire.jitter = spec.jitter;
  wire.bandwidth = spec.bandwidth;
  wire.loss = spec.loss_ppb;
  wire.corrupt = spec.corrupt_ppb;
  return wire;
}

Faults::Faults(World& world, const Scenario& scenario, ClusterView view,
               std::map<std::string, Client*> clients, BaseWire base_wire)
    : world_(world),
      scenario_(scenario),
      view_(std::move(view)),
      clients_(std::move(clients)),
      base_wire_(std::move(base_wire)) {}

void Faults::note(Event::Kind kind, const Active& fault) {
  Event event;
  event.kind = kind;
  event.flag = fault.harmless;
  event.text = fault.what;
  world_.note(std::move(event));
}

std::uint64_t Faults::begin(const FaultSpec& spec) {
  if (healed_) return 0;
  const std::uint64_t id = ++begun_;
  ++by_kind_[std::string(name(spec.kind))];
  Active& fault = active_[id];
  fault.spec = spec;
  fault.what = spec.name + ": " + std::string(name(spec.kind));
  apply(id, fault);
  if (spec.lasts) {
    world_.at(world_.now() + spec.lasts->count(), [this, id] { end(id); });
  } else if (fault.undo.empty()) {
    note(Event::Kind::fault_ended, fault);
    active_.erase(id);
  }
  fire_after(spec.name, false);
  return id;
}

void Faults::end(std::uint64_t id) {
  const auto it = active_.find(id);
  if (it == active_.end()) return;
  Active fault = std::move(it->second);
  active_.erase(it);
  for (const auto& undo : fault.undo) undo();
  note(Event::Kind::fault_ended, fault);
  for (auto& nemesis : nemeses_) nemesis.active.erase(id);
  fire_after(fault.spec.name, true);
}

void Faults::apply(std::uint64_t id, Active& fault) {
  const FaultSpec& spec = fault.spec;
  DrawSequence& draws = world_.draws().of("fault", spec.name);
  switch (spec.kind) {
    case FaultKind::partition: return partition(id, fault, draws);
    case FaultKind::client: return act_on_clients(fault);
    case FaultKind::link:
    case FaultKind::flap:
    case FaultKind::blackhole:
    case FaultKind::clog:
    case FaultKind::reset_peer: break;
    default: {
      const auto nodes = target_nodes(spec.on, scenario_, view_, draws);
      fault.what += " " + list(nodes);
      fault.harmless = spec.kind == FaultKind::clock_skew;
      note(Event::Kind::fault_began, fault);
      if (spec.kind == FaultKind::crash) return crash(fault, nodes);
      for (const auto& node : nodes) {
        World& world = world_;
        if (spec.kind == FaultKind::restart) world.restart(node);
        if (spec.kind == FaultKind::resume) world.resume(node);
        if (spec.kind == FaultKind::wipe) {
          wiped_.insert(node);
          world.wipe(node);
          if (spec.lasts) fault.undo.emplace_back([&world, node] { world.restart(node); });
          else world.restart(node);
        }
        if (spec.kind == FaultKind::pause) {
          world.pause(node);
          fault.undo.emplace_back([&world, node] { world.resume(node); });
        }
        if (spec.kind == FaultKind::clock_skew) {
          const Duration before(world.node(node).clock().skew());
          world.set_skew(node, spec.offset);
          if (spec.lasts) fault.undo.emplace_back([&world, node, before] { world.set_skew(node, before); });
        }
        if (spec.kind == FaultKind::disk_full) {
          Disk& disk = world.node(node).disk();
          const std::uint64_t before = disk.options.capacity;
          disk.options.capacity = std::max<std::uint64_t>(disk.bytes(), 1);
          fault.undo.emplace_back([&disk, before] { disk.options.capacity = before; });
        }
      }
      return;
    }
  }
  const Pairs pairs = target_links(spec.on, scenario_, view_, draws);
  const Duration latency(spec.wire.latency.draw(draws));
  fault.what += " " + spec.on;
  note(Event::Kind::fault_began, fault);
  if (spec.kind == FaultKind::blackhole) return cut(fault, pairs);
  if (spec.kind == FaultKind::flap) {
    fault.undo.emplace_back([] {});
    return flap(id, spec, pairs, spec.count);
  }
  for (const auto& [from, to] : pairs) {
    World& world = world_;
    if (spec.kind == FaultKind::reset_peer && from < to) world.reset_peer(from, to);
    if (spec.kind == FaultKind::clog) {
      world.clog(from, to, true);
      fault.undo.emplace_back([&world, from = from, to = to] { world.clog(from, to, false); });
    }
    if (spec.kind == FaultKind::link) {
      world.set_wire(from, to, to_wire(spec.wire, latency));
      fault.undo.emplace_back(
          [this, from = from, to = to] { world_.set_wire(from, to, base_wire_(from, to)); });
    }
  }
}

void Faults::crash(Active& fault, const std::vector<std::string>& nodes) {
  for (const auto& node : nodes) {
    if (world_.node(node).state() == ProcessState::down) continue;
    world_.crash(node, crash_mode(fault.spec.disk));
    World& world = world_;
    fault.undo.emplace_back([&world, node] { world.restart(node); });
  }
}

void Faults::cut(Active& fault, const Pairs& pairs) {
  for (const auto& [from, to] : pairs) {
    if (cuts_[{from, to}]++ == 0) world_.cut(from, to);
    fault.undo.emplace_back([this, from = from, to = to] {
      if (--cuts_[{from, to}] == 0) world_.uncut(from, to);
    });
  }
}

void Faults::flap(std::uint64_t id, const FaultSpec& spec, const Pairs& pairs, std::uint64_t left) {
  if (left == 0) return end(id);
  if (healed_ || !active_.contains(id)) return;
  FaultSpec once = spec;
  once.name += "." + std::to_string(spec.count - left + 1);
  once.kind = FaultKind::blackhole;
  once.lasts = spec.down;
  const std::uint64_t down = ++begun_;
  Active& fault = active_[down];
  fault.spec = once;
  fault.what = once.name + ": cut " + spec.on;
  note(Event::Kind::fault_began, fault);
  cut(fault, pairs);
  world_.at(world_.now() + spec.down.count(), [this, down] { end(down); });
  world_.at(world_.now() + (spec.down + spec.up).count(),
            [this, id, spec, pairs, left] { flap(id, spec, pairs, left - 1); });
}

std::vector<std::string> Faults::shuffled_nodes(DrawSequence& draws) {
  std::vector<std::pair<std::uint64_t, std::string>> order;
  for (const auto& node : scenario_.cluster.nodes) {
    const std::uint64_t bits = draws.bits();
    order.emplace_back(bits, node.name);
  }
  std::sort(order.begin(), order.end());
  std::vector<std::string> names;
  for (auto& [bits, name] : order) names.push_back(std::move(name));
  return names;
}

void Faults::bridge(Active& fault, DrawSequence& draws) {
  const auto names = shuffled_nodes(draws);  // the first is the bridge
  const std::size_t half = (names.size() + 1) / 2;
  Pairs pairs;
  for (std::size_t i = 1; i < half; ++i) {
    for (std::size_t j = half; j < names.size(); ++j) {
      pairs.emplace_back(names[i], names[j]);
      pairs.emplace_back(names[j], names[i]);
    }
  }
  fault.what += " bridge " + (names.empty() ? "" : names.front());
  note(Event::Kind::fault_began, fault);
  cut(fault, pairs);
}

void Faults::partition(std::uint64_t id, Active& fault, DrawSequence& draws) {
  const FaultSpec& spec = fault.spec;
  if (spec.shape == "bridge") return bridge(fault, draws);
  Groups groups;
  if (!spec.groups.empty()) {
    for (const auto& targets : spec.groups) {
      auto& group = groups.emplace_back();
      for (const auto& target : targets) {
        for (auto& node : target_nodes(target, scenario_, view_, draws)) group.push_back(std::move(node));
      }
    }
  } else if (spec.on != "all") {
    groups.push_back(target_nodes(spec.on, scenario_, view_, draws));
  } else {
    auto names = shuffled_nodes(draws);
    std::size_t first = names.size() / 2;
    if (spec.shape == "isolate_one") first = 1;
    if (spec.shape == "majority") first = (names.size() - 1) / 2;
    names.resize(std::min(first, names.size()));
    groups.push_back(std::move(names));
  }
  for (const auto& group : groups) fault.what += " " + list(group);
  if (spec.direction == "both") {
    note(Event::Kind::fault_began, fault);
    const auto policy = spec.clients == "with_node" ? ClientPolicy::with_node
                        : spec.clients == "cut"     ? ClientPolicy::cut
                                                    : ClientPolicy::free;
    partitions_[id] = {groups, policy};
    apply_partitions();
    fault.undo.emplace_back([this, id] {
      partitions_.erase(id);
      apply_partitions();
    });
    return;
  }
  fault.what += spec.direction == "to" ? " one way: nothing arrives" : " one way: nothing leaves";
  note(Event::Kind::fault_began, fault);
  Pairs pairs;
  for (const auto& inside : groups.front()) {
    for (const auto& node : scenario_.cluster.nodes) {
      if (std::find(groups.front().begin(), groups.front().end(), node.name) != groups.front().end()) continue;
      if (spec.direction == "to") pairs.emplace_back(node.name, inside);
      else pairs.emplace_back(inside, node.name);
    }
  }
  cut(fault, pairs);
}

void Faults::apply_partitions() {
  if (partitions_.empty()) {
    world_.partition({});
  } else {
    const auto& [groups, policy] = partitions_.rbegin()->second;
    world_.partition(groups, policy);
  }
}

void Faults::act_on_clients(Active& fault) {
  const FaultSpec& spec = fault.spec;
  fault.harmless = true;
  fault.what += " " + spec.action + " " + spec.on;
  note(Event::Kind::fault_began, fault);
  const Duration away = spec.lasts.value_or(Duration(0));
  for (const auto& id : target_clients(spec.on, scenario_)) {
    Client& client = *clients_.at(id);
    if (spec.action == "drop") client.drop(away, true);
    if (spec.action == "disconnect") client.disconnect(away, true);
    if (spec.action == "takeover") client.takeover(true);
  }
}

}  // namespace hf::sim
