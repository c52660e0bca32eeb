// The words for targets, resolved to names.
#include "sim/scenario/targets.hpp"

#include <algorithm>
#include <optional>

#include "sim/scenario/reader.hpp"

namespace hf::sim {

namespace {

struct Link {
  std::string from, to;
  bool both = false;
};

std::optional<Link> as_link(const std::string& target) {
  if (const auto both = target.find("<->"); both != std::string::npos) {
    return Link{target.substr(0, both), target.substr(both + 3), true};
  }
  if (const auto one = target.find("->"); one != std::string::npos) {
    return Link{target.substr(0, one), target.substr(one + 2), false};
  }
  return std::nullopt;
}

bool has_client(const Scenario& scenario, const std::string& id) {
  for (const auto& group : scenario.clients) {
    for (const auto& client : group.clients) {
      if (client.id == id) return true;
    }
  }
  return false;
}

std::string after_colon(const std::string& target) {
  const auto colon = target.find(':');
  return colon == std::string::npos ? "" : target.substr(colon + 1);
}

std::optional<std::uint64_t> small_number(const std::string& text) {
  if (text.empty() || text.size() > 4) return std::nullopt;
  std::uint64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return value;
}

/// `count` of all nodes, drawn: a draw for every node, whatever the count.
std::vector<std::string> sample(const Scenario& scenario, std::size_t count, DrawSequence& draws) {
  std::vector<std::pair<std::uint64_t, std::size_t>> order;
  for (std::size_t i = 0; i < scenario.cluster.nodes.size(); ++i) {
    const std::uint64_t bits = draws.bits();
    order.emplace_back(bits, i);
  }
  std::sort(order.begin(), order.end());
  order.resize(std::min(count, order.size()));
  std::sort(order.begin(), order.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  std::vector<std::string> names;
  for (const auto& [bits, index] : order) names.push_back(scenario.cluster.nodes[index].name);
  return names;
}

}  // namespace

std::string wrong_target(const std::string& target, const Scenario& scenario) {
  if (const auto link = as_link(target)) {
    const std::string first = wrong_target(link->from, scenario);
    return first.empty() ? wrong_target(link->to, scenario) : first;
  }
  std::vector<std::string> known = {"all", "one", "minority", "majority"};
  for (const auto& node : scenario.cluster.nodes) {
    known.push_back(node.name);
    if (!node.zone.empty()) known.push_back("zone:" + node.zone);
  }
  if (std::find(known.begin(), known.end(), target) != known.end()) return {};
  if (target.starts_with("random:")) {
    const auto count = small_number(after_colon(target));
    if (count && *count >= 1 && *count <= scenario.cluster.nodes.size()) return {};
    return "\"" + target + "\": random:N needs N in 1 .. " + std::to_string(scenario.cluster.nodes.size());
  }
  for (const char* word : {"coordinator:", "replicas:", "front:"}) {
    if (!target.starts_with(word)) continue;
    if (has_client(scenario, after_colon(target))) return {};
    return "\"" + target + "\": no client \"" + after_colon(target) + "\"";
  }
  known.insert(known.end(), {"random:1", "coordinator:CLIENT", "replicas:CLIENT", "front:CLIENT"});
  const std::string near = nearest(target, known);
  return "\"" + target + "\" is no target" + (near.empty() ? "" : "; did you mean \"" + near + "\"?");
}

std::string wrong_client_target(const std::string& target, const Scenario& scenario) {
  if (target == "all" || has_client(scenario, target)) return {};
  if (target.starts_with("clients:")) {
    for (const auto& group : scenario.clients) {
      if (group.name == after_colon(target)) return {};
    }
    return "no group of clients \"" + after_colon(target) + "\"";
  }
  return "\"" + target + "\" is no client, clients:GROUP or all";
}

std::vector<std::string> target_nodes(const std::string& target, const Scenario& scenario,
                                      const ClusterView& view, DrawSequence& draws) {
  const std::size_t nodes = scenario.cluster.nodes.size();
  if (target == "one") return sample(scenario, 1, draws);
  if (target == "minority") return sample(scenario, (nodes - 1) / 2, draws);
  if (target == "majority") return sample(scenario, nodes / 2 + 1, draws);
  if (target.starts_with("random:")) {
    return sample(scenario, small_number(after_colon(target)).value_or(1), draws);
  }
  if (target.starts_with("coordinator:")) return view.coordinator(after_colon(target));
  if (target.starts_with("replicas:")) return view.replicas(after_colon(target));
  if (target.starts_with("front:")) return view.front(after_colon(target));
  std::vector<std::string> names;
  for (const auto& node : scenario.cluster.nodes) {
    if (target == "all" || target == node.name || target == "zone:" + node.zone) names.push_back(node.name);
  }
  return names;
}

Pairs target_links(const std::string& target, const Scenario& scenario, const ClusterView& view,
                   DrawSequence& draws) {
  const auto link = as_link(target);
  const auto from = target_nodes(link ? link->from : target, scenario, view, draws);
  std::vector<std::string> to;
  if (link) {
    to = target_nodes(link->to, scenario, view, draws);
  } else {
    for (const auto& node : scenario.cluster.nodes) {
      if (from.size() == scenario.cluster.nodes.size() ||
          std::find(from.begin(), from.end(), node.name) == from.end()) {
        to.push_back(node.name);
      }
    }
  }
  Pairs pairs;
  for (const auto& a : from) {
    for (const auto& b : to) {
      if (a == b) continue;
      pairs.emplace_back(a, b);
      if (!link || link->both) pairs.emplace_back(b, a);
    }
  }
  std::sort(pairs.begin(), pairs.end());
  pairs.erase(std::unique(pairs.begin(), pairs.end()), pairs.end());
  return pairs;
}

std::vector<std::string> target_clients(const std::string& target, const Scenario& scenario) {
  std::vector<std::string> ids;
  for (const auto& group : scenario.clients) {
    for (const auto& client : group.clients) {
      if (target == "all" || target == client.id || target == "clients:" + group.name) ids.push_back(client.id);
    }
  }
  return ids;
}

}  // namespace hf::sim
