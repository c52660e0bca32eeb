// What the system tells about this process.
#pragma once

#include <cstdint>

namespace hf::admin {

struct ProcessFacts {
  std::uint64_t resident_bytes = 0, virtual_bytes = 0;
  std::uint64_t open_fds = 0, fds_max = 0;
  double cpu_seconds = 0;
  double started = 0;  ///< seconds since 1970
};

/// A few reads of /proc; what cannot be read is 0.
ProcessFacts process_facts();

}  // namespace hf::admin
