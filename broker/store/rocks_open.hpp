// Opening the database: the directory, RocksDB's settings, and errors an operator can act on.
#pragma once

#include <memory>
#include <string>

#include <rocksdb/db.h>

#include "broker/base/result.hpp"

namespace hf::store {

/// Creates `path` where missing, and opens the database in it.
Result<std::unique_ptr<rocksdb::DB>> open_database(const std::string& path);

}  // namespace hf::store
