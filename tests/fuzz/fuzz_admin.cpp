// The administration's HTTP: any bytes, in one piece or two, are answered within bounds, and the connection ends with its reader.
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>

#include "broker/admin/server.hpp"
#include "tests/node/bench_node.hpp"

namespace {

using namespace hf;  // NOLINT: a program of one file

constexpr std::size_t answer_max = 8U << 20U;

/// A node with a client in memory, and its administration.
struct World {
  World() : administration(node.shard().inspection(), surroundings(), {}), server(loop, administration, {}) {}

  admin::Surroundings surroundings() {
    admin::Surroundings around;
    around.log_level = [] { return "info"; };
    around.set_log_level = [](const std::string&) {};
    around.log = [](env::Level, std::string_view, std::string_view) {};
    around.in_turn = [this](const std::function<void()>& job) { node.turn(job); };
    return around;
  }

  void meet() {
    client = std::make_unique<bench::Client>(node);
    auto packet = bench::Client::connect_packet("a");
    packet.properties.edit().session_expiry_interval = 60;
    if (!client->connect(packet)) std::abort();
    client->subscribe("t/+", 1);
  }

  /// Takes what has come.
  std::size_t take(int handle) {
    static std::vector<char> part(1U << 16U);
    std::size_t all = 0;
    for (bool quiet = false; !quiet;) {
      loop.restart();
      quiet = loop.poll() == 0;
      for (ssize_t got = ::recv(handle, part.data(), part.size(), 0); got > 0; got = ::recv(handle, part.data(), part.size(), 0)) {
        all += static_cast<std::size_t>(got);
        quiet = false;
      }
    }
    return all;
  }

  bench::Node node;
  std::unique_ptr<bench::Client> client;
  boost::asio::io_context loop;
  admin::Administration administration;
  admin::Server server;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static World world;
  if (size == 0) return 0;
  if (!world.client || world.client->closed()) world.meet();
  world.administration.set_rights({data[0] % 4 == 3 ? "0123456789abcdef" : "", data[0] % 8 > 3, false});
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::size_t cut = bytes.size() * (data[0] / 8U) / 32U;
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0) std::abort();
  world.server.adopt(ends[1]);
  std::size_t answered = 0;
  for (const auto part : {bytes.substr(0, cut), bytes.substr(cut)}) {
    static_cast<void>(::send(ends[0], part.data(), part.size(), MSG_NOSIGNAL));
    answered += world.take(ends[0]);
  }
  world.client->subscribe("t/+", 1, 2);  // something to trace
  answered += world.take(ends[0]);
  ::shutdown(ends[0], SHUT_WR);
  answered += world.take(ends[0]);
  ::close(ends[0]);
  world.take(-1);
  if (answered > answer_max || world.server.connections() != 0) std::abort();
  return 0;
}
