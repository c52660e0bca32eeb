// The store's thread: takes what has queued up, writes it as one synced group, then answers reads.
#include "broker/store/rocks_store.hpp"

#include <condition_variable>
#include <iterator>
#include <mutex>
#include <thread>
#include <utility>

#include <pthread.h>

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include "broker/store/rocks_open.hpp"

namespace hf::store {
namespace {

/// A group is closed at this size, so that one slow sync does not hold everybody.
constexpr std::size_t group_bytes_max = 4 * 1024 * 1024;

rocksdb::Slice slice(const std::string& text) { return {text.data(), text.size()}; }

rocksdb::Status append(rocksdb::WriteBatch& group, const env::Batch::Change& change) {
  using Kind = env::Batch::Change::Kind;
  switch (change.kind) {
    case Kind::put: return group.Put(slice(change.key), slice(change.value));
    case Kind::erase: return group.Delete(slice(change.key));
    case Kind::erase_range:
      if (change.key >= change.value) return rocksdb::Status::OK();  // RocksDB would object
      return group.DeleteRange(slice(change.key), slice(change.value));
  }
  return rocksdb::Status::InvalidArgument("unknown kind of change");
}

env::CommitStatus status_of(const rocksdb::Status& status) {
  if (status.ok()) return env::CommitStatus::done;
  return status.IsNoSpace() ? env::CommitStatus::full : env::CommitStatus::failed;
}

struct Read {
  std::string begin;
  std::string end;
  std::size_t limit = 0;
  env::ReadId id = 0;
};

}  // namespace

/// Owns the database and the thread. `mutex_` guards the two queues and `leaving_`, nothing else: the
/// database and `broken_` belong to the thread.
class RocksStore::Worker {
 public:
  Worker(std::unique_ptr<rocksdb::DB> database, Answers answers)
      : database_(std::move(database)), answers_(std::move(answers)), thread_([this] { run(); }) {
    pthread_setname_np(thread_.native_handle(), "hf-store");
  }
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  ~Worker() {
    {
      const std::lock_guard lock(mutex_);
      leaving_ = true;
    }
    wake_.notify_one();
    thread_.join();
    if (broken_ == env::CommitStatus::done) {
      static_cast<void>(database_->Close());
    } else {
      // Closing would flush files whose writes failed (Debian's RocksDB asserts on that). The process is
      // about to end; what matters has not been acknowledged.
      static_cast<void>(database_.release());
    }
  }

  void commit(std::vector<Commit> commits) {
    bool idle = false;
    {
      const std::lock_guard lock(mutex_);
      idle = queued_commits_.empty() && queued_reads_.empty();
      if (queued_commits_.empty()) {
        queued_commits_ = std::move(commits);
      } else {
        std::move(commits.begin(), commits.end(), std::back_inserter(queued_commits_));
      }
    }
    if (idle) wake_.notify_one();
  }
  void read(Read job) {
    {
      const std::lock_guard lock(mutex_);
      queued_reads_.push_back(std::move(job));
    }
    wake_.notify_one();
  }

 private:
  void run() {
    while (true) {
      std::vector<Commit> commits;
      std::vector<Read> reads;
      {
        std::unique_lock lock(mutex_);
        wake_.wait(lock, [&] {
          return leaving_ || !queued_commits_.empty() || !queued_reads_.empty();
        });
        if (leaving_) return;
        commits.swap(queued_commits_);
        reads.swap(queued_reads_);
      }
      // Commits first: a read may see more than what had completed when it was asked, never less.
      write_groups(commits);
      for (Read& job : reads) answer(job);
    }
  }

  void write_groups(const std::vector<Commit>& commits) {
    std::size_t next = 0;
    while (next < commits.size()) {
      rocksdb::WriteBatch group;
      std::vector<env::CommitId> ids;
      rocksdb::Status status;
      while (next < commits.size() && status.ok() && group.GetDataSize() < group_bytes_max) {
        for (const auto& change : commits[next].batch.changes) {
          if (status.ok()) status = append(group, change);
        }
        ids.push_back(commits[next++].id);
      }
      answers_.committed(std::move(ids), write(group, status));
    }
  }

  /// Invariant (2): the first failure is kept, and nothing is written after it.
  env::CommitStatus write(rocksdb::WriteBatch& group, rocksdb::Status status) {
    if (broken_ != env::CommitStatus::done) return broken_;
    if (status.ok() && group.Count() > 0) {
      rocksdb::WriteOptions options;
      options.sync = true;
      status = database_->Write(options, &group);
    }
    broken_ = status_of(status);
    return broken_;
  }

  void answer(Read& job) {
    rocksdb::ReadOptions options;
    options.verify_checksums = true;
    const rocksdb::Slice upper = slice(job.end);
    options.iterate_upper_bound = &upper;
    std::vector<env::Row> rows;
    env::ReadStatus result = env::ReadStatus::done;
    if (job.begin < job.end && job.limit > 0) {
      const std::unique_ptr<rocksdb::Iterator> at(database_->NewIterator(options));
      for (at->Seek(slice(job.begin)); at->Valid(); at->Next()) {
        rows.push_back({at->key().ToString(), at->value().ToString()});
        if (rows.size() == job.limit) break;
      }
      if (!at->status().ok()) {
        rows.clear();
        result = at->status().IsCorruption() ? env::ReadStatus::corrupt : env::ReadStatus::failed;
      }
    }
    answers_.rows(job.id, std::move(rows), result);
  }

  std::unique_ptr<rocksdb::DB> database_;
  Answers answers_;
  env::CommitStatus broken_ = env::CommitStatus::done;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<Commit> queued_commits_;
  std::vector<Read> queued_reads_;
  bool leaving_ = false;
  std::thread thread_;  // last: starts when the rest stands
};

Result<std::unique_ptr<RocksStore>> RocksStore::open(const std::string& path, Answers answers) {
  auto database = open_database(path);
  if (!database) return tl::make_unexpected(database.error());
  auto worker = std::make_unique<Worker>(std::move(*database), std::move(answers));
  return std::unique_ptr<RocksStore>(new RocksStore(std::move(worker)));
}

RocksStore::RocksStore(std::unique_ptr<Worker> worker) : worker_(std::move(worker)) {}
RocksStore::~RocksStore() = default;

void RocksStore::commit(std::vector<Commit> commits) {
  if (!commits.empty()) worker_->commit(std::move(commits));
}

void RocksStore::read(std::string begin, std::string end, std::size_t limit, env::ReadId id) {
  worker_->read({std::move(begin), std::move(end), limit, id});
}

}  // namespace hf::store
