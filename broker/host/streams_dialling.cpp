// Dialling: looking the name up, trying its addresses in turn, saying how it ended.
#include <cerrno>
#include <utility>

#include "broker/host/stream.hpp"
#include "broker/host/streams.hpp"

namespace hf::host {

StreamId Streams::dial(std::string_view address) {
  const StreamId id = ++last_id_;
  auto made = std::make_unique<Stream>();
  made->candidates = std::make_unique<std::vector<Endpoint>>();
  Stream& stream = *made;
  streams_.emplace(id, std::move(made));
  set_limit(id, stream, limits_.dial_timeout);

  const auto parts = split_address(address);
  if (!parts) {
    later_.push_back({Later::What::closed, id, env::CloseReason::failed});
    return id;
  }
  if (const auto endpoint = numeric_endpoint(parts->first, parts->second)) {
    stream.candidates->push_back(*endpoint);
    try_next(id, 0);
    return id;
  }
  reactor_.resolve(parts->first, parts->second, [this, id](std::vector<Endpoint> found) {
    Stream* waiting = find(id);
    if (waiting == nullptr) return;
    waiting->candidates->assign(found.rbegin(), found.rend());
    try_next(id, 0);
  });
  return id;
}

/// Tries addresses until one is under way; out of addresses, the last error is the answer.
void Streams::try_next(StreamId id, int last_error) {
  Stream* stream = find(id);
  while (!stream->candidates->empty()) {
    const Endpoint endpoint = stream->candidates->back();
    stream->candidates->pop_back();
    const Connecting started = start_connect(endpoint);
    last_error = started.error;
    if (started.handle < 0) continue;
    stream->descriptor = reactor_.watch(started.handle, id);
    if (started.error == 0) return is_connected(id, *stream);
    stream->writing = true;
    reactor_.want(*stream->descriptor, Ready::write);
    return;
  }
  if (stream->leaving) return erase(id);
  later_.push_back({Later::What::closed, id,
                    last_error == ECONNREFUSED ? env::CloseReason::refused
                                               : env::CloseReason::failed});
}

void Streams::connect_ended(StreamId id, Stream& stream) {
  if (!stream.descriptor || !stream.candidates) return;  // already known to have failed
  const int error = connect_result(Reactor::handle_of(*stream.descriptor));
  if (error == 0) return is_connected(id, stream);
  stream.descriptor.reset();
  try_next(id, error);
}

void Streams::is_connected(StreamId id, Stream& stream) {
  stream.connected = true;
  stream.candidates.reset();
  if (!dialled_.plain()) {
    stream.wrapped = std::make_unique<Wrapped>(dialled_);
    if (!stream.leaving) set_limit(id, stream, limits_.dial_timeout);
    stream.wrapped->remote = text_of(remote_of(Reactor::handle_of(*stream.descriptor)));
    unwrap(id, stream, {});  // TLS: who dials speaks first
    return arm_reading(stream);
  }
  if (!stream.leaving) {
    clear_limit(id, stream);
    later_.push_back({Later::What::connected, id, {}});
  }
  if (stream.unsent > 0 || stream.leaving) mark_dirty(id, stream);
}

}  // namespace hf::host
