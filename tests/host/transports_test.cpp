// The same small conversation over every transport: echo, back-pressure, closing from either end, who it is that came.
#include <chrono>
#include <cstring>
#include <memory>
#include <optional>
#include <thread>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "broker/host/host.hpp"
#include "broker/wrapping/tls_session.hpp"
#include "tests/host/echo.hpp"
#include "tests/support/authority.hpp"

namespace hf::host {
namespace {

struct Transport {
  const char* name;
  bool proxy = false, tls = false, websocket = false, file = false;
};

wrapping::TlsSettings settings_of(const test_support::Issued& issued, const std::string& ca) {
  wrapping::TlsSettings settings;
  settings.certificate = issued.certificate;
  settings.key = issued.key;
  settings.ca = ca;
  return settings;
}

/// A client that wraps what it says as the transport wants it. Messages of WebSocket are at most 64 KiB here.
class Speaker {
 public:
  Speaker(const Transport& transport, int handle, const wrapping::TlsSettings& settings) : transport_(transport), handle_(handle) {
    const timeval patience{10, 0};
    ::setsockopt(handle_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (transport.proxy) write("PROXY TCP4 192.0.2.1 192.0.2.2 4711 1883\r\n");
    if (transport.tls) {
      tls_.emplace(wrapping::TlsContext::client(settings).value(), wrapping::TlsSession::End::client);
      std::string out;
      tls_->receive({}, plain_, out);
      write(out);
      while (tls_->state() == wrapping::TlsSession::State::shaking && fill()) {
      }
    }
    if (!transport.websocket) return;
    put("GET /mqtt HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n");
    while (plain_.find("\r\n\r\n") == std::string::npos && fill()) {
    }
    plain_.erase(0, plain_.find("\r\n\r\n") + 4);
  }
  Speaker(const Speaker&) = delete;
  Speaker& operator=(const Speaker&) = delete;
  ~Speaker() { ::close(handle_); }

  void say(const std::string& text) { put(transport_.websocket ? frame('\x82', text) : text); }
  /// A good-bye as the transport has it, then the end of the stream.
  void leave() {
    if (transport_.websocket) put(frame('\x88', "\x03\xE8"));
    if (tls_) {
      std::string out;
      tls_->close(out);
      write(out);
    }
    ::shutdown(handle_, SHUT_WR);
  }
  /// `size` bytes of messages, fewer at the end of the stream.
  std::string hear(std::size_t size) {
    std::string heard;
    while (heard.size() < size) {
      if (!transport_.websocket) {
        heard += plain_.substr(0, size - heard.size());
        plain_.erase(0, heard.size());
      } else if (take_frame(heard)) {
        continue;
      }
      if (heard.size() < size && !fill()) break;
    }
    return heard;
  }
  /// Until the end of the stream. Answers what else came, with the frames of WebSocket as they are.
  std::string last_words() {
    while (fill()) {
    }
    return plain_;
  }
  /// The transport's own good-bye came before the end.
  [[nodiscard]] bool in_good_order() const { return !tls_ || tls_->state() == wrapping::TlsSession::State::ended; }
  [[nodiscard]] int handle() const { return handle_; }

 private:
  static std::string frame(char first, const std::string& text) {
    std::string bytes(1, first);
    if (text.size() < 126) {
      bytes.push_back(static_cast<char>(0x80U | text.size()));
    } else {
      bytes += {'\xFE', static_cast<char>(text.size() >> 8U), static_cast<char>(text.size())};
    }
    return bytes + std::string(4, '\0') + text;  // a mask of zeros
  }
  void write(const std::string& bytes) const {
    EXPECT_EQ(::send(handle_, bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
  }
  void put(const std::string& bytes) {
    std::string out;
    tls_ ? tls_->send(bytes, out) : static_cast<void>(out = bytes);
    write(out);
  }
  bool fill() {
    std::string bytes(65536, '\0');
    const ssize_t got = ::recv(handle_, bytes.data(), bytes.size(), 0);
    if (got <= 0) return false;
    bytes.resize(static_cast<std::size_t>(got));
    std::string out;
    tls_ ? tls_->receive(bytes, plain_, out) : static_cast<void>(plain_ += bytes);
    if (!out.empty()) write(out);
    return true;
  }
  bool take_frame(std::string& heard) {
    if (plain_.size() < 2 || plain_[0] != '\x82') return false;
    std::size_t header = 2, size = static_cast<unsigned char>(plain_[1]);
    if (size >= 126) {
      const std::size_t bytes = size == 126 ? 2 : 8;
      if (plain_.size() < 2 + bytes) return false;
      size = 0;
      for (std::size_t i = 0; i < bytes; ++i) size = size << 8U | static_cast<unsigned char>(plain_[2 + i]);
      header += bytes;
    }
    if (plain_.size() < header + size) return false;
    heard += plain_.substr(header, size);
    plain_.erase(0, header + size);
    return true;
  }

  Transport transport_;
  int handle_;
  std::optional<wrapping::TlsSession> tls_;
  std::string plain_;
};

class Transports : public testing::TestWithParam<Transport> {
 protected:
  static void SetUpTestSuite() {
    authority = new test_support::Authority("authority");
    node = new wrapping::TlsSettings(settings_of(authority->issue("node"), authority->certificate()));
    ann = new wrapping::TlsSettings(settings_of(authority->issue("ann"), authority->certificate()));
  }
  static void TearDownTestSuite() {
    delete node;
    delete ann;
    delete authority;
  }
  void SetUp() override { launch(); }
  void launch(HostOptions options = {}) {
    const Transport& transport = GetParam();
    auto& listener = options.listeners[0];
    listener.name = "listener";
    listener.bind = options.peer_bind = "127.0.0.1";
    listener.port = options.peer_port = 0;
    listener.proxy_protocol = transport.proxy;
    listener.websocket = transport.websocket;
    if (transport.file) listener.unix_path = path();
    if (transport.tls) {
      listener.tls = *node;
      listener.tls->client_certificate = wrapping::ClientCertificate::required;
      listener.tls->user_from = wrapping::UserFrom::common_name;
    }
    auto opened = Host::open(options);
    ASSERT_TRUE(opened) << opened.error().text;
    host_ = std::move(*opened);
    echo_ = std::make_unique<Echo>(host_->environment());
    thread_ = std::thread([this] {
      host_->start(*echo_);
      host_->run();
    });
  }
  void TearDown() override {
    if (!thread_.joinable()) return;
    host_->ask_stop();
    thread_.join();
  }
  static std::string path() { return authority->directory() + "/listener.sock"; }
  int dial() {
    const bool file = GetParam().file;
    const int handle = ::socket(file ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un there{};
    there.sun_family = AF_UNIX;
    path().copy(there.sun_path, sizeof there.sun_path - 1);
    sockaddr_in here{};
    here.sin_family = AF_INET;
    here.sin_port = htons(host_->client_port());
    here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(handle, file ? reinterpret_cast<const sockaddr*>(&there) : reinterpret_cast<const sockaddr*>(&here),
                        file ? sizeof there : sizeof here), 0);
    return handle;
  }
  std::unique_ptr<Speaker> speaker() { return std::make_unique<Speaker>(GetParam(), dial(), *ann); }
  template <class Condition>
  static bool eventually(Condition condition) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!condition()) {
      if (std::chrono::steady_clock::now() > end) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    return true;
  }

  static test_support::Authority* authority;
  static wrapping::TlsSettings *node, *ann;
  std::unique_ptr<Host> host_;
  std::unique_ptr<Echo> echo_;
  std::thread thread_;
};
test_support::Authority* Transports::authority;
wrapping::TlsSettings* Transports::node;
wrapping::TlsSettings* Transports::ann;

INSTANTIATE_TEST_SUITE_P(Host, Transports,
                         testing::Values(Transport{"tcp"}, Transport{"unix_socket", false, false, false, true},
                                         Transport{"proxy", true}, Transport{"tls", false, true},
                                         Transport{"websocket", false, false, true}, Transport{"secure_websocket", false, true, true},
                                         Transport{"all", true, true, true}),
                         [](const auto& each) { return each.param.name; });

TEST_P(Transports, echo_and_tell_who_came) {
  const auto client = speaker();
  client->say("hello");
  EXPECT_EQ(client->hear(5), "hello");
  const std::string large(60'000, 'l');
  for (int i = 0; i < 5; ++i) client->say(large);
  EXPECT_EQ(client->hear(300'000).size(), 300'000U);
  const auto who = echo_->last();
  const Transport& transport = GetParam();
  if (transport.proxy) {
    EXPECT_EQ(who[0], "192.0.2.1:4711");
  } else if (transport.file) {
    EXPECT_EQ(who[0], "unix");
  } else {
    EXPECT_EQ(who[0].rfind("127.0.0.1:", 0), 0U);
  }
  EXPECT_EQ(who[1], "listener");
  EXPECT_EQ(who[2], transport.tls ? "ann" : "");
  EXPECT_EQ(who[3], transport.proxy ? "elsewhere" : "here");
}

TEST_P(Transports, a_slow_reader_holds_the_handler_back) {
  const auto client = speaker();
  client->say("flood");  // more than the kernel keeps for us
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  EXPECT_EQ(echo_->writable, 0) << "nothing was read yet: above the mark";
  EXPECT_EQ(client->hear(20'000'000).size(), 20'000'000U);
  EXPECT_TRUE(eventually([&] { return echo_->writable == 1; })) << echo_->writable;
}

TEST_P(Transports, the_handlers_close_is_flushed_and_said) {
  const auto client = speaker();
  client->say("bye");
  EXPECT_EQ(client->hear(3), "bye");
  const std::string rest = client->last_words();
  EXPECT_EQ(rest, GetParam().websocket ? "\x88\x02\x03\xE9" : "");
  EXPECT_TRUE(client->in_good_order());
}

TEST_P(Transports, the_clients_good_bye_is_answered) {
  const auto client = speaker();
  client->say("x");
  EXPECT_EQ(client->hear(1), "x");
  ASSERT_EQ(echo_->clients, 1);
  client->leave();
  EXPECT_TRUE(eventually([&] { return echo_->clients == 0; }));
  EXPECT_EQ(client->last_words(), GetParam().websocket ? "\x88\x02\x03\xE8" : "");
}

TEST_P(Transports, nobody_is_told_of_a_stream_before_its_handshakes_are_done) {
  const Transport& transport = GetParam();
  if (!transport.proxy && !transport.tls && !transport.websocket) GTEST_SKIP() << "there is no handshake";
  TearDown();
  HostOptions options;
  options.handshake_timeout = 300ms;
  launch(options);
  const int handle = dial();
  char byte = 0;
  EXPECT_LE(::recv(handle, &byte, 1, 0), 0) << "closed in time, by an end or a reset";
  ::close(handle);
  EXPECT_EQ(echo_->clients, 0);
  EXPECT_EQ(echo_->last()[1], "");
  const auto client = speaker();
  std::this_thread::sleep_for(std::chrono::milliseconds(400));
  client->say("later");
  EXPECT_EQ(client->hear(5), "later") << "the limit was for the handshake only";
}

}  // namespace
}  // namespace hf::host
