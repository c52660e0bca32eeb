// Faults and nemeses: kinds, targets, times.
#include <algorithm>
#include <array>

#include "sim/scenario/parse_parts.hpp"
#include "sim/scenario/targets.hpp"

namespace hf::sim {

namespace {

struct KindName {
  FaultKind kind;
  std::string_view name;
};
constexpr std::array<KindName, 14> kinds = {{{FaultKind::partition, "partition"},
                                             {FaultKind::link, "link"},
                                             {FaultKind::flap, "flap"},
                                             {FaultKind::reset_peer, "reset_peer"},
                                             {FaultKind::crash, "crash"},
                                             {FaultKind::restart, "restart"},
                                             {FaultKind::wipe, "wipe"},
                                             {FaultKind::pause, "pause"},
                                             {FaultKind::resume, "resume"},
                                             {FaultKind::clock_skew, "clock_skew"},
                                             {FaultKind::disk_full, "disk_full"},
                                             {FaultKind::client, "client"},
                                             {FaultKind::clog, "clog"},
                                             {FaultKind::blackhole, "blackhole"}}};

const std::vector<std::string> later = {
    "unclog", "swizzle", "half_close", "slow_close", "slicer", "hang", "slow_node", "clock_drift",
    "clock_strobe", "disk_error", "fsync_fail", "fsync_lie", "torn_write", "bitrot", "slow_disk",
    "disk_hang", "add_node", "remove_node", "replace_node", "drain", "rolling_upgrade", "rollback",
    "config_change"};

FaultKind read_kind(Reader& reader, std::string_view field, const std::string& word) {
  if (const auto kind = fault_kind(word)) return *kind;
  if (std::find(later.begin(), later.end(), word) != later.end()) {
    reader.fail(field, word + " is not supported yet");
  }
  std::vector<std::string> known = later;
  for (const auto& row : kinds) known.emplace_back(row.name);
  const std::string near = nearest(word, known);
  reader.fail(field, "unknown fault \"" + word + "\"" + (near.empty() ? "" : "; did you mean \"" + near + "\"?"));
}

void check_target(Reader& reader, std::string_view field, const std::string& target,
                  const Scenario& scenario, bool clients) {
  const std::string wrong = clients ? wrong_client_target(target, scenario) : wrong_target(target, scenario);
  if (!wrong.empty()) reader.fail(field, wrong);
}

void read_groups(Reader& reader, FaultSpec& fault, const Scenario& scenario) {
  Json* groups = reader.raw("groups");
  if (groups == nullptr) return;
  if (!groups->is_array()) reader.fail("groups", "must be a list of lists of nodes");
  for (const auto& group : *groups) {
    if (!group.is_array()) reader.fail("groups", "must be a list of lists of nodes");
    std::vector<std::string> names;
    for (const auto& name : group) {
      if (!name.is_string()) reader.fail("groups", "must be a list of lists of nodes");
      names.push_back(name.get<std::string>());
      check_target(reader, "groups", names.back(), scenario, false);
    }
    fault.groups.push_back(std::move(names));
  }
}

void read_when(Reader& reader, FaultSpec& fault, const Scenario& scenario) {
  reader.object("when", [&](Reader& r) {
    When when;
    when.reached = r.text("reached");
    when.node = r.text("node");
    if (!when.node.empty()) check_target(r, "node", when.node, scenario, false);
    when.occurrence = static_cast<std::uint64_t>(r.number("occurrence", 1, 1, 1'000'000'000));
    when.after = r.text("after");
    if (when.after.starts_with("fault:")) when.after = when.after.substr(6);
    if (when.after.ends_with(".ended")) {
      when.after.resize(when.after.size() - 6);
      when.ended = true;
    }
    when.delay = r.duration("delay", Duration(0));
    if (when.reached.empty() == when.after.empty()) r.fail("", "needs either \"reached\" or \"after\"");
    if (!when.after.empty() &&
        std::none_of(scenario.faults.begin(), scenario.faults.end(),
                     [&](const FaultSpec& other) { return other.name == when.after; })) {
      r.fail("after", "no fault called \"" + when.after + "\" stands before this one");
    }
    fault.when = std::move(when);
  });
}

void read_fields(Reader& reader, FaultSpec& fault, const Scenario& scenario) {
  switch (fault.kind) {
    case FaultKind::partition:
      read_groups(reader, fault, scenario);
      fault.shape = reader.word("shape", {"", "isolate_one", "halves", "majority", "bridge"}, "");
      if (fault.groups.empty() && fault.shape.empty()) fault.shape = "halves";
      fault.direction = reader.word("direction", {"both", "to", "from"}, "both");
      fault.clients = reader.word("clients", {"with_node", "free", "cut"}, "free");
      break;
    case FaultKind::link:
      fault.wire = read_wire(reader, scenario.network.nodes);
      break;
    case FaultKind::flap:
      fault.up = reader.duration("up", 1s, 1ms);
      fault.down = reader.duration("down", 1s, 1ms);
      fault.count = static_cast<std::uint64_t>(reader.number("count", 3, 1, 100'000));
      break;
    case FaultKind::crash:
      fault.disk = reader.word("disk", {"keep", "lose_unsynced", "torn"}, "lose_unsynced");
      break;
    case FaultKind::clock_skew:
      fault.offset = reader.duration("offset", Duration(0), -24h, 24h);
      break;
    case FaultKind::client:
      fault.action = reader.text("action", "drop");
      if (fault.action == "stop_acks" || fault.action == "slow_read" || fault.action == "garbage") {
        reader.fail("action", fault.action + " is not supported yet");
      }
      fault.action = reader.word("action", {"drop", "takeover", "disconnect"}, "drop");
      break;
    default:
      break;
  }
}

}  // namespace

std::string_view name(FaultKind kind) {
  for (const auto& row : kinds) {
    if (row.kind == kind) return row.name;
  }
  return "?";
}

std::optional<FaultKind> fault_kind(std::string_view word) {
  for (const auto& row : kinds) {
    if (row.name == word) return row.kind;
  }
  return std::nullopt;
}

void read_fault(Reader& reader, Scenario& scenario) {
  FaultSpec fault;
  fault.name = reader.text("name", "f" + std::to_string(scenario.faults.size() + 1));
  for (const auto& other : scenario.faults) {
    if (other.name == fault.name) reader.fail("name", "two faults are called " + fault.name);
  }
  fault.kind = read_kind(reader, "do", reader.text("do"));
  if (reader.has("at") && reader.has("when")) reader.fail("when", "either \"at\" or \"when\"");
  fault.at = reader.duration("at", Duration(0));
  read_when(reader, fault, scenario);
  if (reader.has("for")) fault.lasts = reader.duration("for", Duration(0), Duration(1));
  read_fields(reader, fault, scenario);
  const bool clients = fault.kind == FaultKind::client;
  if (clients && reader.has("group")) {
    fault.on = "clients:" + reader.text("group");
  } else {
    fault.on = reader.text("on", fault.kind == FaultKind::partition ? "all" : "one");
  }
  check_target(reader, "on", fault.on, scenario, clients);
  scenario.faults.push_back(std::move(fault));
}

void read_nemesis(Reader& reader, Scenario& scenario) {
  static const std::vector<FaultKind> fit = {FaultKind::partition, FaultKind::crash, FaultKind::pause,
                                             FaultKind::link,      FaultKind::flap,  FaultKind::reset_peer,
                                             FaultKind::clog,      FaultKind::blackhole, FaultKind::client};
  NemesisSpec nemesis;
  nemesis.name = reader.text("name", "nemesis-" + std::to_string(scenario.nemesis.size() + 1));
  for (const auto& word : reader.words("kind")) {
    const FaultKind kind = read_kind(reader, "kind", word);
    if (std::find(fit.begin(), fit.end(), kind) == fit.end()) {
      reader.fail("kind", word + " is not supported yet in a nemesis");
    }
    nemesis.kinds.push_back(kind);
  }
  if (nemesis.kinds.empty()) reader.fail("kind", "must name a fault");
  nemesis.every = reader.drawn_duration("every", Drawn::fixed(6'000'000'000), 1ms);
  nemesis.lasts = reader.drawn_duration("for", Drawn::fixed(3'000'000'000), 1ms);
  nemesis.on = reader.text("on", "one");
  check_target(reader, "on", nemesis.on, scenario, false);
  nemesis.from = reader.duration("from", Duration(0));
  if (reader.has("until")) nemesis.until = reader.duration("until", Duration(0));
  nemesis.max_concurrent = static_cast<std::uint64_t>(reader.number("max_concurrent", 1, 1, 1000));
  if (reader.has("disk")) nemesis.disks = reader.words("disk");
  for (const auto& disk : nemesis.disks) {
    if (disk != "keep" && disk != "lose_unsynced" && disk != "torn") {
      reader.fail("disk", "\"" + disk + "\" is none of keep, lose_unsynced, torn");
    }
  }
  reader.not_yet({"budget", "swarm"});
  scenario.nemesis.push_back(std::move(nemesis));
}

}  // namespace hf::sim
