// Start of a node: a new boot number on disk first, then everything stored is read back.
#include "broker/node/parts.hpp"

namespace hf::node {

namespace {
const std::string folder_key = "A";
const std::string boot_key = "B";
constexpr std::size_t rows_per_read = 1000;
constexpr std::uint64_t boot_epoch_ms = 1'577'836'800'000;  ///< 2020-01-01
constexpr std::uint64_t boot_step_ms = 8'000;               ///< 2^boot_bits of them are 17 years

/// Of a node whose disk is empty. It may have had another disk, with boot numbers that others know: so the first one is
/// drawn from the clock, and is above those unless it was started more often than every eight seconds.
std::uint64_t first_boot(std::uint64_t wall_ms) {
  const std::uint64_t steps = wall_ms > boot_epoch_ms ? (wall_ms - boot_epoch_ms) / boot_step_ms : 0;
  return 1 + steps % ((1U << boot_bits) - (1U << 20U));
}

std::string described(std::uint32_t node, const std::string& cluster, std::uint32_t slots) {
  return "node " + std::to_string(node) + " of cluster \"" + cluster + "\" with " + std::to_string(slots) + " slots";
}
}  // namespace

void ShardParts::begin_boot() {
  started = env.now();
  if (config.members.empty()) config.members.push_back({config.id, "n" + std::to_string(config.id), "", ""});
  self.node = config.id;
  env.read(folder_key, boot_key + '\0', 2, next_read_++);
}

/// Why this data folder cannot be ours.
std::optional<std::string> ShardParts::not_our_folder(const std::string& stored) const {
  pb::Folder folder;
  if (!folder.ParseFromString(stored)) return "stored row A is damaged";
  if (folder.node() == config.id && folder.cluster() == config.cluster_name && folder.slots() == config.slots) return std::nullopt;
  return "the data folder belongs to " + described(folder.node(), folder.cluster(), folder.slots()) + "; expected one of " +
         described(config.id, config.cluster_name, config.slots) + ": correct the settings, or name another folder";
}

void ShardParts::choose_boot(const std::vector<env::Row>& rows) {
  std::uint64_t last = 0;
  bool named = false;
  for (const env::Row& row : rows) {
    if (row.key == boot_key) last = replica::from_big_endian(row.value);
    if (row.key != folder_key) continue;
    named = true;
    if (const auto why = not_our_folder(row.value)) return env.die(*why);
  }
  const std::uint64_t boot = last == 0 && !config.mutant.is("wiped_counts_from_one") ? first_boot(env.wall_ms()) : last + 1;
  if (boot >= 1U << boot_bits) return env.die("this node has started too often: join it under a new node id");
  self.boot = static_cast<std::uint32_t>(boot);
  phase = Phase::writing_boot;
  if (!named) {
    pb::Folder folder;
    folder.set_node(config.id);
    folder.set_cluster(config.cluster_name);
    folder.set_slots(config.slots);
    batch.put(folder_key, folder.SerializeAsString());
  }
  batch.put(boot_key, replica::big_endian(self.boot, 4));
  after_commit([this] {
    phase = Phase::loading;
    clock.emplace(self);
    (void)stamp();
    slots.configure();
    coordinator.start();
    read_on("F");
  });
}

void ShardParts::rows_read(env::ReadId, std::vector<env::Row> rows, env::ReadStatus status) {
  if (status != env::ReadStatus::done)
    return env.die(status == env::ReadStatus::corrupt ? "stored data is corrupt: restore this node's disk, or start it with an empty "
                                                        "folder and let the other replicas fill it"
                                                      : "stored data cannot be read");
  if (phase == Phase::reading_boot) return choose_boot(rows);
  for (const env::Row& row : rows)
    if (!load(row)) return env.die("stored row " + row.key.substr(0, 1) + " is damaged: start this node with an empty "
                                   "folder and let the other replicas fill it");
  if (rows.size() == rows_per_read) return read_on(rows.back().key + '\0');
  become_serving();
}

void ShardParts::read_on(std::string begin) { env.read(std::move(begin), "T", rows_per_read, next_read_++); }

bool ShardParts::load(const env::Row& row) {
  if (row.key.size() < 5) return false;
  const char kind = row.key[0];
  if (kind == 'H') return hints.load(row.key, row.value);
  const auto id = static_cast<SlotId>(replica::from_big_endian(std::string_view(row.key).substr(1, 4)));
  if (id >= config.slots) return false;
  replica::SlotReplica& held = slots.ensure_held(id);
  const std::string_view rest = std::string_view(row.key).substr(5);
  if (kind == 'P') return held.load_promise(row.value);
  if (kind == 'S') return held.load_row(rest, row.value);
  if (kind == 'L') return held.load_log(replica::from_big_endian(rest), row.value);
  if (kind != 'F' || row.value.size() < 8) return false;
  slot::pb::VersionVector floor;
  if (!floor.ParseFromString(row.value.substr(8))) return false;
  held.load_floor(replica::from_big_endian(std::string_view(row.value).substr(0, 8)), slot::from_pb(floor));
  return true;
}

void ShardParts::become_serving() {
  for (SlotId id = 0; id < config.slots; ++id) {
    auto* held = slots.held(id);
    if (held == nullptr) continue;
    if (!held->finish_loading()) return env.die("stored slot " + std::to_string(id) + " contradicts itself");
    clock->observe(std::max(slot::latest(held->state()).time, held->promised().time));
  }
  cluster::Settings settings;
  settings.self = self.node;
  settings.boot = self.boot;
  settings.process = env.random() | 1U;
  settings.slots = config.slots;
  settings.replicas = config.replicas;
  settings.cluster_name = config.cluster_name;
  for (const MemberConfig& m : config.members) settings.members.push_back({m.id, m.name, m.address, m.zone});
  settings.heartbeat_every = config.heartbeat_every;
  settings.detect_after = config.detect_after;
  settings.max_clock_drift = config.max_clock_drift;
  settings.max_outbox_bytes = config.max_outbox_bytes;
  cluster.emplace(std::move(settings), env.random());
  cluster->set_wall(env.wall_ms());
  cluster->start(env.now(), cluster_out);
  phase = Phase::serving;
  presence.start();
  slots.start();
  for (const SlotId slot : {local_slot()}) coordinator.begin_serving(slot);
  env.log({env::Level::info, "node " + std::to_string(self.node) + " boot " + std::to_string(self.boot) + " has read its data"});
}

}  // namespace hf::node
