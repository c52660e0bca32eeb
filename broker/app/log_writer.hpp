// Writes lines to a descriptor on a thread of its own: whoever logs never waits for whoever reads.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <thread>

namespace hf::app {

/// Invariants:
///  1. put() takes no longer than copying the line.
///  2. What waits is at most `most` bytes, beside one piece of that size that is being written. Lines beyond are lost, and counted.
///  3. Lines come out whole and in order, unless the process ends while somebody does not read.
class LogWriter {
 public:
  /// `handle` stays the caller's, and must stay open: a reader who never reads may hold the thread for ever.
  explicit LogWriter(int handle, std::size_t most = std::size_t{1} << 20U);
  LogWriter(const LogWriter&) = delete;
  LogWriter& operator=(const LogWriter&) = delete;
  ~LogWriter();
  /// With its line end. `anyway`: even if there is no room.
  void put(std::string_view line, bool anyway = false);
  /// Lines that were not written since this was asked last; 0 as long as there is no room to tell it.
  std::uint64_t take_lost();
  /// Since the beginning.
  [[nodiscard]] std::uint64_t lost() const;
  /// Waits until all is written, but not longer than that. Afterwards lines are lost.
  void finish(std::chrono::milliseconds patience);

 private:
  struct Shared;  ///< outlives this if the thread cannot be ended
  std::shared_ptr<Shared> shared_;
  std::thread thread_;
};

}  // namespace hf::app
