// What one connection to the administration may cost.
#pragma once

#include <cstddef>

#include "broker/base/time.hpp"

namespace hf::admin {

struct Limits {
  std::size_t connections = 64;
  std::size_t header_bytes = 16 * 1024;
  std::size_t body_bytes = 64 * 1024;
  std::size_t trace_bytes = 256 * 1024;  ///< waiting for a slow reader of a trace; more is lost, and counted
  Duration handshake_time = 10s;  ///< of TLS
  Duration fresh_time = 1s;     ///< who is silent for longer is the first to go when places are short
  Duration request_time = 15s;  ///< for a whole request, from the end of the one before
  Duration answer_time = 30s;   ///< until something that takes turns is done
  Duration write_time = 15s;    ///< for a whole answer, or a piece of a trace, to be taken
  Duration farewell_time = 1s;  ///< until the other end has seen a refusal
};

}  // namespace hf::admin
