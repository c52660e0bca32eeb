// The table of byte streams: the calls a handler makes, limits in time.
#include "broker/host/streams.hpp"

#include "broker/host/stream.hpp"

namespace hf::host {
namespace {

constexpr StreamId first_stream_id = 65536;  // below: listeners
constexpr std::size_t backlog_max = 256 * 1024;

}  // namespace

Streams::Streams(StreamEvents& events, StreamLimits limits)
    : events_(events), limits_(limits), reactor_(*this), last_id_(first_stream_id) {}
Streams::~Streams() = default;

void Streams::set_dial_tls(std::shared_ptr<const wrapping::TlsContext> tls) {
  dialled_.tls = std::move(tls);
  dialled_.tls_end = wrapping::TlsSession::End::client;
}

Streams::Stream* Streams::find(StreamId id) const {
  const auto found = streams_.find(id);
  return found == streams_.end() ? nullptr : found->second.get();
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
  if (!paused && stream->wrapped && !stream->wrapped->held.empty()) {
    later_.push_back({Later::What::held, id, {}});
  }
  arm_reading(*stream);
}

void Streams::arm_reading(Stream& stream) {
  if (stream.reading || !stream.connected || !stream.descriptor) return;
  if (stream.paused && !stream.shaking()) return;
  // Who makes us answer (pings, keys) must take the answers. What is sent for the handler never comes near this.
  if (stream.wrapped && stream.wrapped->backlog() > backlog_max) return;
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
      case Later::What::held: release_held(later.id); break;
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
    // A dial has a limit, and a handshake, of which only one's own dial is known to the handler.
    const bool tell = !stream->leaving && !stream->accepted();
    if (stream->shaking() && !stream->leaving) complain(*stream, "no handshake in time");
    if (stream->descriptor) reset_on_close(Reactor::handle_of(*stream->descriptor));
    erase(id);
    if (tell) events_.closed(id, env::CloseReason::failed);
  }
}

void Streams::erase(StreamId id) {
  const auto found = streams_.find(id);
  if (found == streams_.end()) return;
  Stream& stream = *found->second;
  clear_limit(id, stream);
  drop_queue(stream);
  if (stream.leaving) --leaving_;
  if (stream.accepted()) {
    stop_shaking(id, stream);
    if (stream.kind == env::StreamKind::client) --clients_;
    if (stream.listener <= listeners_.size()) --listeners_[stream.listener - 1].connections;
  }
  streams_.erase(found);
}

}  // namespace hf::host
