// The other end of a connection to the administration, on the test's own thread.
#pragma once

#include <cerrno>
#include <string>
#include <string_view>

#include <sys/socket.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>

#include "broker/admin/server.hpp"

namespace hf::admin {

/// Non-blocking.
class Peer {
 public:
  Peer(Server& server, boost::asio::io_context& loop) : loop_(loop) {
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    handle_ = ends[0];
    server.adopt(ends[1]);
  }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;
  ~Peer() { ::close(handle_); }

  void send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto sent = ::send(handle_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent > 0) bytes.remove_prefix(static_cast<std::size_t>(sent));
      if (sent < 0 && errno != EAGAIN) return;
      run();
    }
    run();
  }
  /// What has come so far.
  std::string take() {
    std::string all;
    for (int quiet = 0; quiet < 3; ++quiet) {
      run();
      char part[65536];
      for (ssize_t got = ::recv(handle_, part, sizeof part, 0); got >= 0; got = ::recv(handle_, part, sizeof part, 0)) {
        ended_ = got == 0;
        if (ended_) break;
        all.append(part, static_cast<std::size_t>(got));
        quiet = 0;
      }
    }
    return all;
  }
  [[nodiscard]] bool ended() {
    take();
    return ended_;
  }
  void finish() const { ::shutdown(handle_, SHUT_WR); }
  void run() {
    loop_.restart();
    loop_.poll();
  }

 private:
  boost::asio::io_context& loop_;
  int handle_ = -1;
  bool ended_ = false;
};

}  // namespace hf::admin
