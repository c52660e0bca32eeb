// Durable storage as the core sees it: an ordered map of bytes with atomic batches.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace hf::env {

using CommitId = std::uint64_t;
using ReadId = std::uint64_t;

struct Row {
  std::string key;
  std::string value;
  friend bool operator==(const Row&, const Row&) = default;
};

/// Changes that become visible and durable together or not at all, applied in the order given.
struct Batch {
  struct Change {
    enum class Kind : std::uint8_t { put, erase, erase_range } kind = Kind::put;
    std::string key;
    std::string value;  ///< put: the value; erase_range: the end key (exclusive)
  };
  std::vector<Change> changes;

  void put(std::string key, std::string value) {
    changes.push_back({Change::Kind::put, std::move(key), std::move(value)});
  }
  void erase(std::string key) { changes.push_back({Change::Kind::erase, std::move(key), {}}); }
  void erase_range(std::string begin, std::string end) {
    changes.push_back({Change::Kind::erase_range, std::move(begin), std::move(end)});
  }
  [[nodiscard]] bool empty() const { return changes.empty(); }
};

/// `done`: on stable storage; survives power loss. Anything else: nothing may be believed, and no
/// later commit of this process succeeds (a failed sync is never retried, see fsyncgate 2018).
enum class CommitStatus { done, full, failed };

/// `corrupt`: a stored row failed its checksum; the node must not serve from it.
enum class ReadStatus { done, corrupt, failed };

}  // namespace hf::env
