// The scenario file: top level, cluster, network, disk, clock, expectations.
#include "sim/scenario/parse.hpp"

#include <algorithm>
#include <set>

#include "sim/scenario/parse_parts.hpp"
#include "sim/scenario/settings.hpp"

namespace hf::sim {

namespace {

void read_node_list(Reader& reader, ClusterSpec& cluster) {
  Json* nodes = reader.raw("nodes");
  if (nodes != nullptr && nodes->is_array()) {
    reader.each("nodes", {"name"}, [&](Reader& node) {
      NodeSpec spec;
      spec.name = node.text("name");
      spec.zone = node.text("zone");
      node.not_yet({"version"});
      if (spec.name.empty()) node.fail("name", "a node needs a name");
      cluster.nodes.push_back(std::move(spec));
    });
    if (cluster.nodes.empty()) reader.fail("nodes", "a cluster needs a node");
    return;
  }
  const auto count = reader.number("nodes", 3, 1, 1000);
  for (std::int64_t i = 1; i <= count; ++i) cluster.nodes.push_back({"n" + std::to_string(i), ""});
}

void read_zones(Reader& reader, ClusterSpec& cluster) {
  reader.members("zones", [&](Reader& zones, const std::string& zone) {
    for (const auto& name : zones.words(zone)) {
      const auto it = std::find_if(cluster.nodes.begin(), cluster.nodes.end(),
                                   [&](const NodeSpec& node) { return node.name == name; });
      if (it == cluster.nodes.end()) zones.fail(zone, "no node \"" + name + "\"");
      if (!it->zone.empty() && it->zone != zone) {
        zones.fail(zone, "\"" + name + "\" is in zone " + it->zone + " already");
      }
      it->zone = zone;
    }
  });
}

void read_access(Reader& reader, access::Policy& policy) {
  policy.anonymous = reader.flag("anonymous", true);
  reader.each("users", {"name"}, [&](Reader& r) {
    access::User user{r.text("name"), r.text("password")};
    if (user.name.empty()) r.fail("name", "a user needs a name");
    policy.users.push_back(std::move(user));
  });
  reader.each("rules", {"name", "filter"}, [&](Reader& r) {
    access::Rule rule;
    (void)r.text("name");
    rule.user = r.text("user");
    rule.client = r.text("client");
    rule.allow = r.has("allow");
    if (rule.allow == r.has("deny")) r.fail("allow", "a rule either allows or denies: \"publish\", \"subscribe\" or \"all\"");
    const std::string what = r.word(rule.allow ? "allow" : "deny", {"publish", "subscribe", "all"}, "all");
    rule.publish = what != "subscribe";
    rule.subscribe = what != "publish";
    rule.filter = r.text("filter");
    if (rule.filter.empty()) r.fail("filter", "a rule needs a filter");
    policy.rules.push_back(std::move(rule));
  });
}

void read_cluster(Reader& reader, ClusterSpec& cluster) {
  read_node_list(reader, cluster);
  std::set<std::string> names;
  for (const auto& node : cluster.nodes) {
    if (!names.insert(node.name).second) reader.fail("nodes", "two nodes are called " + node.name);
  }
  read_zones(reader, cluster);
  const auto nodes = static_cast<std::int64_t>(cluster.nodes.size());
  cluster.slots = static_cast<std::uint32_t>(reader.number("slots", 64, 1, 65'536));
  cluster.replicas =
      static_cast<std::uint32_t>(reader.number("replicas", std::min<std::int64_t>(3, nodes), 1, 15));
  cluster.write_quorum = static_cast<std::uint32_t>(
      reader.number("write_quorum", cluster.replicas / 2 + 1, 1, cluster.replicas));
  reader.members("config", [&](Reader& config, const std::string& name) {
    cluster.config.push_back(read_setting(config, name));
  });
  reader.object("access", [&](Reader& r) { read_access(r, cluster.access); });
}

void read_network(Reader& reader, NetworkSpec& network) {
  reader.object("nodes", [&](Reader& r) { network.nodes = read_wire(r, network.nodes); });
  reader.object("clients", [&](Reader& r) { network.clients = read_wire(r, network.clients); });
  reader.each("links", {"name"}, [&](Reader& r) {
    LinkSpec link;
    (void)r.text("name");
    link.from = r.text("from", "all");
    link.to = r.text("to", "all");
    link.wire = read_wire(r, network.nodes);
    network.links.push_back(std::move(link));
  });
}

void read_disk(Reader& reader, DiskSpec& disk) {
  disk.write = reader.drawn_duration("write", disk.write);
  disk.fsync = reader.drawn_duration("fsync", disk.fsync);
  disk.bandwidth = reader.bandwidth("bandwidth", disk.bandwidth) / 8;
  disk.capacity = reader.size("capacity", disk.capacity, 1ULL << 50U);
}

void read_clock(Reader& reader, ClockSpec& clock) {
  clock.skew = reader.drawn_duration("skew", clock.skew, -24h);
  clock.drift_ppm = reader.drawn_number("drift", clock.drift_ppm, -900'000, 900'000);
}

void read_expect(Reader& reader, Scenario& scenario) {
  static const std::vector<std::string> ids = {"G1", "G2", "G3",  "G4",  "G5",  "G6",  "G7",
                                               "G8", "G9", "G10", "G11", "G12", "G13", "MQTT", "ACL", "SUBS", "EXPIRY"};
  Expectation expectation;
  reader.not_yet({"within", "of", "metric", "max", "during"});
  if (reader.has("sometimes")) {
    expectation.situation = reader.text("sometimes");
    expectation.min = static_cast<std::uint64_t>(reader.number("min", 1, 1, 1'000'000'000));
  } else if (reader.has("expect_failure")) {
    expectation.failure = true;
    expectation.guarantee = reader.word("expect_failure", ids, "");
    scenario.mutant = reader.text("mutant", scenario.mutant);
  } else {
    expectation.guarantee = reader.word("guarantee", ids, "");
  }
  scenario.expect.push_back(std::move(expectation));
}

void read_heal(Reader& reader, Scenario& scenario) {
  scenario.heal_at = scenario.duration * 3 / 4;
  scenario.settle = std::max<Duration>(30s, scenario.duration - scenario.heal_at);
  reader.object("heal", [&](Reader& heal) {
    scenario.heal_at = heal.duration("at", scenario.heal_at, Duration(0), scenario.duration);
    scenario.settle = heal.duration("settle", 30s);
  });
}

void read_top(Reader& reader, Scenario& scenario) {
  const std::string schema = reader.text("schema", "holdfast/1");
  if (schema != "holdfast/1") reader.fail("schema", "\"" + schema + "\" is not holdfast/1");
  scenario.name = reader.text("name");
  scenario.description = reader.text("description");
  scenario.tags = reader.words("tags");
  (void)reader.has("seed");
  scenario.duration = reader.duration("duration", 60s, 1ms, 24h * 30);
  reader.object("limits", [&](Reader& limits) {
    scenario.events_max = static_cast<std::uint64_t>(limits.number("events", 0, 0, INT64_MAX / 2));
    scenario.wall_max = limits.duration("wall", Duration(0));
  });
  reader.not_yet({"cost_model"});
  if (!reader.has("cluster")) {
    Json three = Json::object();
    Reader none(three, "cluster", ".cluster", scenario.seed);
    read_cluster(none, scenario.cluster);
  }
  reader.object("cluster", [&](Reader& r) { read_cluster(r, scenario.cluster); });
  scenario.network.clients.latency = Drawn::fixed(5'000'000);
  reader.object("network", [&](Reader& r) { read_network(r, scenario.network); });
  reader.object("disk", [&](Reader& r) { read_disk(r, scenario.disk); });
  reader.object("clock", [&](Reader& r) { read_clock(r, scenario.clock); });
  read_heal(reader, scenario);
  reader.each("clients", {"group", "id"}, [&](Reader& r) { read_client_group(r, scenario); });
  reader.each("faults", {"name"}, [&](Reader& r) { read_fault(r, scenario); });
  reader.each("nemesis", {"name"}, [&](Reader& r) { read_nemesis(r, scenario); });
  reader.each("expect", {"guarantee"}, [&](Reader& r) { read_expect(r, scenario); });
}

}  // namespace

WireSpec read_wire(Reader& reader, WireSpec otherwise) {
  otherwise.latency = reader.drawn_duration("latency", otherwise.latency);
  otherwise.jitter = reader.duration("jitter", otherwise.jitter);
  otherwise.bandwidth = reader.bandwidth("bandwidth", otherwise.bandwidth);
  otherwise.loss_ppb = reader.probability("loss", otherwise.loss_ppb);
  otherwise.corrupt_ppb = reader.probability("corrupt", otherwise.corrupt_ppb);
  reader.not_yet({"queue"});
  return otherwise;
}

Result<Scenario> parse_scenario(std::string_view text, std::string_view file,
                                std::optional<std::uint64_t> seed) {
  const std::string where = std::string(file) + ": ";
  try {
    Json document = Json::parse(text.begin(), text.end(), nullptr, true, true);
    Scenario scenario;
    Reader head(document, "", "", 0);
    scenario.seed = static_cast<std::uint64_t>(head.number("seed", 1, 0, INT64_MAX));
    if (seed) scenario.seed = *seed;
    if (document.contains("seed") || seed) document["seed"] = scenario.seed;
    Reader reader(document, "", "", scenario.seed);
    read_top(reader, scenario);
    reader.done();
    if (scenario.name.empty()) scenario.name = std::string(file);
    scenario.resolved = document.dump(2);
    return scenario;
  } catch (const ParseFailure& failure) {
    return fail(Blame::user, where + (failure.path.empty() ? "" : failure.path + ": ") + failure.text);
  } catch (const nlohmann::json::exception& error) {
    return fail(Blame::user, where + error.what());
  }
}

}  // namespace hf::sim
