// The table of byte streams: listeners, the calls a handler makes, limits in time.
#include "broker/host/streams.hpp"

#include <cerrno>
#include <cstring>

#include <sys/socket.h>
#include <unistd.h>

#include "broker/host/stream.hpp"

namespace hf::host {
namespace {

constexpr StreamId first_stream_id = 16;  // below: listeners
constexpr int accepts_per_wake = 64;
constexpr Duration accept_pause = 100ms;
constexpr Duration warning_gap = 5s;

}  // namespace

Streams::Streams(StreamEvents& events, StreamLimits limits)
    : events_(events), limits_(limits), reactor_(*this), last_id_(first_stream_id) {}
Streams::~Streams() = default;

Streams::Stream* Streams::find(StreamId id) const {
  const auto found = streams_.find(id);
  return found == streams_.end() ? nullptr : found->second.get();
}

Result<std::uint16_t> Streams::listen(env::StreamKind kind, const std::string& host,
                                      std::uint16_t port) {
  const auto handle = listen_on(host, port);
  if (!handle) return tl::make_unexpected(handle.error());
  const std::uint16_t bound = port_of(*handle);
  listeners_.push_back({reactor_.watch(*handle, listeners_.size() + 1), kind});
  reactor_.want(*listeners_.back().descriptor, Ready::read);
  return bound;
}

void Streams::on_ready(StreamId id, Ready what) {
  if (id <= listeners_.size()) return accept_from(static_cast<std::size_t>(id) - 1);
  Stream* stream = find(id);
  if (stream == nullptr) return;
  if (what == Ready::write) {
    stream->writing = false;
    if (!stream->connected) return connect_ended(id, *stream);
    return write_to(id, *stream);
  }
  stream->reading = false;
  read_from(id);
}

void Streams::accept_from(std::size_t index) {
  for (int i = 0; i < accepts_per_wake && index < listeners_.size(); ++i) {
    const auto& listener = listeners_[index];
    const Accepted accepted = accept_on(Reactor::handle_of(*listener.descriptor));
    if (accepted.handle >= 0) {
      add_accepted(accepted.handle, listener.kind, accepted.remote);
      continue;
    }
    if (accepted.error == EAGAIN || accepted.error == EWOULDBLOCK) break;
    if (accepted.error == EINTR || accepted.error == ECONNABORTED) continue;
    // Out of descriptors or memory: asking again at once would spin. The kernel keeps them waiting.
    if (events_.now() - last_warning_ > warning_gap) {
      last_warning_ = events_.now();
      events_.warn(std::string("cannot accept connections: ") + std::strerror(accepted.error));
    }
    deadlines_.emplace(events_.now() + accept_pause, static_cast<StreamId>(index) + 1);
    return;
  }
  if (index < listeners_.size()) reactor_.want(*listeners_[index].descriptor, Ready::read);
}

void Streams::add_accepted(int handle, env::StreamKind kind, const Endpoint& remote) {
  if (kind == env::StreamKind::client && clients_ >= limits_.max_connections) {
    if (events_.now() - last_warning_ > warning_gap) {
      last_warning_ = events_.now();
      events_.warn("connection from " + text_of(remote) + " refused: max_connections is " +
                   std::to_string(limits_.max_connections));
    }
    ::close(handle);  // an orderly end of stream: nothing has been read
    return;
  }
  const StreamId id = ++last_id_;
  auto made = std::make_unique<Stream>();
  made->descriptor = reactor_.watch(handle, id);
  made->kind = kind;
  made->accepted = made->connected = true;
  if (kind == env::StreamKind::client) ++clients_;
  streams_.emplace(id, std::move(made));
  const std::string from = text_of(remote);
  env::Arrival arrival;
  arrival.kind = kind;
  arrival.remote = from;
  arrival.same_machine = is_loopback(remote);
  events_.accepted(id, arrival);
  if (Stream* stream = find(id); stream != nullptr) arm_reading(*stream);
}

void Streams::send(StreamId id, Bytes bytes) {
  Stream* stream = find(id);
  if (stream == nullptr || stream->leaving || stream->broken || bytes.empty()) return;
  if (stream->queue.empty() && stream->queue.capacity() == 0 && !pool_.empty()) {
    stream->queue = std::move(pool_.back());
    pool_.pop_back();
  }
  stream->unsent += bytes.size();
  stream->queue.push_back(std::move(bytes));
  if (stream->unsent > env::writable_mark) stream->above_mark = true;
  mark_dirty(id, *stream);
}

void Streams::mark_dirty(StreamId id, Stream& stream) {
  if (stream.dirty || stream.writing || !stream.connected) return;
  stream.dirty = true;
  dirty_.push_back(id);
}

std::size_t Streams::unsent(StreamId id) const {
  const Stream* stream = find(id);
  return stream == nullptr || stream->leaving ? 0 : stream->unsent;
}

void Streams::pause_reading(StreamId id, bool paused) {
  Stream* stream = find(id);
  if (stream == nullptr || stream->leaving) return;
  stream->paused = paused;
  arm_reading(*stream);
}

void Streams::arm_reading(Stream& stream) {
  if (stream.reading || stream.paused || !stream.connected || !stream.descriptor) return;
  stream.reading = true;
  reactor_.want(*stream.descriptor, Ready::read);
}

void Streams::close(StreamId id, bool flush) {
  Stream* stream = find(id);
  if (stream == nullptr || stream->leaving) return;
  const bool dialled_in_vain = !stream->connected && stream->unsent == 0;
  if (!flush || stream->broken || dialled_in_vain) {
    if (stream->descriptor) reset_on_close(Reactor::handle_of(*stream->descriptor));
    return erase(id);
  }
  stream->leaving = true;
  ++leaving_;
  set_limit(id, *stream, limits_.close_timeout);
  mark_dirty(id, *stream);  // flush() writes what is left, then says bye
}

void Streams::flush() {
  for (std::size_t i = 0; i < dirty_.size(); ++i) {
    Stream* stream = find(dirty_[i]);
    if (stream == nullptr) continue;
    stream->dirty = false;
    write_to(dirty_[i], *stream);
  }
  dirty_.clear();
}

void Streams::deliver_later() {
  for (const Later& later : std::exchange(later_, {})) {
    Stream* stream = find(later.id);
    if (stream == nullptr || stream->leaving) continue;
    switch (later.what) {
      case Later::What::connected:
        events_.connected(later.id);
        // Only now: no byte may be told of before the connection is.
        if (Stream* known = find(later.id); known != nullptr) arm_reading(*known);
        break;
      case Later::What::writable:
        if (!stream->above_mark || stream->unsent > env::writable_mark) break;
        stream->above_mark = false;
        events_.writable(later.id);
        break;
      case Later::What::closed:
        erase(later.id);
        events_.closed(later.id, later.reason);
        break;
    }
  }
}

void Streams::set_limit(StreamId id, Stream& stream, Duration from_now) {
  clear_limit(id, stream);
  stream.limit = events_.now() + from_now;
  deadlines_.emplace(stream.limit, id);
}

void Streams::clear_limit(StreamId id, Stream& stream) {
  if (stream.limit == Instant::max()) return;
  deadlines_.erase({stream.limit, id});
  stream.limit = Instant::max();
}

std::optional<Instant> Streams::next_limit() const {
  if (deadlines_.empty()) return std::nullopt;
  return deadlines_.begin()->first;
}

void Streams::expire() {
  while (!deadlines_.empty() && deadlines_.begin()->first <= events_.now()) {
    const StreamId id = deadlines_.begin()->second;
    deadlines_.erase(deadlines_.begin());
    if (id <= listeners_.size()) {
      reactor_.want(*listeners_[static_cast<std::size_t>(id) - 1].descriptor, Ready::read);
      continue;
    }
    Stream* stream = find(id);
    if (stream == nullptr) continue;
    stream->limit = Instant::max();
    const bool tell = !stream->leaving;
    if (stream->descriptor) reset_on_close(Reactor::handle_of(*stream->descriptor));
    erase(id);
    if (tell) events_.closed(id, env::CloseReason::failed);  // only dials have a limit otherwise
  }
}

void Streams::erase(StreamId id) {
  const auto found = streams_.find(id);
  if (found == streams_.end()) return;
  Stream& stream = *found->second;
  clear_limit(id, stream);
  drop_queue(stream);
  if (stream.leaving) --leaving_;
  if (stream.accepted && stream.kind == env::StreamKind::client) --clients_;
  streams_.erase(found);
}

}  // namespace hf::host
