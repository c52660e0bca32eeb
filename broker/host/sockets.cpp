// TCP sockets as the kernel gives them: listen, accept, connect, addresses. All non-blocking.
#include "broker/host/sockets.hpp"

#include <cerrno>
#include <charconv>
#include <cstring>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

namespace hf::host {
namespace {

void set_option(int handle, int level, int name, int value) {
  static_cast<void>(::setsockopt(handle, level, name, &value, sizeof value));
}

/// Nagle costs 40 ms at p90; a host that vanished shows after two minutes.
void set_stream_options(int handle) {
  set_option(handle, IPPROTO_TCP, TCP_NODELAY, 1);
  set_option(handle, SOL_SOCKET, SO_KEEPALIVE, 1);
  set_option(handle, IPPROTO_TCP, TCP_KEEPIDLE, 60);
  set_option(handle, IPPROTO_TCP, TCP_KEEPINTVL, 15);
  set_option(handle, IPPROTO_TCP, TCP_KEEPCNT, 4);
}

sockaddr* raw(Endpoint& endpoint) { return reinterpret_cast<sockaddr*>(&endpoint.address); }
const sockaddr* raw(const Endpoint& endpoint) {
  return reinterpret_cast<const sockaddr*>(&endpoint.address);
}

/// On loopback a connect to a free ephemeral port can meet itself.
bool is_self_connect(int handle) {
  Endpoint here, there;
  here.size = there.size = sizeof(sockaddr_storage);
  return ::getsockname(handle, raw(here), &here.size) == 0 &&
         ::getpeername(handle, raw(there), &there.size) == 0 && here.size == there.size &&
         std::memcmp(&here.address, &there.address, here.size) == 0;
}

}  // namespace

std::optional<std::pair<std::string, std::uint16_t>> split_address(std::string_view address) {
  const auto colon = address.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return std::nullopt;
  std::string_view host = address.substr(0, colon);
  const std::string_view digits = address.substr(colon + 1);
  if (host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error != std::errc() || end != digits.data() + digits.size() || port == 0 || host.empty()) {
    return std::nullopt;
  }
  return std::pair{std::string(host), port};
}

std::optional<Endpoint> numeric_endpoint(const std::string& host, std::uint16_t port) {
  Endpoint endpoint;
  sockaddr_in v4{};
  if (::inet_pton(AF_INET, host.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    std::memcpy(&endpoint.address, &v4, endpoint.size = sizeof v4);
    return endpoint;
  }
  sockaddr_in6 v6{};
  if (::inet_pton(AF_INET6, host.c_str(), &v6.sin6_addr) == 1) {
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    std::memcpy(&endpoint.address, &v6, endpoint.size = sizeof v6);
    return endpoint;
  }
  return std::nullopt;
}

std::string text_of(const Endpoint& endpoint) {
  if (endpoint.address.ss_family == AF_UNIX) return "unix";
  char text[INET6_ADDRSTRLEN] = "";
  if (endpoint.address.ss_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, &endpoint.address, sizeof v4);
    ::inet_ntop(AF_INET, &v4.sin_addr, text, sizeof text);
    return std::string(text) + ":" + std::to_string(ntohs(v4.sin_port));
  }
  sockaddr_in6 v6{};
  std::memcpy(&v6, &endpoint.address, sizeof v6);
  ::inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof text);
  return "[" + std::string(text) + "]:" + std::to_string(ntohs(v6.sin6_port));
}

bool is_loopback(const Endpoint& endpoint) {
  if (endpoint.address.ss_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, &endpoint.address, sizeof v4);
    return (ntohl(v4.sin_addr.s_addr) >> 24U) == 127;
  }
  if (endpoint.address.ss_family != AF_INET6) return false;
  sockaddr_in6 v6{};
  std::memcpy(&v6, &endpoint.address, sizeof v6);
  if (IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr)) return true;
  return IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr) && v6.sin6_addr.s6_addr[12] == 127;
}

Result<int> listen_on(const std::string& host, std::uint16_t port) {
  const std::string where = host + " port " + std::to_string(port);
  const auto endpoint = numeric_endpoint(host, port);
  if (!endpoint) return fail(Blame::user, "cannot listen on " + where + ": not a numeric address");
  const int handle =
      ::socket(endpoint->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (handle < 0) return fail(Blame::ours, "cannot listen on " + where + ": " + std::strerror(errno));
  set_option(handle, SOL_SOCKET, SO_REUSEADDR, 1);
  if (::bind(handle, raw(*endpoint), endpoint->size) != 0 || ::listen(handle, 4096) != 0) {
    const int error = errno;
    ::close(handle);
    return fail(Blame::user, "cannot listen on " + where + ": " + std::strerror(error));
  }
  return handle;
}

Endpoint remote_of(int handle) {
  Endpoint there;
  there.size = sizeof(sockaddr_storage);
  static_cast<void>(::getpeername(handle, raw(there), &there.size));
  return there;
}

std::uint16_t port_of(int handle) {
  Endpoint here;
  here.size = sizeof(sockaddr_storage);
  if (::getsockname(handle, raw(here), &here.size) != 0) return 0;
  // Port and family lie at the same place in both kinds of address.
  sockaddr_in v4{};
  std::memcpy(&v4, &here.address, sizeof v4);
  return ntohs(v4.sin_port);
}

Accepted accept_on(int listener) {
  Accepted accepted;
  accepted.remote.size = sizeof(sockaddr_storage);
  accepted.handle = ::accept4(listener, raw(accepted.remote), &accepted.remote.size,
                              SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (accepted.handle < 0) {
    accepted.error = errno;
  } else {
    set_stream_options(accepted.handle);
  }
  return accepted;
}

Connecting start_connect(const Endpoint& endpoint) {
  Connecting started;
  started.handle =
      ::socket(endpoint.address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (started.handle < 0) {
    started.error = errno;
    return started;
  }
  set_stream_options(started.handle);
  if (::connect(started.handle, raw(endpoint), endpoint.size) != 0) started.error = errno;
  if (started.error == 0) started.error = connect_result(started.handle);
  if (started.error != 0 && started.error != EINPROGRESS) {
    ::close(started.handle);
    started.handle = -1;
  }
  return started;
}

int connect_result(int handle) {
  int error = 0;
  socklen_t size = sizeof error;
  if (::getsockopt(handle, SOL_SOCKET, SO_ERROR, &error, &size) != 0) return errno;
  if (error == 0 && is_self_connect(handle)) return ECONNREFUSED;
  return error;
}

void reset_on_close(int handle) {
  const linger now{1, 0};
  static_cast<void>(::setsockopt(handle, SOL_SOCKET, SO_LINGER, &now, sizeof now));
}

}  // namespace hf::host
