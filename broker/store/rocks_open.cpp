// Opening the database: the directory, RocksDB's settings, and errors an operator can act on.
#include "broker/store/rocks_open.hpp"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

#include <rocksdb/cache.h>
#include <rocksdb/options.h>
#include <rocksdb/table.h>

namespace hf::store {
namespace {

constexpr std::size_t mebibyte = 1024 * 1024;

rocksdb::Options settings() {
  rocksdb::Options options;
  options.create_if_missing = true;
  // Small on purpose: the broker's own memory limits are what an operator plans with.
  options.max_background_jobs = 2;
  options.write_buffer_size = 16 * mebibyte;
  options.max_write_buffer_number = 3;
  options.db_write_buffer_size = 48 * mebibyte;
  options.max_total_wal_size = 64 * mebibyte;
  options.max_open_files = 256;
  options.compression = rocksdb::kLZ4Compression;
  options.level_compaction_dynamic_level_bytes = true;
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache(32 * mebibyte);
  table.checksum = rocksdb::kXXH3;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  // A flipped bit must show, and only an unfinished last record may vanish (the default recovery would
  // silently drop acknowledged commits behind a damaged one).
  options.paranoid_checks = true;
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  options.max_bgerror_resume_count = 0;  // a failed disk is never believed again
  // A log of its own that stays small, and no statistics thread.
  options.info_log_level = rocksdb::WARN_LEVEL;
  options.keep_log_file_num = 4;
  options.max_log_file_size = 4 * mebibyte;
  options.stats_dump_period_sec = 0;
  options.stats_persist_period_sec = 0;
  options.avoid_flush_during_shutdown = true;  // the log is synced: nothing to save at exit
  return options;
}

/// The entry of a new directory is durable only when its parent has been synced.
void sync_directory(const std::filesystem::path& path) {
  const int handle = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (handle < 0) return;
  static_cast<void>(::fsync(handle));
  static_cast<void>(::close(handle));
}

Result<void> make_directory(const std::string& path) {
  std::error_code error;
  const std::filesystem::path directory = std::filesystem::absolute(path, error);
  if (std::filesystem::create_directories(directory, error)) {
    sync_directory(directory.parent_path());
  }
  if (error) {
    return fail(Blame::disk, "cannot create data directory '" + path + "': " + error.message());
  }
  if (!std::filesystem::is_directory(directory, error)) {
    return fail(Blame::user, "data directory '" + path + "' is not a directory");
  }
  if (::access(directory.c_str(), R_OK | W_OK | X_OK) != 0) {
    return fail(Blame::disk, "data directory '" + path + "' is not writable: " + std::strerror(errno));
  }
  return {};
}

Error explain(const std::string& path, const rocksdb::Status& status) {
  const std::string where = "data directory '" + path + "' ";
  const std::string detail = " (" + status.ToString() + ")";
  const std::string text = status.ToString();
  if (text.find("lock ") != std::string::npos && status.IsIOError()) {
    return {Blame::user, where + "is in use by another process: stop it, or give this one a "
                                 "directory of its own" + detail};
  }
  if (status.IsNoSpace() || text.find("No space left") != std::string::npos) {
    return {Blame::disk, where + "has no space left: free some, and start again" + detail};
  }
  if (status.IsCorruption()) {
    return {Blame::disk, where + "is corrupt. Nothing was changed. In a cluster, move it away: the node "
                                 "gets its data back from the other replicas" + detail};
  }
  if (text.find("ermission denied") != std::string::npos ||
      text.find("ead-only file system") != std::string::npos) {
    return {Blame::disk, where + "is not writable" + detail};
  }
  return {Blame::disk, where + "cannot be opened" + detail};
}

}  // namespace

Result<std::unique_ptr<rocksdb::DB>> open_database(const std::string& path) {
  if (auto made = make_directory(path); !made) return tl::make_unexpected(made.error());
  rocksdb::DB* database = nullptr;
  const rocksdb::Status status = rocksdb::DB::Open(settings(), path, &database);
  if (!status.ok()) return tl::make_unexpected(explain(path, status));
  return std::unique_ptr<rocksdb::DB>(database);
}

}  // namespace hf::store
