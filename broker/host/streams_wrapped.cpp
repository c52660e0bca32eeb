// Streams with something between socket and handler: handshakes before anybody knows of them, then bytes both ways.
#include <algorithm>
#include <cerrno>
#include <utility>

#include <sys/socket.h>

#include "broker/host/stream.hpp"
#include "broker/host/streams.hpp"

namespace hf::host {
namespace {

constexpr std::size_t piece = 16 * 1024 - 16;    // with a frame's header it fits into one record of TLS
constexpr std::size_t wire_wanted = 64 * 1024;   // encoded ahead of the socket

}  // namespace

/// Raises what became of the bytes. The stream may be gone afterwards.
void Streams::unwrap(StreamId id, Stream& stream, std::string_view bytes) {
  Wrapped& wrapped = *stream.wrapped;
  std::string up;
  const std::size_t before = wrapped.wire.size();
  wrapped.codec.receive(bytes, up, wrapped.wire);
  if (stream.broken) {
    wrapped.wire.resize(before);  // nobody will ever get it
  } else if (wrapped.wire.size() > before) {
    stream.unsent += wrapped.wire.size() - before;
    mark_dirty(id, stream);
  }
  if (!wrapped.announced && wrapped.codec.was_open()) announce(id, stream);
  Stream* left = find(id);
  if (left == nullptr) return;
  if (!up.empty() && !left->leaving) {
    if (left->paused) {
      left->wrapped->held += up;
    } else {
      events_.bytes(id, Bytes(std::move(up)));
      left = find(id);
    }
  }
  if (left != nullptr) settle(id, *left);
}

void Streams::release_held(StreamId id) {
  Stream* stream = find(id);
  if (stream == nullptr || !stream->wrapped || stream->paused || stream->leaving) return;
  if (!stream->wrapped->held.empty()) {
    events_.bytes(id, Bytes(std::exchange(stream->wrapped->held, {})));
    stream = find(id);
  }
  if (stream != nullptr && stream->wrapped) settle(id, *stream);
}

/// The handshakes are done.
void Streams::announce(StreamId id, Stream& stream) {
  Wrapped& wrapped = *stream.wrapped;
  wrapped.announced = true;
  stop_shaking(id, stream);
  if (stream.unsent > 0) mark_dirty(id, stream);  // what was sent before the connection stood
  if (stream.leaving) return;
  clear_limit(id, stream);
  if (!stream.accepted()) return events_.connected(id);
  // The handler may close the stream from within the call: nothing of it may be shown.
  const std::string remote = wrapped.codec.proxied_for().value_or(wrapped.remote);
  const std::string identity(wrapped.codec.identity());
  const std::string listener = listeners_.empty() ? "" : listeners_[stream.listener - 1].about.name;
  env::Arrival arrival;
  arrival.kind = stream.kind;
  arrival.remote = remote;
  arrival.listener = listener;
  arrival.identity = identity;
  arrival.same_machine = wrapped.same_machine;
  events_.accepted(id, arrival);
}

/// What is held is told of before the end of the stream is.
void Streams::settle(StreamId id, Stream& stream) {
  Wrapped& wrapped = *stream.wrapped;
  if (!wrapped.held.empty() && !stream.leaving) return;
  if (wrapped.codec.state() == wrapping::Wrapping::State::over && !wrapped.finished) return part(id, stream);
  if (wrapped.codec.spent() && wrapped.held.empty()) stream.wrapped.reset();
}

/// The wrapping is over, in good order or for a breach: its last words go out, nothing else does.
void Streams::part(StreamId id, Stream& stream) {
  Wrapped& wrapped = *stream.wrapped;
  const bool known = wrapped.announced || !stream.accepted();
  const bool tell = known && !stream.leaving;
  const auto reason = !wrapped.announced          ? env::CloseReason::failed
                      : wrapped.codec.orderly() ? env::CloseReason::ended
                                                : env::CloseReason::reset;
  if (!wrapped.codec.orderly()) complain(stream, wrapped.codec.why());
  stop_shaking(id, stream);
  wrapped.finished = true;
  stream.queue.clear();
  stream.head = stream.head_sent = 0;
  stream.unsent = wrapped.backlog();
  if (stream.broken) {
    erase(id);
  } else if (!stream.leaving) {
    stream.leaving = true;
    ++leaving_;
    set_limit(id, stream, limits_.close_timeout);
    mark_dirty(id, stream);
  }
  if (tell) events_.closed(id, reason);
}

void Streams::stop_shaking(StreamId id, Stream& stream) {
  if (stream.wrapped && stream.accepted() && stream.listener <= listeners_.size()) {
    listeners_[stream.listener - 1].shaking.erase(id);
  }
}

void Streams::complain(const Stream& stream, const std::string& why) {
  if (stream.accepted()) ++(stream.kind == env::StreamKind::peer ? unfit_peers_ : unfit_clients_);
  const Wrapped& wrapped = *stream.wrapped;
  const std::string& remote = wrapped.codec.proxied_for().value_or(wrapped.remote);
  if (!complaints_.worth_a_line(remote, events_.now())) return;
  const std::string who = stream.kind == env::StreamKind::peer ? "peer" : "client";
  const std::string where =
      stream.accepted() && stream.listener <= listeners_.size() && !listeners_[stream.listener - 1].about.name.empty()
          ? " at listener '" + listeners_[stream.listener - 1].about.name + "'"
          : "";
  const std::size_t silenced = complaints_.take_silenced();
  events_.warn(who + (stream.accepted() ? " from " : " at ") + remote + where + " refused: " + why +
               (silenced == 0 ? "" : " (" + std::to_string(silenced) + " refusals since the last such line)"));
}

/// One MQTT packet, or what there is of it: its size is in its fixed header (5.0, 2.1.4). WebSocket could carry several in a
/// message, but Paho C 1.3.11 loses some of those that share one.
std::size_t Streams::next_packet(const Stream& stream) {
  const std::string_view start = stream.queue[stream.head].view().substr(stream.head_sent);
  std::size_t size = 0, at = 1;
  for (unsigned shift = 0; at < start.size() && shift < 28; shift += 7) {
    const auto byte = static_cast<unsigned char>(start[at++]);
    size |= static_cast<std::size_t>(byte & 0x7FU) << shift;
    if ((byte & 0x80U) == 0) break;
  }
  size += at;
  std::size_t there = start.size();
  for (std::size_t i = stream.head + 1; i < stream.queue.size() && there < size; ++i) there += stream.queue[i].size();
  return std::min(size, there);
}

/// What goes into one message: without WebSocket as much as fits into a record of TLS.
std::size_t Streams::next_message(const Stream& stream) {
  if (stream.wrapped->codec.framed()) return next_packet(stream);
  std::size_t size = stream.queue[stream.head].size() - stream.head_sent;
  for (std::size_t i = stream.head + 1; i < stream.queue.size() && size + stream.queue[i].size() <= piece; ++i) {
    size += stream.queue[i].size();
  }
  return size;
}

/// Encodes what is queued, about as much as a socket takes. False: there is nothing to write.
bool Streams::encode(Stream& stream) {
  Wrapped& wrapped = *stream.wrapped;
  wrapped.wire.clear();
  wrapped.wire_sent = 0;
  if (wrapped.codec.state() != wrapping::Wrapping::State::open) return false;
  while (stream.head < stream.queue.size() && wrapped.wire.size() < wire_wanted) {
    if (wrapped.message_left == 0) wrapped.message_left = next_message(stream);
    const std::size_t wanted = std::min(piece, wrapped.message_left);
    gathered_.clear();
    std::size_t skip = stream.head_sent;
    for (std::size_t i = stream.head; gathered_.size() < wanted; ++i) {
      gathered_.append(stream.queue[i].view().substr(skip, wanted - gathered_.size()));
      skip = 0;
    }
    wrapped.message_left -= wanted;
    wrapped.codec.send(gathered_, wrapped.message_left, wrapped.wire);
    took(stream, wanted);
  }
  if (stream.leaving && stream.head == stream.queue.size() && !wrapped.finished) {
    wrapped.finished = true;
    wrapped.codec.finish(wrapped.wire);
  }
  stream.unsent += wrapped.wire.size();
  return !wrapped.wire.empty();
}

/// False: nothing can be written any more.
bool Streams::write_wrapped(Stream& stream) {
  Wrapped& wrapped = *stream.wrapped;
  while (wrapped.backlog() > 0 || encode(stream)) {
    const ssize_t wrote = ::send(Reactor::handle_of(*stream.descriptor), wrapped.wire.data() + wrapped.wire_sent,
                                 wrapped.backlog(), MSG_NOSIGNAL);
    if (wrote >= 0) {
      wrapped.wire_sent += static_cast<std::size_t>(wrote);
      stream.unsent -= static_cast<std::size_t>(wrote);
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      wait_writable(stream);
      break;
    } else if (errno != EINTR) {
      return false;
    }
  }
  if (wrapped.backlog() == 0) wrapped.wire = {};  // idle: no buffer
  arm_reading(stream);  // it may have waited for its answers to be taken
  return true;
}

}  // namespace hf::host
