// Faults as they happen: begun by time, situation or nemesis, undone after their time or at the heal.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "sim/scenario/scenario.hpp"
#include "sim/scenario/targets.hpp"
#include "sim/world/client.hpp"
#include "sim/world/world.hpp"

namespace hf::sim {

/// The wire of each directed pair as the scenario describes it, for undoing.
using BaseWire = std::function<faultnet::Wire(const std::string& from, const std::string& to)>;

faultnet::Wire to_wire(const WireSpec& spec, Duration latency);

/// Invariants:
///  F1 what a fault did, its undoing undoes, and nothing else; a fault without `for` lasts to the heal;
///  F2 after heal() nothing begins;
///  F3 the latest partition that lasts is the one in force.
class Faults {
 public:
  Faults(World& world, const Scenario& scenario, ClusterView view, std::map<std::string, Client*> clients,
         BaseWire base_wire);

  /// Puts the whole schedule into the world.
  void schedule();
  /// Everything repaired: partitions, cuts, wires, processes, disks. Skewed clocks stay skewed.
  void heal();

  [[nodiscard]] std::uint64_t begun() const { return begun_; }
  [[nodiscard]] std::uint64_t disks_lost() const { return wiped_.size(); }
  /// How often each kind of fault began.
  [[nodiscard]] const std::map<std::string, std::uint64_t>& by_kind() const { return by_kind_; }

 private:
  struct Active {
    FaultSpec spec;
    std::string what;
    std::vector<std::function<void()>> undo;
    bool harmless = false;
  };
  struct Nemesis {
    const NemesisSpec* spec;
    DrawSequence* draws;
    std::uint64_t count = 0;
    std::set<std::uint64_t> active;
  };

  std::uint64_t begin(const FaultSpec& spec);
  void end(std::uint64_t id);
  void apply(std::uint64_t id, Active& fault);
  void partition(std::uint64_t id, Active& fault, DrawSequence& draws);
  void bridge(Active& fault, DrawSequence& draws);
  void cut(Active& fault, const Pairs& pairs);
  void flap(std::uint64_t id, const FaultSpec& spec, const Pairs& pairs, std::uint64_t left);
  void crash(Active& fault, const std::vector<std::string>& nodes);
  void act_on_clients(Active& fault);
  void apply_partitions();
  void schedule_when(const FaultSpec& spec);
  void fire_after(const std::string& name, bool ended);
  void nemesis_acts(Nemesis& nemesis);
  FaultSpec draw_fault(Nemesis& nemesis);
  void note(Event::Kind kind, const Active& fault);
  std::vector<std::string> shuffled_nodes(DrawSequence& draws);

  World& world_;
  const Scenario& scenario_;
  ClusterView view_;
  std::map<std::string, Client*> clients_;
  BaseWire base_wire_;
  std::map<std::uint64_t, Active> active_;
  std::map<std::uint64_t, std::pair<Groups, ClientPolicy>> partitions_;
  std::map<std::pair<std::string, std::string>, int> cuts_;  ///< how many faults cut it
  std::vector<Nemesis> nemeses_;
  std::set<std::string> wiped_;
  std::map<std::string, std::uint64_t> by_kind_;
  std::uint64_t begun_ = 0;
  bool healed_ = false;
};

}  // namespace hf::sim
