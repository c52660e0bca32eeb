// Joins the store to the host: commits and reads one way, answers the other.
#pragma once

#include <memory>
#include <string>

#include "broker/base/result.hpp"
#include "broker/host/host.hpp"
#include "broker/store/rocks_store.hpp"

namespace hf::app {

/// Opens the data directory and attaches it. The store must end before the host.
Result<std::unique_ptr<store::RocksStore>> open_storage(host::Host& host, const std::string& path);

}  // namespace hf::app
