// Start of a node: a new boot number on disk first, then everything stored is read back.
#include "broker/node/parts.hpp"

namespace hf::node {

namespace {
const std::string boot_key = "B";
constexpr std::size_t rows_per_read = 1000;
}  // namespace

void ShardParts::begin_boot() {
  started = env.now();
  if (config.members.empty()) config.members.push_back({config.id, "n" + std::to_string(config.id), "", ""});
  self.node = config.id;
  env.read(boot_key, boot_key + '\0', 1, next_read_++);
}

void ShardParts::rows_read(env::ReadId, std::vector<env::Row> rows, env::ReadStatus status) {
  if (status != env::ReadStatus::done)
    return env.die(status == env::ReadStatus::corrupt ? "stored data is corrupt: restore this node's disk, or wipe it and let "
                                                        "the other replicas fill it"
                                                      : "stored data cannot be read");
  if (phase == Phase::reading_boot) {
    const std::uint64_t last = rows.empty() ? 0 : replica::from_big_endian(rows.front().value);
    if (last + 1 >= 1U << boot_bits) return env.die("this node has started too often: join it under a new node id");
    self.boot = static_cast<std::uint32_t>(last + 1);
    phase = Phase::writing_boot;
    batch.put(boot_key, replica::big_endian(self.boot, 4));
    after_commit([this] {
      phase = Phase::loading;
      clock.emplace(self);
      (void)stamp();
      slots.configure();
      coordinator.start();
      read_on("F");
    });
    return;
  }
  for (const env::Row& row : rows)
    if (!load(row)) return env.die("stored row " + row.key.substr(0, 1) + " is damaged: wipe this node's disk and let the "
                                   "other replicas fill it");
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
