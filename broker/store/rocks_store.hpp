// Durable storage on RocksDB: commits in groups and range reads, on a thread of its own.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "broker/base/result.hpp"
#include "broker/env/storage.hpp"

namespace hf::store {

/// Where answers go. Both are called on the store's thread, one call at a time; they must not block and
/// must not call back into the store.
struct Answers {
  /// All of one group, in the order the commits were made.
  std::function<void(std::vector<env::CommitId>, env::CommitStatus)> committed;
  std::function<void(env::ReadId, std::vector<env::Row>, env::ReadStatus)> rows;
};

struct Commit {
  env::CommitId id = 0;
  env::Batch batch;
};

/// One process's data directory. Invariants:
///  (1) commits become durable in the order they were given; a group is one synced write, so what a crash
///      leaves is a prefix;
///  (2) after the first failed write no commit succeeds, and none is tried (fsyncgate, see storage.hpp);
///  (3) the directory is locked: a second process, or a second store in this one, is turned away;
///  (4) a read sees every commit that completed before the read was asked for.
class RocksStore {
 public:
  /// Makes the directory where it is missing. An error is a sentence for the operator.
  static Result<std::unique_ptr<RocksStore>> open(const std::string& path, Answers answers);

  RocksStore(const RocksStore&) = delete;
  RocksStore& operator=(const RocksStore&) = delete;
  /// Ends the thread after the group under way; what was still queued is dropped, unanswered.
  ~RocksStore();

  /// Queues commits. May be called from any one thread; never waits for the disk.
  void commit(std::vector<Commit> commits);
  /// Queues a read of up to `limit` rows with begin <= key < end.
  void read(std::string begin, std::string end, std::size_t limit, env::ReadId id);

 private:
  class Worker;
  explicit RocksStore(std::unique_ptr<Worker> worker);

  std::unique_ptr<Worker> worker_;
};

}  // namespace hf::store
