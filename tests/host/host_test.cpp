// Host with a small echo handler: clients on real sockets, limits, stopping, what idle costs.
#include "broker/host/host.hpp"

#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <fstream>
#include <mutex>
#include <thread>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "broker/host/sockets.hpp"
#include "tests/host/echo.hpp"

namespace hf::host {
namespace {

class Client {
 public:
  explicit Client(std::uint16_t port) : handle_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const timeval patience{10, 0};
    ::setsockopt(handle_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    EXPECT_EQ(::connect(handle_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0)
        << std::strerror(errno);
  }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  Client(Client&& other) noexcept : handle_(std::exchange(other.handle_, -1)) {}
  Client& operator=(Client&&) = delete;
  ~Client() {
    if (handle_ >= 0) ::close(handle_);
  }
  void say(std::string_view text) const {
    EXPECT_EQ(::send(handle_, text.data(), text.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(text.size()));
  }
  /// `size` bytes, fewer at the end of the stream.
  [[nodiscard]] std::string hear(std::size_t size) const {
    std::string text(size, '\0');
    std::size_t have = 0;
    while (have < size) {
      const ssize_t got = ::recv(handle_, text.data() + have, size - have, 0);
      if (got <= 0) break;
      have += static_cast<std::size_t>(got);
    }
    text.resize(have);
    return text;
  }

 private:
  int handle_;
};

class HostTest : public testing::Test {
 protected:
  void launch(HostOptions options = {}, bool stubborn = false) {
    options.peer_bind = options.listeners[0].bind = "127.0.0.1";
    options.peer_port = options.listeners[0].port = 0;
    options.log = [this](const env::LogLine& line) {
      const std::lock_guard lock(mutex_);
      log_ += std::string(line.text) + "\n";
    };
    auto opened = Host::open(options);
    ASSERT_TRUE(opened) << opened.error().text;
    host_ = std::move(*opened);
    echo_ = std::make_unique<Echo>(host_->environment());
    echo_->stubborn = stubborn;
    thread_ = std::thread([this] {
      host_->start(*echo_);
      host_->run();
      done_ = true;
    });
  }
  void TearDown() override {
    if (!thread_.joinable()) return;
    if (!done_) host_->ask_stop();
    thread_.join();
  }
  template <class Condition>
  static bool eventually(Condition condition, std::chrono::seconds patience = std::chrono::seconds(10)) {
    const auto end = std::chrono::steady_clock::now() + patience;
    while (!condition()) {
      if (std::chrono::steady_clock::now() > end) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    return true;
  }
  std::string log() {
    const std::lock_guard lock(mutex_);
    return log_;
  }

  std::unique_ptr<Host> host_;
  std::unique_ptr<Echo> echo_;
  std::thread thread_;
  std::atomic<bool> done_{false};
  std::mutex mutex_;
  std::string log_;
};

TEST_F(HostTest, echoes_clients_and_tells_them_from_peers) {
  launch();
  const Client client(host_->client_port());
  client.say("hello");
  EXPECT_EQ(client.hear(5), "hello");
  const Client peer(host_->peer_port());
  peer.say("peer");
  EXPECT_EQ(peer.hear(4), "peer");
  EXPECT_EQ(echo_->peers, 1);
}

TEST_F(HostTest, closes_after_flushing_although_the_client_sent_more) {
  launch();
  const Client client(host_->client_port());
  client.say("bye");
  EXPECT_EQ(client.hear(3), "bye");
  EXPECT_EQ(client.hear(1), "") << "the stream should have ended";
}

TEST_F(HostTest, a_burst_above_the_mark_is_told_writable_once) {
  launch();
  const Client client(host_->client_port());
  client.say("burst");
  EXPECT_EQ(client.hear(1'000'000).size(), 1'000'000U);
  EXPECT_TRUE(eventually([&] { return echo_->writable == 1; }));
}

TEST_F(HostTest, many_events_share_a_turn) {
  launch();
  std::vector<Client> clients;
  for (int i = 0; i < 200; ++i) clients.emplace_back(host_->client_port());
  ASSERT_TRUE(eventually([&] { return echo_->clients == 200; }));
  for (int round = 0; round < 50; ++round) {
    for (const auto& client : clients) client.say("x");
  }
  for (const auto& client : clients) EXPECT_EQ(client.hear(50).size(), 50U);
  EXPECT_LT(echo_->turns, 200U * 50U);
}

TEST_F(HostTest, one_who_sends_without_end_does_not_keep_a_turn_going) {
  launch();
  const Client flooder(host_->client_port()), other(host_->client_port());
  const std::string much(16 * 1024, 'x');
  std::thread flood([&] {
    for (int i = 0; i < 1024; ++i) flooder.say(much);
  });
  other.say("hello");
  EXPECT_EQ(other.hear(5), "hello");
  flood.join();
  EXPECT_EQ(flooder.hear(1024 * much.size()).size(), 1024 * much.size()) << "nothing is lost";
  EXPECT_LE(echo_->most_in_a_turn, 512U * 1024U) << "256 KiB, and what one stream had read by then";
}

TEST_F(HostTest, who_sends_much_is_looked_at_more_than_each_second) {
  std::atomic<int> looks{0};
  HostOptions options;
  options.each_second = [&] { ++looks; };
  options.each_bytes = 64 * 1024;
  launch(options);
  const Client client(host_->client_port());
  const std::string much(64 * 1024, 'x');
  const auto began = std::chrono::steady_clock::now();
  for (int i = 0; i < 50; ++i) {
    client.say(much);
    ASSERT_EQ(client.hear(much.size()).size(), much.size());
  }
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - began).count();
  EXPECT_GE(looks, 10 + seconds) << "a turn reads 256 KiB at most, or a little more";
  EXPECT_LE(looks, 52 + seconds);
}

TEST_F(HostTest, over_the_limit_connections_end_politely) {
  HostOptions options;
  options.max_connections = 2;
  launch(options);
  const Client one(host_->client_port());
  auto two = std::make_unique<Client>(host_->client_port());
  ASSERT_TRUE(eventually([&] { return echo_->clients == 2; }));
  const Client three(host_->client_port());
  EXPECT_EQ(three.hear(1), "");
  EXPECT_NE(log().find("max_connections"), std::string::npos);
  const Client peer(host_->peer_port());  // peers are not counted
  peer.say("in");
  EXPECT_EQ(peer.hear(2), "in");
  two.reset();
  ASSERT_TRUE(eventually([&] { return echo_->clients == 1; }));
  const Client four(host_->client_port());
  four.say("ok");
  EXPECT_EQ(four.hear(2), "ok");
}

TEST_F(HostTest, out_of_descriptors_it_waits_and_goes_on) {
  launch();
  const Client first(host_->client_port());
  first.say("a");
  EXPECT_EQ(first.hear(1), "a");
  rlimit old{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &old), 0);
  const Client second(host_->client_port());
  ASSERT_TRUE(eventually([&] { return echo_->clients == 2; }));
  // A client's socket is made first; then no further descriptor may be had.
  const int spare = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  rlimit tight = old;
  tight.rlim_cur = static_cast<rlim_t>(spare) + 1;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &tight), 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(host_->client_port());
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(::connect(spare, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  EXPECT_TRUE(eventually([&] { return log().find("cannot accept") != std::string::npos; }));
  const std::size_t turns = echo_->turns;
  second.say("still here");
  EXPECT_EQ(second.hear(10), "still here");
  EXPECT_LT(echo_->turns - turns, 20U);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &old), 0);
  EXPECT_TRUE(eventually([&] { return echo_->clients == 3; }));
  ::close(spare);
}

TEST_F(HostTest, a_port_in_use_is_named) {
  launch();
  HostOptions options;
  options.peer_bind = options.listeners[0].bind = "127.0.0.1";
  options.listeners[0].port = host_->client_port();
  const auto second = Host::open(options);
  ASSERT_FALSE(second);
  EXPECT_NE(second.error().text.find("127.0.0.1 port " + std::to_string(options.listeners[0].port)),
            std::string::npos)
      << second.error().text;
}

TEST_F(HostTest, a_signal_asks_to_stop) {
  launch();
  const Client client(host_->client_port());
  client.say("up");
  EXPECT_EQ(client.hear(2), "up");
  ASSERT_EQ(::kill(::getpid(), SIGTERM), 0);
  EXPECT_TRUE(eventually([&] { return done_.load(); }));
  EXPECT_EQ(echo_->stops, 1);
}

TEST_F(HostTest, sighup_reloads_within_a_turn) {
  HostOptions options;
  std::atomic<int> reloads{0};
  options.reload = [&] { ++reloads; };
  launch(options);
  const Client client(host_->client_port());
  client.say("up");
  EXPECT_EQ(client.hear(2), "up");
  const std::size_t turns = echo_->turns;
  ASSERT_EQ(::kill(::getpid(), SIGHUP), 0);
  ASSERT_TRUE(eventually([&] { return reloads == 1; }));
  EXPECT_TRUE(eventually([&] { return echo_->turns > turns; }));
  client.say("yes");
  EXPECT_EQ(client.hear(3), "yes");
  host_->ask_reload();
  EXPECT_TRUE(eventually([&] { return reloads == 2; }));
}

TEST_F(HostTest, a_handler_that_does_not_stop_is_left_behind) {
  HostOptions options;
  options.stop_timeout = 200ms;
  launch(options, true);
  const Client client(host_->client_port());
  client.say("up");
  EXPECT_EQ(client.hear(2), "up");
  host_->ask_stop();
  EXPECT_TRUE(eventually([&] { return done_.load(); }));
  EXPECT_EQ(echo_->stops, 1);
}

TEST_F(HostTest, a_second_signal_stops_at_once) {
  launch({}, true);
  const Client client(host_->client_port());
  client.say("up");
  EXPECT_EQ(client.hear(2), "up");
  ASSERT_EQ(::kill(::getpid(), SIGINT), 0);
  ASSERT_TRUE(eventually([&] { return echo_->stops == 1; }));
  EXPECT_FALSE(done_);
  ASSERT_EQ(::kill(::getpid(), SIGINT), 0);
  EXPECT_TRUE(eventually([&] { return done_.load(); }, std::chrono::seconds(5)));
}

std::size_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::size_t total = 0, resident = 0;
  file >> total >> resident;
  return resident * 4096;
}

TEST_F(HostTest, an_idle_connection_costs_no_buffer) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "sanitizers have their own idea of memory";
#endif
  constexpr int count = 1000;
  launch();
  std::vector<Client> clients;
  clients.reserve(count);
  clients.emplace_back(host_->client_port());
  clients[0].say("warm");
  EXPECT_EQ(clients[0].hear(4), "warm");
  const std::size_t before = resident_bytes();
  while (clients.size() < count) clients.emplace_back(host_->client_port());
  for (const auto& client : clients) client.say("once");
  for (const auto& client : clients) EXPECT_EQ(client.hear(4), "once");
  const std::size_t each = (resident_bytes() - before) / count;
  RecordProperty("bytes_per_connection", static_cast<int>(each));
  EXPECT_LT(each, 2000U);
}

TEST(Addresses, are_split_or_refused) {
  using Parts = std::pair<std::string, std::uint16_t>;
  EXPECT_EQ(split_address("10.0.0.1:7946"), (Parts{"10.0.0.1", 7946}));
  EXPECT_EQ(split_address("[::1]:1"), (Parts{"::1", 1}));
  EXPECT_EQ(split_address("node-1.example:65535"), (Parts{"node-1.example", 65535}));
  for (const char* bad : {"", ":", "host", "host:", ":1", "host:0", "host:65536", "host:1x", "h:-1"}) {
    EXPECT_FALSE(split_address(bad)) << bad;
  }
}

}  // namespace
}  // namespace hf::host
