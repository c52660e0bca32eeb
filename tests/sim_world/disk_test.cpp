// The disk: order, group commit, what crashes leave, how it fails.
#include "sim/world/disk.hpp"

#include <gtest/gtest.h>

#include <set>

namespace hf::sim {
namespace {

struct Bench final : DiskUser {
  void committed(env::CommitId id, env::CommitStatus status) override { done.emplace_back(id, status); }
  void rows_read(env::ReadId, std::vector<env::Row> read, env::ReadStatus status) override {
    rows = std::move(read);
    read_status = status;
  }
  void disk_done() override { ++turns; }
  void put(const std::string& key, env::CommitId id, const std::string& value = "v") {
    env::Batch batch;
    batch.put(key, value);
    batch.put(key + "'", value);
    disk.commit(std::move(batch), id);
  }
  void run(Duration time) { scheduler.run_until(scheduler.now() + time.count()); }

  explicit Bench(std::uint64_t seed = 1) : draws(seed) {}
  Scheduler scheduler;
  DrawSequence draws;
  Disk disk{scheduler, draws, *this};
  std::vector<std::pair<env::CommitId, env::CommitStatus>> done;
  std::vector<env::Row> rows;
  env::ReadStatus read_status{};
  int turns = 0;
};

using Done = std::vector<std::pair<env::CommitId, env::CommitStatus>>;
constexpr auto ok = env::CommitStatus::done;

TEST(Disk, CommitsInGroupsAndInOrder) {
  Bench bench;
  bench.put("a", 1);
  bench.put("b", 2);  // waits for the group of 1
  bench.put("c", 3);
  bench.run(1020us);
  EXPECT_EQ(bench.done, (Done{{1, ok}}));
  bench.run(1040us);
  EXPECT_EQ(bench.done, (Done{{1, ok}, {2, ok}, {3, ok}}));
  EXPECT_EQ(bench.turns, 2);
  EXPECT_EQ(bench.disk.rows().size(), 6U);
  EXPECT_EQ(bench.disk.bytes(), 15U);
}

TEST(Disk, ReadsSeeOnlyWhatIsDurable) {
  Bench bench;
  bench.put("a", 1);
  bench.disk.read("", "z", 10, 1);
  bench.run(200us);
  EXPECT_TRUE(bench.rows.empty());
  bench.run(1s);
  bench.disk.read("a", "z", 1, 2);
  bench.run(200us);
  EXPECT_EQ(bench.rows, (std::vector<env::Row>{{"a", "v"}}));
}

TEST(Disk, CrashModes) {
  const auto left = [](CrashMode mode, std::uint64_t seed = 1) {
    Bench bench(seed);
    bench.put("a", 1);
    bench.run(10ms);
    bench.put("b", 2);  // being synced
    bench.put("c", 3);  // waiting
    bench.run(100us);
    bench.disk.crash(mode);
    bench.run(1s);
    EXPECT_EQ(bench.done, (Done{{1, ok}}));
    std::string keys;
    for (const auto& [key, value] : bench.disk.rows()) keys += key;
    return keys;
  };
  EXPECT_EQ(left(CrashMode::keep), "aa'bb'");
  EXPECT_EQ(left(CrashMode::lose_unsynced), "aa'");
  std::set<std::string> torn;
  for (std::uint64_t seed = 1; seed < 30; ++seed) torn.insert(left(CrashMode::torn, seed));
  EXPECT_EQ(torn, (std::set<std::string>{"aa'", "aa'bb'"}));
}

TEST(Disk, TornKeepsAPrefix) {
  std::set<std::size_t> sizes;
  for (std::uint64_t seed = 1; seed < 60; ++seed) {
    Bench bench(seed);
    bench.put("first", 1);
    for (env::CommitId id = 2; id < 6; ++id) bench.put(std::to_string(id), id);
    bench.run(1100us);  // the group of 2 to 5 is being synced
    bench.disk.crash(CrashMode::torn);
    const std::size_t rows = bench.disk.rows().size();
    sizes.insert(rows);
    EXPECT_EQ(rows % 2, 0U);
    for (std::size_t id = 2; id < rows / 2 + 1; ++id) EXPECT_TRUE(bench.disk.rows().contains(std::to_string(id)));
  }
  EXPECT_EQ(sizes.size(), 5U);
}

TEST(Disk, AFailureIsForGoodUntilTheNextStart) {
  Bench bench;
  bench.disk.failing_writes = true;
  bench.put("a", 1);
  bench.run(10ms);
  bench.disk.failing_writes = false;
  bench.put("b", 2);
  bench.run(10ms);
  EXPECT_EQ(bench.done, (Done{{1, env::CommitStatus::failed}, {2, env::CommitStatus::failed}}));
  bench.disk.crash(CrashMode::keep);
  bench.put("c", 3);
  bench.run(10ms);
  EXPECT_EQ(bench.done.back().second, ok);
}

TEST(Disk, FullAtItsCapacity) {
  Bench bench;
  bench.disk.options.capacity = 50;
  bench.put("a", 1);
  bench.put("b", 2, std::string(40, 'x'));
  bench.run(10ms);
  EXPECT_EQ(bench.done, (Done{{1, ok}, {2, env::CommitStatus::full}}));
  EXPECT_EQ(bench.disk.rows().size(), 2U);
}

TEST(Disk, AHangHoldsAndALieLoses) {
  Bench bench;
  bench.disk.hang(true);
  bench.put("a", 1);
  bench.disk.read("", "z", 5, 1);
  bench.run(10s);
  EXPECT_TRUE(bench.done.empty());
  bench.disk.hang(false);
  bench.run(1ms);
  EXPECT_EQ(bench.done, (Done{{1, ok}}));
  bench.disk.lie(true);
  bench.put("b", 2);
  bench.run(10ms);
  EXPECT_EQ(bench.done.back(), std::pair(env::CommitId{2}, ok));
  bench.disk.crash(CrashMode::lose_unsynced);
  EXPECT_FALSE(bench.disk.rows().contains("b"));
  EXPECT_TRUE(bench.disk.rows().contains("a"));
  EXPECT_EQ(bench.disk.bytes(), 5U);
}

TEST(Disk, ReadsCanFail) {
  Bench bench;
  bench.disk.corrupt = true;
  bench.disk.read("", "z", 5, 1);
  bench.run(1ms);
  EXPECT_EQ(bench.read_status, env::ReadStatus::corrupt);
  bench.disk.wipe();
  bench.disk.failing_reads = true;
  bench.disk.read("", "z", 5, 2);
  bench.run(1ms);
  EXPECT_EQ(bench.read_status, env::ReadStatus::failed);
}

}  // namespace
}  // namespace hf::sim
