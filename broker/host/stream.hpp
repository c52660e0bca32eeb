// One byte stream of the table: small, because there may be a hundred thousand idle ones.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

#include "broker/base/bytes.hpp"
#include "broker/base/time.hpp"
#include "broker/host/streams.hpp"

namespace hf::host {

struct Streams::Stream {
  DescriptorPtr descriptor;                          ///< none while an address is looked up
  std::unique_ptr<std::vector<Endpoint>> candidates;  ///< dialling: what is left to try, last first
  std::vector<Bytes> queue;                          ///< what `unsent` counts; empty when idle
  std::size_t head = 0;                              ///< first of `queue` that is not all sent
  std::size_t head_sent = 0;                         ///< bytes of it that are
  std::size_t unsent = 0;
  Instant limit = Instant::max();                    ///< its entry in deadlines_
  env::StreamKind kind = env::StreamKind::peer;
  bool accepted = false;
  bool connected = false;
  bool paused = false;
  bool reading = false;     ///< readiness to read is asked for
  bool writing = false;     ///< readiness to write is asked for
  bool dirty = false;       ///< stands in dirty_
  bool above_mark = false;  ///< owes an on_writable
  bool broken = false;      ///< a write failed: what the other end sent before is still read
  bool leaving = false;     ///< closed by the handler: no events any more
  bool said_bye = false;    ///< our end of stream is sent; waiting for the other's
};

}  // namespace hf::host
