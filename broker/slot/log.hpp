// The log of one slot at one holder: operations in the order it applied them, for its followers to read.
#pragma once

#include <cstdint>
#include <deque>
#include <string>

#include "broker/slot/version_vector.hpp"

namespace hf::slot {

class OperationLog {
 public:
  struct Item {
    Dot dot;
    std::string bytes;  ///< the encoded pb::Operation
  };

  /// Position of the first item, and one past the last. Positions never repeat.
  [[nodiscard]] std::uint64_t begin() const { return begin_; }
  [[nodiscard]] std::uint64_t end() const { return begin_ + items_.size(); }
  [[nodiscard]] const Item& at(std::uint64_t position) const { return items_[position - begin_]; }
  [[nodiscard]] std::size_t size() const { return items_.size(); }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

  void append(Dot dot, std::string bytes) {
    bytes_ += bytes.size();
    items_.push_back({dot, std::move(bytes)});
  }
  /// Everything that may be missing from the log: a reader that does not cover it needs the whole state.
  [[nodiscard]] const VersionVector& floor() const { return floor_; }
  /// For a log read back from disk: where it starts.
  void start_at(std::uint64_t position, VersionVector floor) {
    begin_ = position;
    floor_ = std::move(floor);
  }
  /// Drops the longest prefix of items that `stable` covers. Returns how many.
  std::size_t drop_stable(const VersionVector& stable) {
    std::size_t dropped = 0;
    while (!items_.empty() && stable.covers(items_.front().dot)) {
      drop_front();
      ++dropped;
    }
    return dropped;
  }
  /// Drops the oldest items until at most `limit` bytes are left (G13). Returns how many.
  std::size_t shrink_to(std::size_t limit) {
    std::size_t dropped = 0;
    while (bytes_ > limit && !items_.empty()) {
      drop_front();
      ++dropped;
    }
    return dropped;
  }
  /// After a whole state was merged: what it brought is not in the log. One position is skipped, so that
  /// a reader who had read everything before finds itself before the log, and looks at the floor.
  void restart(const VersionVector& seen) {
    begin_ = end() + 1;
    items_.clear();
    bytes_ = 0;
    floor_ = seen;
  }

 private:
  void drop_front() {
    floor_.raise(items_.front().dot);
    bytes_ -= items_.front().bytes.size();
    items_.pop_front();
    ++begin_;
  }

  std::deque<Item> items_;
  std::uint64_t begin_ = 1;
  std::size_t bytes_ = 0;
  VersionVector floor_;
};

}  // namespace hf::slot
