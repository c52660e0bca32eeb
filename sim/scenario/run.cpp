// Builds the world, lets it run, heals it, lets it settle, and has it judged.
#include "sim/scenario/run.hpp"

#include <algorithm>
#include <memory>

#include "sim/scenario/facts.hpp"
#include "sim/scenario/faults.hpp"
#include "sim/scenario/settings.hpp"
#include "sim/scenario/verdicts.hpp"
#include "sim/world/client.hpp"
#include "sim/world/world.hpp"

namespace hf::sim {

namespace {

constexpr VirtualTime step = 100'000'000;
constexpr VirtualTime quiet_for = 3'000'000'000;

class Runner {
 public:
  Runner(const Scenario& scenario, const Inside& inside, const RunOptions& options)
      : scenario_(scenario), inside_(inside), options_(options),
        world_(scenario.seed, history_, inside.factory) {}

  RunResult run();

 private:
  void build_nodes();
  void build_wires();
  void build_clients();
  void build_probes();
  void probe();
  void set_disk(const std::string& node);
  [[nodiscard]] faultnet::Wire base_wire(const std::string& from, const std::string& to);
  [[nodiscard]] bool covers(const std::string& target, const std::string& node) const;
  [[nodiscard]] ClusterView view();
  [[nodiscard]] const env::Handler* any_handler() const;
  [[nodiscard]] std::string name_of(NodeId id) const;
  bool advance(VirtualTime to);
  void sample();
  void count(const env::Handler& handler);
  void settle();
  /// Nobody waits for one that is let in nowhere.
  [[nodiscard]] bool settled(const Client& client) const {
    return client.idle() || !may_log_in(scenario_.cluster.access, client.spec());
  }
  [[nodiscard]] bool clean();
  void collect_copies();
  void finish(RunResult& result);

  const Scenario& scenario_;
  const Inside& inside_;
  const RunOptions& options_;
  History history_;
  World world_;
  std::vector<std::unique_ptr<Client>> clients_;
  std::vector<std::unique_ptr<Client>> probes_;  ///< ask each node for all retained messages, at the end
  std::map<std::string, Client*> by_id_;
  std::map<std::pair<std::string, std::string>, Duration> link_latency_;
  std::unique_ptr<Faults> faults_;
  std::map<std::string, std::uint64_t> counted_;
  std::vector<std::string> counted_order_;
  std::uint64_t received_before_ = 0;
  bool stopped_ = false;
};

std::string Runner::name_of(NodeId id) const {
  const auto& nodes = scenario_.cluster.nodes;
  return id >= 1 && id <= nodes.size() ? nodes[id - 1].name : "";
}

void Runner::build_nodes() {
  node::Config config;
  config.slots = scenario_.cluster.slots;
  config.replicas = scenario_.cluster.replicas;
  config.write_quorum = scenario_.cluster.write_quorum;
  for (const auto& setting : scenario_.cluster.config) apply_setting(setting, config);
  config.access = scenario_.cluster.access;
  config.trace_messages = options_.trace_messages;
  config.mutant.name = options_.mutant.empty() ? scenario_.mutant : options_.mutant;
  NodeId id = 0;
  for (const auto& node : scenario_.cluster.nodes) {
    config.members.push_back({++id, node.name, node.name, node.zone});
  }
  id = 0;
  std::int64_t earliest = 0, latest = 0;
  const std::int64_t length = (scenario_.heal_at + scenario_.settle).count();
  for (const auto& node : scenario_.cluster.nodes) {
    config.id = ++id;
    world_.add_node(node.name, config);
    set_disk(node.name);
    DrawSequence& draws = world_.draws().of("clock", node.name);
    const std::int64_t skew = scenario_.clock.skew.draw(draws);
    const std::int64_t drift = scenario_.clock.drift_ppm.draw(draws);
    world_.node(node.name).clock().set_skew(skew);
    world_.node(node.name).clock().set_drift(0, drift);
    const std::int64_t drifts = length / 1'000'000 * drift;
    earliest = std::min({earliest, skew, skew + drifts});
    latest = std::max({latest, skew, skew + drifts});
  }
  add_facts(history_.facts, scenario_, config);
  history_.facts.clock_spread = latest - earliest;
  for (const auto& fault : scenario_.faults)
    if (fault.kind == FaultKind::clock_skew) history_.facts.clock_spread += std::abs(fault.offset.count());
}

void Runner::set_disk(const std::string& node) {
  DrawSequence& draws = world_.draws().of("disk", node);
  DiskOptions& options = world_.node(node).disk().options;
  const DiskSpec& spec = scenario_.disk;
  options.write = Duration(spec.write.draw(draws));
  options.fsync_varies = spec.fsync.kind == Drawn::Kind::exponential;
  const std::int64_t fsync = spec.fsync.draw(draws);
  options.fsync = Duration(options.fsync_varies ? spec.fsync.a : fsync);
  options.bytes_per_second = spec.bandwidth;
  options.capacity = spec.capacity;
}

bool Runner::covers(const std::string& target, const std::string& node) const {
  if (target == "all" || target == node) return true;
  if (!target.starts_with("zone:")) return false;
  return std::any_of(scenario_.cluster.nodes.begin(), scenario_.cluster.nodes.end(),
                     [&](const NodeSpec& spec) { return spec.name == node && "zone:" + spec.zone == target; });
}

faultnet::Wire Runner::base_wire(const std::string& from, const std::string& to) {
  const WireSpec* spec = &scenario_.network.nodes;
  for (const auto& link : scenario_.network.links) {
    if ((covers(link.from, from) && covers(link.to, to)) || (covers(link.from, to) && covers(link.to, from))) {
      spec = &link.wire;
    }
  }
  return to_wire(*spec, link_latency_[{std::min(from, to), std::max(from, to)}]);
}

void Runner::build_wires() {
  const NetworkSpec& network = scenario_.network;
  const auto& nodes = scenario_.cluster.nodes;
  for (const auto& a : nodes) {
    for (const auto& b : nodes) {
      if (a.name >= b.name) continue;
      const WireSpec* spec = &network.nodes;
      for (const auto& link : network.links) {
        if ((covers(link.from, a.name) && covers(link.to, b.name)) ||
            (covers(link.from, b.name) && covers(link.to, a.name))) {
          spec = &link.wire;
        }
      }
      DrawSequence& draws = world_.draws().of("latency", a.name + "-" + b.name);
      link_latency_[{a.name, b.name}] = Duration(spec->latency.draw(draws));
      world_.set_wire(a.name, b.name, base_wire(a.name, b.name));
      world_.set_wire(b.name, a.name, base_wire(b.name, a.name));
    }
  }
  for (const auto* all : {&clients_, &probes_}) {
    for (const auto& client : *all) {
      DrawSequence& draws = world_.draws().of("latency", client->spec().id);
      const Duration latency(network.clients.latency.draw(draws));
      for (const auto& node : nodes) {
        world_.set_wire(client->spec().id, node.name, to_wire(network.clients, latency));
        world_.set_wire(node.name, client->spec().id, to_wire(network.clients, latency));
      }
    }
  }
}

void Runner::build_clients() {
  for (const auto& group : scenario_.clients) {
    for (const auto& spec : group.clients) {
      clients_.push_back(std::make_unique<Client>(world_, spec));
      by_id_[spec.id] = clients_.back().get();
      clients_.back()->set_ends(scenario_.heal_at.count(), (scenario_.heal_at + 2s).count());
    }
  }
}

/// Two a node: QoS 0 of MQTT 3.1.1, and QoS 2 of 5.0. Only where anything is retained, and whoever comes is let in.
void Runner::build_probes() {
  bool retains = false;
  for (const auto& client : clients_) {
    const auto& publish = client->spec().publish;
    retains = retains || std::any_of(publish.begin(), publish.end(), [](const auto& p) { return p.retain; });
  }
  if (!retains || !may_log_in(scenario_.cluster.access, ClientSpec{})) return;
  for (const auto& node : scenario_.cluster.nodes) {
    for (const std::uint8_t qos : {std::uint8_t{0}, std::uint8_t{2}}) {
      ClientSpec spec;
      spec.id = "probe-" + node.name + (qos == 0 ? "-qos0" : "-qos2");
      spec.number = static_cast<std::uint32_t>(clients_.size() + probes_.size());
      spec.version = qos == 0 ? mqtt::Version::v311 : mqtt::Version::v5;
      spec.clean_start = true;
      spec.session_expiry = 0;
      spec.connect_to.candidates = {node.name};
      SubscribeSpec all;
      all.filter = "#";
      all.qos = qos;
      spec.subscribe.push_back(std::move(all));
      probes_.push_back(std::make_unique<Client>(world_, std::move(spec)));
    }
  }
}

/// After the copies were taken: what a probe's session leaves behind is not judged.
void Runner::probe() {
  if (probes_.empty()) return;
  for (const auto& client : probes_) client->start();
  advance(world_.now() + 2 * history_.facts.detect_after + history_.facts.settle + 2 * quiet_for);
}

const env::Handler* Runner::any_handler() const {
  for (const auto& node : scenario_.cluster.nodes) {
    Process& process = const_cast<World&>(world_).node(node.name);
    if (process.state() == ProcessState::running) return process.handler();
  }
  return nullptr;
}

ClusterView Runner::view() {
  ClusterView view;
  view.front = [this](const std::string& client) {
    const std::string node = by_id_.at(client)->node();
    return node.empty() ? std::vector<std::string>{} : std::vector{node};
  };
  view.coordinator = [this](const std::string& client) -> std::vector<std::string> {
    const env::Handler* handler = any_handler();
    if (handler == nullptr || !inside_.coordinator) return {};
    const std::string name = name_of(inside_.coordinator(*handler, client));
    return name.empty() ? std::vector<std::string>{} : std::vector{name};
  };
  view.replicas = [this](const std::string& client) {
    std::vector<std::string> names;
    const env::Handler* handler = any_handler();
    if (handler == nullptr || !inside_.replicas) return names;
    for (const NodeId id : inside_.replicas(*handler, client)) names.push_back(name_of(id));
    return names;
  };
  return view;
}

/// False when the run must stop here.
bool Runner::advance(VirtualTime to) {
  while (world_.now() < to && !stopped_) {
    world_.run_until(std::min(to, world_.now() + step));
    sample();
    if (scenario_.events_max != 0 && world_.events() > scenario_.events_max) stopped_ = true;
    if (options_.go_on && !options_.go_on(world_.now(), world_.events())) stopped_ = true;
  }
  return !stopped_;
}

/// Looks from outside of all turns: nothing of the run depends on it.
void Runner::sample() {
  if (!inside_.sample || !history_.facts.limits.declared) return;
  for (const auto& name : world_.node_names()) {
    const env::Handler* handler = world_.node(name).handler();
    if (handler == nullptr) continue;
    Sample sample = inside_.sample(*handler);
    sample.at = world_.now();
    sample.node = name;
    history_.samples.push_back(std::move(sample));
  }
}

void Runner::count(const env::Handler& handler) {
  if (!inside_.counters) return;
  for (const auto& [what, count] : inside_.counters(handler)) {
    if (!counted_.contains(what)) counted_order_.push_back(what);
    counted_[what] += count;
  }
}

bool Runner::clean() {
  if (!inside_.report) return true;
  std::map<std::uint32_t, std::uint64_t> digests;
  for (const auto& name : world_.node_names()) {
    const env::Handler* handler = world_.node(name).handler();
    if (handler == nullptr) return false;
    for (const auto& copy : inside_.report(*handler)) {
      if (!copy.replica || copy.log_tail != 0 || copy.hints != 0 || copy.tombstones != 0) return false;
      if (!digests.emplace(copy.slot, copy.digest).second && digests[copy.slot] != copy.digest) return false;
    }
  }
  return true;
}

void Runner::settle() {
  const VirtualTime limit = (scenario_.heal_at + scenario_.settle).count();
  const VirtualTime earliest = (scenario_.heal_at + 4s).count();
  VirtualTime busy = world_.now();
  while (world_.now() < limit && advance(std::min(limit, world_.now() + 5 * step))) {
    std::uint64_t received = 0;
    bool idle = true;
    for (const auto& client : clients_) {
      received += client->counters().received + client->counters().connects;
      idle = idle && settled(*client);
    }
    if (!idle || received != received_before_) busy = world_.now();
    received_before_ = received;
    if (world_.now() >= std::max(earliest, busy + quiet_for) && clean()) return;
  }
}

void Runner::collect_copies() {
  if (!inside_.report) return;
  for (const auto& name : world_.node_names()) {
    const env::Handler* handler = world_.node(name).handler();
    if (handler == nullptr) continue;
    for (auto& copy : inside_.report(*handler)) {
      copy.node = name;
      history_.copies.push_back(std::move(copy));
    }
  }
}

void Runner::finish(RunResult& result) {
  std::uint64_t published = 0, received = 0, acknowledged = 0, connects = 0, takeovers = 0;
  for (const auto& client : clients_) {
    const auto& c = client->counters();
    published += c.published;
    received += c.received;
    acknowledged += c.acknowledged;
    connects += c.connects;
    takeovers += c.takeovers;
    if (!settled(*client)) {
      result.settled = false;
      result.unsettled.push_back(client->spec().id + " " + client->waiting_for());
    }
  }
  result.facts = {{"clients", clients_.size()},      {"messages published", published},
                  {"messages received", received},   {"acknowledgements", acknowledged},
                  {"connects", connects},            {"takeovers by clients", takeovers},
                  {"faults", faults_->begun()},      {"network bursts", world_.network().counters().bursts},
                  {"network bytes", world_.network().counters().bytes}};
  for (const auto& [kind, count] : faults_->by_kind()) result.facts.emplace_back("fault " + kind, count);
  for (const auto& name : world_.node_names())
    if (const env::Handler* handler = world_.node(name).handler()) count(*handler);
  for (const auto& what : counted_order_) result.facts.emplace_back("nodes: " + what, counted_[what]);
  if (inside_.counters) {
    history_.facts.dropped = counted_["dropped"];
    history_.facts.dropped_full = counted_["dropped: queue full"];
    history_.facts.dropped_too_large = counted_["dropped: too large"];
    history_.facts.dropped_qos_0 = counted_["dropped: QoS 0"];
  }
  history_.facts.disks_lost = faults_->disks_lost();
  for (const auto& [situation, by_node] : world_.situations()) {
    for (const auto& [node, count] : by_node) result.situations[situation] += count;
  }
}

RunResult Runner::run() {
  RunResult result;
  result.scenario = scenario_.name;
  result.seed = scenario_.seed;
  result.mutant = options_.mutant.empty() ? scenario_.mutant : options_.mutant;
  world_.trace().keep_from = options_.trace ? env::Level::debug : env::Level::error;
  if (options_.trace_messages) world_.trace().keep_all();
  build_nodes();
  build_clients();
  build_probes();
  build_wires();
  faults_ = std::make_unique<Faults>(world_, scenario_, view(), by_id_,
                                     [this](const std::string& a, const std::string& b) { return base_wire(a, b); });
  world_.set_on_down([this](const env::Handler& handler) { count(handler); });
  world_.start_all();
  for (const auto& client : clients_) client->start();
  faults_->schedule();
  if (advance(scenario_.heal_at.count())) {
    faults_->heal();
    world_.note(Event::Kind::healed, "");
    history_.facts.healed_at = world_.now();
    for (const auto& client : clients_) client->come_back();
    settle();
  }
  if (!stopped_) collect_copies();  // cut short by a limit: nobody promised equal copies yet
  probe();
  world_.note(Event::Kind::ended, "");
  history_.facts.ended_at = world_.now();
  finish(result);
  if (stopped_) result.settled = false;
  result.digest = world_.digest().value();
  result.checkpoints = world_.digest().checkpoints();
  result.events = world_.events();
  result.virtual_time = world_.now();
  if (options_.trace) result.trace = world_.trace().print();
  result.verdicts = all_verdicts(history_);
  result.history = std::move(history_);
  result.failed_expectations = failed_expectations(scenario_, result);
  return result;
}

}  // namespace

RunResult run_scenario(const Scenario& scenario, const Inside& inside, const RunOptions& options) {
  return Runner(scenario, inside, options).run();
}

}  // namespace hf::sim
