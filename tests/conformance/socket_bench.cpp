// Cases against holdfastd over TCP on loopback.
#include "tests/conformance/socket_bench.hpp"

#include <cerrno>
#include <stdexcept>
#include <thread>
#include <utility>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace hf::conformance {

SocketBench::~SocketBench() { forget_all(); }

void SocketBench::forget_all() {
  for (Socket& socket : sockets_)
    if (socket.handle >= 0) ::close(socket.handle);
  sockets_.clear();
}

std::size_t SocketBench::open(std::size_t which) {
  Socket socket;
  socket.handle = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(ports_.at(which % ports_.size()));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket.handle, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
    throw std::runtime_error("cannot connect to port " + std::to_string(ports_.at(which % ports_.size())));
  const int yes = 1;
  ::setsockopt(socket.handle, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  ::fcntl(socket.handle, F_SETFL, O_NONBLOCK);
  sockets_.push_back(std::move(socket));
  return sockets_.size() - 1;
}

void SocketBench::push(Socket& socket) {
  while (socket.handle >= 0 && !socket.unsent.empty()) {
    const auto sent = ::send(socket.handle, socket.unsent.data(), socket.unsent.size(), MSG_NOSIGNAL);
    if (sent <= 0) {
      if (sent < 0 && errno != EAGAIN && errno != EINTR) socket.unsent.clear();  // closed: reading will say so
      return;
    }
    socket.unsent.erase(0, static_cast<std::size_t>(sent));
  }
}

void SocketBench::send(std::size_t connection, const std::string& bytes) {
  Socket& socket = sockets_.at(connection);
  socket.unsent += bytes;
  push(socket);
}

void SocketBench::close(std::size_t connection) {
  Socket& socket = sockets_.at(connection);
  if (socket.handle >= 0) ::close(std::exchange(socket.handle, -1));
}

void SocketBench::reset(std::size_t connection) {
  const linger hard{1, 0};
  Socket& socket = sockets_.at(connection);
  if (socket.handle >= 0) ::setsockopt(socket.handle, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  close(connection);
}

void SocketBench::pause(std::size_t connection, bool paused) { sockets_.at(connection).paused = paused; }
Ear& SocketBench::ear(std::size_t connection) { return sockets_.at(connection).ear; }

void SocketBench::hear(Socket& socket) {
  char buffer[65536];
  while (!socket.ear.ended) {
    const auto got = ::recv(socket.handle, buffer, sizeof buffer, 0);
    if (got > 0) {
      socket.ear.bytes.append(buffer, static_cast<std::size_t>(got));
    } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
      socket.ear.ended = true;
    } else {
      return;
    }
  }
}

/// One poll over all connections.
void SocketBench::turn(Millis patience) {
  std::vector<pollfd> polls;
  std::vector<Socket*> of;
  for (Socket& socket : sockets_) {
    if (socket.handle < 0 || socket.ear.ended) continue;
    const int events = (socket.paused ? 0 : POLLIN) | (socket.unsent.empty() ? 0 : POLLOUT);
    if (events == 0) continue;
    polls.push_back({socket.handle, static_cast<short>(events), 0});
    of.push_back(&socket);
  }
  ::poll(polls.data(), polls.size(), static_cast<int>(patience.count()));
  for (std::size_t i = 0; i < polls.size(); ++i) {
    if ((polls[i].revents & POLLOUT) != 0) push(*of[i]);
    if ((polls[i].revents & (POLLIN | POLLHUP | POLLERR)) != 0) hear(*of[i]);
  }
}

void SocketBench::listen(std::size_t connection, Millis patience) {
  const auto end = std::chrono::steady_clock::now() + patience;
  const std::size_t before = ear(connection).bytes.size();
  while (ear(connection).bytes.size() == before && !ear(connection).ended) {
    const auto left = std::chrono::duration_cast<Millis>(end - std::chrono::steady_clock::now());
    if (left <= Millis(0)) return;
    turn(left);
  }
}

void SocketBench::wait(Millis time) {
  const auto end = std::chrono::steady_clock::now() + time;
  while (true) {
    const auto left = std::chrono::duration_cast<Millis>(end - std::chrono::steady_clock::now());
    if (left <= Millis(0)) return;
    bool pending = false;
    for (const Socket& socket : sockets_) pending = pending || !socket.unsent.empty();
    if (!pending) return std::this_thread::sleep_for(left);
    turn(left);
  }
}

}  // namespace hf::conformance
