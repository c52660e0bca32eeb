// Listening and accepting: who may come in, how many at once, and how many whose handshakes are under way.
#include <cerrno>
#include <cstring>

#include <sys/socket.h>
#include <unistd.h>

#include "broker/host/stream.hpp"
#include "broker/host/streams.hpp"

namespace hf::host {
namespace {

constexpr int accepts_per_wake = 64;
constexpr Duration accept_pause = 100ms;
constexpr Duration warning_gap = 5s;
constexpr Duration quick_handshake = 2s;

}  // namespace

Result<std::uint16_t> Streams::listen(Listening listening) {
  const bool file = !listening.unix_path.empty();
  const auto handle = file ? listen_on_unix(listening.unix_path, listening.unix_mode)
                           : listen_on(listening.host, listening.port);
  if (!handle) return tl::make_unexpected(handle.error());
  const std::uint16_t bound = file ? 0 : port_of(*handle);
  Listener& made = listeners_.emplace_back();
  made.descriptor = reactor_.watch(*handle, listeners_.size());
  if (file) made.file = SocketFile(listening.unix_path);
  made.about = std::move(listening);
  reactor_.want(*made.descriptor, Ready::read);
  return bound;
}

void Streams::set_tls(std::size_t listener, std::shared_ptr<const wrapping::TlsContext> tls) {
  listeners_.at(listener).about.plan.tls = std::move(tls);
}

void Streams::stop_listening() { listeners_.clear(); }

void Streams::accept_from(std::size_t index) {
  for (int i = 0; i < accepts_per_wake && index < listeners_.size(); ++i) {
    auto& listener = listeners_[index];
    Accepted accepted;
    accepted.error = EBUSY;
    if (may_shake(listener)) accepted = accept_on(Reactor::handle_of(*listener.descriptor));
    if (accepted.handle >= 0) {
      add_accepted(index, accepted.handle, accepted.remote);
      continue;
    }
    if (accepted.error == EAGAIN || accepted.error == EWOULDBLOCK) break;
    if (accepted.error == EINTR || accepted.error == ECONNABORTED) continue;
    // Out of descriptors or memory, or too many handshakes: asking again at once would spin. The kernel keeps them waiting.
    if (accepted.error != EBUSY && events_.now() - last_warning_ > warning_gap) {
      last_warning_ = events_.now();
      events_.warn(std::string("cannot accept connections: ") + std::strerror(accepted.error));
    }
    deadlines_.emplace(events_.now() + accept_pause, static_cast<StreamId>(index) + 1);
    return;
  }
  if (index < listeners_.size()) reactor_.want(*listeners_[index].descriptor, Ready::read);
}

/// With as many handshakes under way as may be, the oldest goes if it is slow: a crowd of honest clients waits for
/// its turn, and those who only hold places do not hold them for long.
bool Streams::may_shake(Listener& listener) {
  if (listener.shaking.size() < limits_.max_handshakes) return true;
  const StreamId oldest = *listener.shaking.begin();
  Stream* stream = find(oldest);
  if (stream->limit - limits_.handshake_timeout + quick_handshake > events_.now()) return false;
  complain(*stream, "too many handshakes are under way, and this is the slowest");
  reset_on_close(Reactor::handle_of(*stream->descriptor));
  erase(oldest);
  return true;
}

bool Streams::has_room(Listener& listener, const std::string& remote) {
  if (listener.about.kind != env::StreamKind::client) return true;
  const bool crowded = clients_ >= limits_.max_connections;
  const std::size_t own = listener.about.max_connections;
  if (!crowded && (own == 0 || listener.connections < own)) return true;
  ++full_;
  if (events_.now() - last_warning_ > warning_gap) {
    last_warning_ = events_.now();
    const std::string whose = crowded ? "" : " of listener '" + listener.about.name + "'";
    events_.warn("connection from " + remote + " refused: max_connections" + whose + " is " +
                 std::to_string(crowded ? limits_.max_connections : own));
  }
  return false;
}

void Streams::add_accepted(std::size_t index, int handle, const Endpoint& remote) {
  Listener& listener = listeners_[index];
  const std::string from = text_of(remote);
  if (!has_room(listener, from)) {
    ::close(handle);  // an orderly end of stream: nothing has been read
    return;
  }
  const StreamId id = ++last_id_;
  auto made = std::make_unique<Stream>();
  made->descriptor = reactor_.watch(handle, id);
  made->kind = listener.about.kind;
  made->listener = static_cast<std::uint32_t>(index) + 1;
  made->connected = true;
  if (made->kind == env::StreamKind::client) ++clients_;
  ++listener.connections;
  Stream& stream = *made;
  streams_.emplace(id, std::move(made));
  const bool same_machine = remote.address.ss_family == AF_UNIX || is_loopback(remote);
  if (!listener.about.plan.plain()) {
    stream.wrapped = std::make_unique<Wrapped>(listener.about.plan);
    stream.wrapped->remote = from;
    // Who speaks through a proxy may be anywhere.
    stream.wrapped->same_machine = same_machine && !listener.about.plan.proxy_header;
    listener.shaking.insert(id);
    set_limit(id, stream, limits_.handshake_timeout);
    return arm_reading(stream);
  }
  env::Arrival arrival;
  arrival.kind = stream.kind;
  arrival.remote = from;
  arrival.listener = listener.about.name;
  arrival.same_machine = same_machine;
  events_.accepted(id, arrival);
  if (Stream* known = find(id); known != nullptr) arm_reading(*known);
}

}  // namespace hf::host
