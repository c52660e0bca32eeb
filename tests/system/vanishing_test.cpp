// Ten thousand connections that open and vanish, against holdfastd: descriptors and memory are what they were.
#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "tests/system/processes.hpp"

namespace hf::system_tests {
namespace {

constexpr int connections = 10'000;
constexpr int at_a_time = 100;

int dial(std::uint16_t port) {
  const int handle = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(::connect(handle, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  return handle;
}

/// Nothing, half a CONNECT, a whole one, or a whole one with more behind it.
std::string words(int number) {
  const std::string id = "vanishing-" + std::to_string(10'000 + number);
  std::string connect = std::string("\x10\x1c\x00\x04MQTT\x05\x02\x00\x00\x00\x00", 14) + static_cast<char>(id.size()) + id;
  connect[1] = static_cast<char>(connect.size() - 2);
  switch (number % 4) {
    case 0: return "";
    case 1: return connect.substr(0, 9);
    case 2: return connect;
    default: return connect + std::string("\x82\x07\x00\x01\x00\x00\x01t\x00", 9);
  }
}

void come_and_go(std::uint16_t port) {
  for (int begin = 0; begin < connections; begin += at_a_time) {
    std::vector<int> handles;
    for (int i = 0; i < at_a_time; ++i) {
      handles.push_back(dial(port));
      const std::string said = words(begin + i);
      if (!said.empty()) {
        EXPECT_GT(::send(handles.back(), said.data(), said.size(), MSG_NOSIGNAL), 0);
      }
      const linger hard{1, 0};  // RST: no port of ours waits for another end
      ::setsockopt(handles.back(), SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    }
    for (const int handle : handles) ::close(handle);
  }
}

std::size_t descriptors(pid_t pid) {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/fd")) count += entry.path().empty() ? 0U : 1U;
  return count;
}

/// Resident bytes that are the process's own, files not counted.
std::size_t resident(pid_t pid) {
  const std::string status = slurp("/proc/" + std::to_string(pid) + "/status");
  const auto at = status.find("RssAnon:");
  return at == std::string::npos ? 0 : std::stoul(status.substr(at + 8)) * 1024;
}

TEST(Vanishing, ten_thousand_connections_leave_holdfastd_as_it_was) {
  Cluster cluster(1);
  cluster.start_all();
  ASSERT_TRUE(cluster.wait_joined()) << cluster.log(0);
  const pid_t pid = cluster.pid(0);
  ASSERT_TRUE(eventually([&] { return descriptors(pid) < 60; })) << descriptors(pid);
  const std::size_t open_before = descriptors(pid);
  come_and_go(cluster.port(0));
  come_and_go(cluster.port(0));
  ASSERT_TRUE(eventually([&] { return descriptors(pid) <= open_before + 2; })) << open_before << ", now " << descriptors(pid);
  const std::size_t before = resident(pid);
  ASSERT_GT(before, 0U);
  come_and_go(cluster.port(0));
  come_and_go(cluster.port(0));
  EXPECT_TRUE(eventually([&] { return descriptors(pid) <= open_before + 2; })) << open_before << ", now " << descriptors(pid);
  // Half of them said CONNECT, which is logged: RocksDB keeps that until it writes a table (a few hundred bytes each).
  EXPECT_LT(resident(pid), before + 20 * 1024 * 1024) << before << ", now " << resident(pid);
  EXPECT_EQ(cluster.stop(0), 0) << cluster.log(0);
}

}  // namespace
}  // namespace hf::system_tests
