// RocksStore: order, groups, locks, damage, and a disk that fails once and for all.
#include "broker/store/rocks_store.hpp"

#include <chrono>
#include <condition_variable>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <mutex>


#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace hf::store {
namespace {

using env::CommitStatus;
using env::ReadStatus;

class Directory {
 public:
  Directory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "hf-store-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;
  ~Directory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] std::string path(const std::string& name = "data") const { return path_ + "/" + name; }

 private:
  std::string path_;
};

/// Collects answers, and waits for them.
class Collector {
 public:
  Answers answers() {
    return {[this](std::vector<env::CommitId> ids, CommitStatus status) {
              const std::lock_guard lock(mutex_);
              ++groups_;
              for (const auto id : ids) commits_.emplace_back(id, status);
              wake_.notify_all();
            },
            [this](env::ReadId id, std::vector<env::Row> rows, ReadStatus status) {
              const std::lock_guard lock(mutex_);
              rows_ = std::move(rows);
              read_ = {id, status};
              wake_.notify_all();
            }};
  }
  std::vector<std::pair<env::CommitId, CommitStatus>> commits(std::size_t count) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(wake_.wait_for(lock, std::chrono::seconds(20), [&] { return commits_.size() >= count; }));
    return commits_;
  }
  std::vector<env::Row> rows(env::ReadId id, ReadStatus expected = ReadStatus::done) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(wake_.wait_for(lock, std::chrono::seconds(20), [&] { return read_.first == id; }));
    EXPECT_EQ(read_.second, expected);
    return rows_;
  }
  std::size_t groups() {
    const std::lock_guard lock(mutex_);
    return groups_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<std::pair<env::CommitId, CommitStatus>> commits_;
  std::pair<env::ReadId, ReadStatus> read_{0, ReadStatus::failed};
  std::vector<env::Row> rows_;
  std::size_t groups_ = 0;
};

env::Batch one(const std::string& key, const std::string& value) {
  env::Batch batch;
  batch.put(key, value);
  return batch;
}

CommitStatus put(RocksStore& store, Collector& seen, env::CommitId id, std::size_t bytes = 10) {
  std::vector<Commit> commits;
  commits.push_back({id, one("key" + std::to_string(id), std::string(bytes, 'v'))});
  store.commit(std::move(commits));
  return seen.commits(id).at(id - 1).second;
}

TEST(RocksStore, commits_in_order_and_in_groups) {
  const Directory directory;
  Collector seen;
  auto store = RocksStore::open(directory.path(), seen.answers());
  ASSERT_TRUE(store) << store.error().text;
  constexpr env::CommitId count = 5000;
  for (env::CommitId id = 1; id <= count; ++id) {
    std::vector<Commit> commits;
    commits.push_back({id, one("k", std::to_string(id))});
    (*store)->commit(std::move(commits));
  }
  const auto commits = seen.commits(count);
  ASSERT_EQ(commits.size(), count);
  for (env::CommitId id = 1; id <= count; ++id) {
    EXPECT_EQ(commits[id - 1], (std::pair{id, CommitStatus::done}));
  }
  EXPECT_LT(seen.groups(), count / 2) << "no group commit";
  (*store)->read("", "z", 10, 1);
  EXPECT_EQ(seen.rows(1), (std::vector<env::Row>{{"k", std::to_string(count)}}));
}

TEST(RocksStore, keeps_data_and_makes_missing_directories) {
  const Directory directory;
  for (env::CommitId round = 1; round <= 3; ++round) {
    Collector seen;
    auto store = RocksStore::open(directory.path("deep/er/data"), seen.answers());
    ASSERT_TRUE(store) << store.error().text;
    (*store)->read("", "z", 10, 1);
    EXPECT_EQ(seen.rows(1).size(), round - 1);
    std::vector<Commit> commits;
    commits.push_back({1, one("round" + std::to_string(round), "")});
    (*store)->commit(std::move(commits));
    EXPECT_EQ(seen.commits(1)[0].second, CommitStatus::done);
  }
}

TEST(RocksStore, a_second_store_is_turned_away) {
  const Directory directory;
  Collector seen;
  auto store = RocksStore::open(directory.path(), seen.answers());
  ASSERT_TRUE(store) << store.error().text;
  auto second = RocksStore::open(directory.path(), seen.answers());
  ASSERT_FALSE(second);
  EXPECT_NE(second.error().text.find("in use by another process"), std::string::npos)
      << second.error().text;
  store->reset();
  EXPECT_TRUE(RocksStore::open(directory.path(), seen.answers()));
}

TEST(RocksStore, a_file_in_the_place_of_the_directory_is_named) {
  const Directory directory;
  std::ofstream(directory.path()) << "a file";
  Collector seen;
  auto store = RocksStore::open(directory.path(), seen.answers());
  ASSERT_FALSE(store);
  EXPECT_NE(store.error().text.find(directory.path()), std::string::npos) << store.error().text;
}

TEST(RocksStore, damage_in_the_middle_refuses_to_open) {
  const Directory directory;
  {
    Collector seen;
    auto store = RocksStore::open(directory.path(), seen.answers());
    ASSERT_TRUE(store) << store.error().text;
    for (env::CommitId id = 1; id <= 50; ++id) ASSERT_EQ(put(**store, seen, id, 200), CommitStatus::done);
  }
  for (const auto& file : std::filesystem::directory_iterator(directory.path())) {
    if (file.path().extension() != ".log") continue;
    std::fstream log(file.path(), std::ios::in | std::ios::out | std::ios::binary);
    log.seekp(3000);
    log << "FLIPPED";
  }
  Collector seen;
  auto store = RocksStore::open(directory.path(), seen.answers());
  ASSERT_FALSE(store);
  EXPECT_NE(store.error().text.find("is corrupt"), std::string::npos) << store.error().text;
}

TEST(RocksStore, after_a_failed_write_nothing_succeeds) {
  const Directory directory;
  Collector seen;
  auto store = RocksStore::open(directory.path(), seen.answers());
  ASSERT_TRUE(store) << store.error().text;
  ASSERT_EQ(put(**store, seen, 1), CommitStatus::done);
  // A limit on file sizes is the failing disk; SIGXFSZ would kill us.
  const auto before = std::signal(SIGXFSZ, SIG_IGN);
  rlimit old{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &old), 0);
  rlimit small = old;
  small.rlim_cur = 16 * 1024;
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  EXPECT_NE(put(**store, seen, 2, 256 * 1024), CommitStatus::done);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &old), 0);
  std::signal(SIGXFSZ, before);
  EXPECT_NE(put(**store, seen, 3), CommitStatus::done) << "the disk is well again, and not believed";
}

TEST(RocksStore, dies_with_work_queued_and_comes_back_with_a_prefix) {
  const Directory directory;
  constexpr env::CommitId count = 20000;
  {
    Collector seen;
    auto store = RocksStore::open(directory.path(), seen.answers());
    ASSERT_TRUE(store) << store.error().text;
    for (env::CommitId id = 1; id <= count; ++id) {
      std::vector<Commit> commits;
      std::string number = std::to_string(id);
      number.insert(0, 6 - number.size(), '0');
      commits.push_back({id, one(number, std::string(100, 'v'))});
      (*store)->commit(std::move(commits));
    }
  }
  Collector seen;
  auto store = RocksStore::open(directory.path(), seen.answers());
  ASSERT_TRUE(store) << store.error().text;
  (*store)->read("", "z", 2 * count, 1);
  const auto rows = seen.rows(1);
  for (std::size_t i = 0; i < rows.size(); ++i) ASSERT_EQ(std::stoul(rows[i].key), i + 1);
}

}  // namespace
}  // namespace hf::store
