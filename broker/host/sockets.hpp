// TCP sockets as the kernel gives them: listen, accept, connect, addresses. All non-blocking.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <sys/socket.h>

#include "broker/base/result.hpp"

namespace hf::host {

struct Endpoint {
  sockaddr_storage address{};
  socklen_t size = 0;
};

/// "host:port", "1.2.3.4:port" or "[::1]:port".
std::optional<std::pair<std::string, std::uint16_t>> split_address(std::string_view address);
/// A numeric IPv4 or IPv6 address.
std::optional<Endpoint> numeric_endpoint(const std::string& host, std::uint16_t port);
std::string text_of(const Endpoint& endpoint);
/// 127.0.0.0/8 or ::1, also as an IPv4 address within IPv6.
bool is_loopback(const Endpoint& endpoint);

/// The other end's address.
Endpoint remote_of(int handle);

/// A listening socket, or a sentence that says which address and why not.
Result<int> listen_on(const std::string& host, std::uint16_t port);
std::uint16_t port_of(int handle);

struct Accepted {
  int handle = -1;
  int error = 0;  ///< errno when there is no handle
  Endpoint remote;
};
Accepted accept_on(int listener);

struct Connecting {
  int handle = -1;
  int error = 0;  ///< 0: connected; EINPROGRESS: wait until writable; else failed
};
Connecting start_connect(const Endpoint& endpoint);
/// What became of a connect in progress: 0 or an errno.
int connect_result(int handle);

/// Makes the coming close() a reset.
void reset_on_close(int handle);

}  // namespace hf::host
