// A simulated disk: durable rows, group commit that takes time, and every way a disk fails.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "broker/base/time.hpp"
#include "broker/env/storage.hpp"
#include "sim/kernel/draws.hpp"
#include "sim/kernel/scheduler.hpp"

namespace hf::sim {

struct DiskOptions {
  Duration write = 20us;             ///< a batch
  Duration fsync = 1ms;              ///< a group of batches
  bool fsync_varies = false;         ///< exponential with mean `fsync`, at most 100 times it
  Duration read = 100us;
  std::uint64_t bytes_per_second = 0;  ///< 0: unlimited
  std::uint64_t capacity = 0;          ///< bytes of rows; 0: unlimited
  std::uint64_t slow_factor = 1;       ///< multiplies every time
};

/// What a crash leaves of what was not yet reported durable.
enum class CrashMode : std::uint8_t {
  keep,           ///< kill -9: the group being synced survives
  lose_unsynced,  ///< power loss: none of it
  torn,           ///< power loss: a drawn prefix of the group being synced; batches are atomic
};

/// Told of completions; the last of an event is followed by disk_done().
class DiskUser {
 public:
  virtual void committed(env::CommitId id, env::CommitStatus status) = 0;
  virtual void rows_read(env::ReadId id, std::vector<env::Row> rows, env::ReadStatus status) = 0;
  virtual void disk_done() = 0;

 protected:
  ~DiskUser() = default;
};

/// Invariants:
///  D1 commits complete in the order they were made;
///  D2 a commit reported `done` survives every crash, unless the disk lies;
///  D3 after a commit that failed every later one fails, until the process is started anew;
///  D4 a batch is in the rows entirely or not at all.
class Disk final : public Actor {
 public:
  Disk(Scheduler& scheduler, DrawSequence& draws, DiskUser& user)
      : scheduler_(scheduler), draws_(draws), user_(user) {}

  void commit(env::Batch batch, env::CommitId id);
  void read(std::string begin, std::string end, std::size_t limit, env::ReadId id);
  /// The process is gone: nothing more completes, and `mode` says what the rows are now.
  void crash(CrashMode mode);
  void wipe();

  DiskOptions options;         ///< may be changed at any time
  bool failing_writes = false;  ///< every commit from here on fails with an I/O error
  bool failing_reads = false;
  bool corrupt = false;         ///< reads find a checksum wrong

  /// Nothing completes while it hangs.
  void hang(bool hanging);
  /// A lying disk reports `done` and keeps nothing through a power loss until it is honest again.
  void lie(bool lying);

  [[nodiscard]] const std::map<std::string, std::string>& rows() const { return rows_; }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }
  [[nodiscard]] std::size_t queued() const { return group_.size() + waiting_.size(); }
  void act(std::uint32_t kind, std::uint64_t a, std::uint64_t b) override;

 private:
  struct Commit {
    env::Batch batch;
    env::CommitId id;
  };
  struct Read {
    std::string begin, end;
    std::size_t limit;
    env::ReadId id;
  };
  void start_group();
  void finish_group();
  void finish_read();
  env::CommitStatus apply(const env::Batch& batch);
  void apply_change(const env::Batch::Change& change);
  void recount();
  void later(std::uint32_t kind, Duration time);

  Scheduler& scheduler_;
  DrawSequence& draws_;
  DiskUser& user_;
  std::map<std::string, std::string> rows_;
  std::optional<std::map<std::string, std::string>> honest_;  ///< what a power loss would leave
  std::deque<Commit> waiting_, group_;
  std::deque<Read> reads_;
  std::uint64_t bytes_ = 0;
  std::optional<env::CommitStatus> broken_;
  bool hanging_ = false, group_due_ = false;
  std::vector<std::uint32_t> held_;  ///< completions that came while it hung
  std::uint64_t epoch_ = 0;          ///< completions of an earlier one are void
};

}  // namespace hf::sim
