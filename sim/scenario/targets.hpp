// Who a fault strikes: names, zones, "one", "minority", "coordinator:CLIENT", links.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "sim/kernel/draws.hpp"
#include "sim/scenario/scenario.hpp"

namespace hf::sim {

/// "" or what is wrong with a target of nodes or links.
std::string wrong_target(const std::string& target, const Scenario& scenario);
/// The same for clients: a client's id or "clients:GROUP" or "all".
std::string wrong_client_target(const std::string& target, const Scenario& scenario);

/// What only the running cluster knows. Each may answer with nothing.
struct ClusterView {
  std::function<std::vector<std::string>(const std::string& client)> coordinator, replicas, front;
};

/// The nodes of a target, in the cluster's order. Takes the same number of draws whatever comes out.
std::vector<std::string> target_nodes(const std::string& target, const Scenario& scenario,
                                      const ClusterView& view, DrawSequence& draws);

/// Directed pairs: a link target's own, else all pairs between the target's nodes and the others.
using Pairs = std::vector<std::pair<std::string, std::string>>;
Pairs target_links(const std::string& target, const Scenario& scenario, const ClusterView& view,
                   DrawSequence& draws);

std::vector<std::string> target_clients(const std::string& target, const Scenario& scenario);

}  // namespace hf::sim
