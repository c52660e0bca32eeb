// Group commit, reads, and what a crash leaves.
#include "sim/world/disk.hpp"

#include <algorithm>
#include <utility>

namespace hf::sim {
namespace {
constexpr std::uint32_t group_done = 0;
constexpr std::uint32_t read_done = 1;
}  // namespace

void Disk::commit(env::Batch batch, env::CommitId id) {
  waiting_.push_back({std::move(batch), id});
  start_group();
}

void Disk::read(std::string begin, std::string end, std::size_t limit, env::ReadId id) {
  reads_.push_back({std::move(begin), std::move(end), limit, id});
  later(read_done, options.read);
}

void Disk::later(std::uint32_t kind, Duration time) {
  const auto slowed = time.count() * static_cast<std::int64_t>(options.slow_factor);
  scheduler_.schedule(scheduler_.now() + slowed, *this, kind, epoch_);
}

void Disk::start_group() {
  if (group_due_ || waiting_.empty()) return;
  group_.swap(waiting_);
  group_due_ = true;
  Duration time = options.write * static_cast<std::int64_t>(group_.size());
  if (options.bytes_per_second > 0) {
    std::uint64_t bytes = 0;
    for (const Commit& commit : group_) {
      for (const auto& change : commit.batch.changes) bytes += change.key.size() + change.value.size();
    }
    time += Duration(static_cast<std::int64_t>(bytes * 1'000'000'000 / options.bytes_per_second));
  }
  time += options.fsync_varies ? draws_.exponential(options.fsync, options.fsync * 100) : options.fsync;
  later(group_done, time);
}

void Disk::act(std::uint32_t kind, std::uint64_t a, std::uint64_t) {
  if (a != epoch_) return;
  if (hanging_) {
    held_.push_back(kind);
    return;
  }
  if (kind == group_done) {
    finish_group();
  } else {
    finish_read();
  }
  user_.disk_done();
}

void Disk::finish_group() {
  const std::deque<Commit> group = std::exchange(group_, {});
  group_due_ = false;
  for (const Commit& commit : group) user_.committed(commit.id, apply(commit.batch));
  start_group();
}

void Disk::finish_read() {
  const Read read = std::move(reads_.front());
  reads_.pop_front();
  if (failing_reads || corrupt) {
    const auto status = failing_reads ? env::ReadStatus::failed : env::ReadStatus::corrupt;
    user_.rows_read(read.id, {}, status);
    return;
  }
  std::vector<env::Row> rows;
  for (auto row = rows_.lower_bound(read.begin);
       row != rows_.end() && row->first < read.end && rows.size() < read.limit; ++row) {
    rows.push_back({row->first, row->second});
  }
  user_.rows_read(read.id, std::move(rows), env::ReadStatus::done);
}

env::CommitStatus Disk::apply(const env::Batch& batch) {
  if (!broken_ && failing_writes) broken_ = env::CommitStatus::failed;
  if (!broken_ && options.capacity > 0) {
    std::uint64_t added = 0;
    for (const auto& change : batch.changes) {
      if (change.kind == env::Batch::Change::Kind::put) added += change.key.size() + change.value.size();
    }
    if (added > 0 && bytes_ + added > options.capacity) broken_ = env::CommitStatus::full;
  }
  if (broken_) return *broken_;
  for (const auto& change : batch.changes) apply_change(change);
  return env::CommitStatus::done;
}

void Disk::apply_change(const env::Batch::Change& change) {
  using Kind = env::Batch::Change::Kind;
  const auto size = [](const auto& row) { return row.first.size() + row.second.size(); };
  if (change.kind == Kind::put) {
    const auto [row, fresh] = rows_.try_emplace(change.key);
    if (!fresh) bytes_ -= size(*row);
    row->second = change.value;
    bytes_ += size(*row);
    return;
  }
  auto row = change.kind == Kind::erase ? rows_.find(change.key) : rows_.lower_bound(change.key);
  while (row != rows_.end() && (change.kind == Kind::erase || row->first < change.value)) {
    bytes_ -= size(*row);
    row = rows_.erase(row);
    if (change.kind == Kind::erase) return;
  }
}

void Disk::crash(CrashMode mode) {
  std::size_t kept = 0;
  if (mode == CrashMode::keep) kept = group_.size();
  if (mode == CrashMode::torn) kept = draws_.below(group_.size() + 1);
  for (std::size_t i = 0; i < kept; ++i) (void)apply(group_[i].batch);
  if (honest_ && mode != CrashMode::keep) {
    rows_ = *honest_;
    recount();
  }
  ++epoch_;
  group_.clear();
  waiting_.clear();
  reads_.clear();
  held_.clear();
  group_due_ = false;
  broken_.reset();
}

void Disk::wipe() {
  rows_.clear();
  bytes_ = 0;
  corrupt = false;
  if (honest_) honest_->clear();
}

void Disk::hang(bool hanging) {
  hanging_ = hanging;
  if (hanging) return;
  for (const std::uint32_t kind : std::exchange(held_, {})) later(kind, Duration(0));
}

void Disk::lie(bool lying) {
  if (!lying) {
    honest_.reset();
  } else if (!honest_) {
    honest_ = rows_;
  }
}

void Disk::recount() {
  bytes_ = 0;
  for (const auto& [key, value] : rows_) bytes_ += key.size() + value.size();
}

}  // namespace hf::sim
