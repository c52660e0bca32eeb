// Moving bytes: one recv into a shared buffer, one gathered write a turn, and how each can end.
#include <algorithm>
#include <array>
#include <cerrno>

#include <sys/socket.h>
#include <sys/uio.h>

#include "broker/host/stream.hpp"
#include "broker/host/streams.hpp"

namespace hf::host {
namespace {

constexpr std::size_t scratch_size = 64 * 1024;
constexpr int reads_per_wake = 4;
constexpr std::size_t parts_per_write = 256;
constexpr std::size_t pool_max = 256;
constexpr std::size_t pooled_capacity_max = 1024;

bool would_block(int error) { return error == EAGAIN || error == EWOULDBLOCK; }

}  // namespace

void Streams::read_from(StreamId id) {
  if (!scratch_) scratch_ = std::make_unique<char[]>(scratch_size);
  for (int reads = 0; reads < reads_per_wake; ++reads) {
    // The handler may close or pause any stream from within an event: look anew each time.
    Stream* stream = find(id);
    if (stream == nullptr) return;
    if (!stream->shaking()) {
      if (stream->paused) return;
      if (stream->leaving) return discard_from(id, *stream);
    }
    if (stream->wrapped && !stream->wrapped->held.empty()) {
      release_held(id);  // it came first
      continue;
    }
    const ssize_t got =
        ::recv(Reactor::handle_of(*stream->descriptor), scratch_.get(), scratch_size, 0);
    if (got == 0) {
      return read_ended(id, *stream, stream->broken ? env::CloseReason::reset : env::CloseReason::ended);
    }
    if (got < 0) {
      if (errno == EINTR) continue;
      if (would_block(errno)) break;
      return read_ended(id, *stream, env::CloseReason::reset);
    }
    const auto size = static_cast<std::size_t>(got);
    bytes_read_ += size;
    if (stream->wrapped) {
      unwrap(id, *stream, {scratch_.get(), size});
    } else {
      events_.bytes(id, Bytes::copy({scratch_.get(), size}));
    }
    if (size < scratch_size) break;  // that was all; the next wait asks the kernel anyway
  }
  if (Stream* stream = find(id); stream != nullptr) arm_reading(*stream);
}

/// Of a stream that is leaving nobody reads, but a close with unread bytes would be a reset, and that can
/// destroy what we flushed.
void Streams::discard_from(StreamId id, Stream& stream) {
  for (int reads = 0; reads < reads_per_wake; ++reads) {
    const ssize_t got =
        ::recv(Reactor::handle_of(*stream.descriptor), scratch_.get(), scratch_size, 0);
    if (got > 0 || (got < 0 && errno == EINTR)) continue;
    if (got < 0 && would_block(errno)) break;
    // The other end is done. If we still have something for it, it may be reading: half-closed.
    if (got == 0 && !stream.said_bye) return;
    return erase(id);
  }
  arm_reading(stream);
}

void Streams::read_ended(StreamId id, Stream& stream, env::CloseReason reason) {
  const bool shaking = stream.shaking();
  const bool tell = !stream.leaving && !(shaking && stream.accepted());
  erase(id);
  if (tell) events_.closed(id, shaking ? env::CloseReason::failed : reason);
}

void Streams::write_to(StreamId id, Stream& stream) {
  if (!(stream.wrapped ? write_wrapped(stream) : write_plain(stream))) return write_failed(id, stream);
  if (stream.unsent == 0) drop_queue(stream);
  if (stream.above_mark && stream.unsent <= env::writable_mark && !stream.leaving) {
    later_.push_back({Later::What::writable, id, {}});
  }
  if (stream.unsent == 0 && stream.leaving) say_bye(id, stream);
}

/// False: nothing can be written any more.
bool Streams::write_plain(Stream& stream) {
  while (stream.unsent > 0) {
    std::array<iovec, parts_per_write> parts;
    std::size_t count = 0;
    for (std::size_t i = stream.head; i < stream.queue.size() && count < parts.size(); ++i) {
      const std::string_view view = stream.queue[i].view();
      const std::size_t skip = i == stream.head ? stream.head_sent : 0;
      parts[count++] = {const_cast<char*>(view.data()) + skip, view.size() - skip};
    }
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = count;
    const ssize_t wrote =
        ::sendmsg(Reactor::handle_of(*stream.descriptor), &message, MSG_NOSIGNAL);
    if (wrote >= 0) {
      took(stream, static_cast<std::size_t>(wrote));
      continue;
    }
    if (errno == EINTR) continue;
    if (!would_block(errno)) return false;
    wait_writable(stream);
    break;
  }
  return true;
}

void Streams::wait_writable(Stream& stream) {
  stream.writing = true;
  reactor_.want(*stream.descriptor, Ready::write);
}

void Streams::took(Stream& stream, std::size_t bytes) {
  stream.unsent -= bytes;
  while (bytes > 0) {
    const std::size_t left = stream.queue[stream.head].size() - stream.head_sent;
    const std::size_t part = std::min(left, bytes);
    stream.head_sent += part;
    bytes -= part;
    if (part < left) return;
    stream.queue[stream.head] = {};
    ++stream.head;
    stream.head_sent = 0;
  }
  // A long queue that never runs empty must not keep its spent front for ever.
  if (stream.head > 1024 && stream.head * 2 > stream.queue.size()) {
    stream.queue.erase(stream.queue.begin(),
                       stream.queue.begin() + static_cast<std::ptrdiff_t>(stream.head));
    stream.head = 0;
  }
}

void Streams::drop_queue(Stream& stream) {
  stream.unsent = stream.head = stream.head_sent = 0;
  if (stream.wrapped) stream.wrapped->wire = {}, stream.wrapped->wire_sent = 0;
  stream.queue.clear();
  if (stream.queue.capacity() > 0 && stream.queue.capacity() <= pooled_capacity_max &&
      pool_.size() < pool_max) {
    pool_.push_back(std::move(stream.queue));
  }
  stream.queue = std::vector<Bytes>();
}

/// The other end is gone for writing, but what it sent before may still lie unread (a DISCONNECT,
/// say): reading goes on until it finds the end itself.
void Streams::write_failed(StreamId id, Stream& stream) {
  drop_queue(stream);
  stream.above_mark = false;
  if (stream.leaving) return erase(id);
  stream.broken = true;
  if (stream.paused) {
    later_.push_back({Later::What::closed, id, env::CloseReason::reset});
  } else {
    arm_reading(stream);
  }
}

void Streams::say_bye(StreamId id, Stream& stream) {
  if (stream.said_bye) return;
  stream.said_bye = true;
  if (::shutdown(Reactor::handle_of(*stream.descriptor), SHUT_WR) != 0) return erase(id);
  stream.paused = false;
  arm_reading(stream);
}

}  // namespace hf::host
