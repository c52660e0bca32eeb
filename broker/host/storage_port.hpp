// What the host asks of whatever keeps the data. The app wires it to store::RocksStore.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "broker/env/storage.hpp"

namespace hf::host {

/// Neither may wait for the disk. Answers come back by Host::committed and Host::rows.
struct StoragePort {
  std::function<void(std::vector<std::pair<env::CommitId, env::Batch>>)> commit;
  std::function<void(std::string begin, std::string end, std::size_t limit, env::ReadId)> read;
};

}  // namespace hf::host
