// 50 publishers to 50 subscribers on topics of their own, against any MQTT broker: messages a second, end to end.
#include <algorithm>
#include <array>
#include <boost/asio.hpp>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "broker/mqtt/decoder.hpp"
#include "broker/mqtt/encoder.hpp"

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using namespace hf::mqtt;

struct Settings {
  std::uint16_t port = 1883;
  std::uint8_t qos = 0;
  std::size_t pairs = 50, size = 64, window = 20;
  double seconds = 5;
};

[[noreturn]] void fail(const std::string& what) {
  std::fprintf(stderr, "load: %s\n", what.c_str());
  std::exit(1);
}

/// One MQTT 5 client of clean start. Writes are gathered while one is under way.
class Client {
 public:
  Client(asio::io_context& io, const Settings& s) : settings(s), socket_(io), decoder_(Role::client) {}
  virtual ~Client() = default;

  void connect(const std::string& id) {
    socket_.connect(tcp::endpoint(asio::ip::address_v4::loopback(), settings.port));
    socket_.set_option(tcp::no_delay(true));
    Connect packet;
    packet.client_id = id;
    decoder_.set_version(Version::v5);
    send(packet);
    read();
  }
  void close() {
    boost::system::error_code ignored;
    closed_ = true;
    socket_.close(ignored);
  }
  bool ready = false;
  std::uint64_t done = 0;  ///< received, or acknowledged

 protected:
  virtual void on(Packet& packet) = 0;
  template <class P>
  void send(const P& packet) {
    encode(packet, Version::v5, out_);
    if (!writing_ && !posted_) {
      posted_ = true;
      asio::post(socket_.get_executor(), [this] { posted_ = false; write(); });
    }
  }
  const Settings& settings;

 private:
  void write() {
    if (writing_ || out_.empty() || closed_) return;
    writing_ = true;
    going_.swap(out_);
    out_.clear();
    asio::async_write(socket_, asio::buffer(going_), [this](boost::system::error_code error, std::size_t) {
      writing_ = false;
      if (closed_) return;
      if (error) fail("write: " + error.message());
      write();
    });
  }
  void read() {
    socket_.async_read_some(asio::buffer(in_), [this](boost::system::error_code error, std::size_t n) {
      if (closed_) return;
      if (error) fail("read: " + error.message());
      decoder_.feed(hf::Bytes(std::string(in_.data(), n)));
      Packet packet;
      Decoded decoded{};
      while ((decoded = decoder_.next(packet)) == Decoded::packet) on(packet);
      if (decoded == Decoded::failed) fail("decode: " + decoder_.error().text);
      read();
    });
  }

  tcp::socket socket_;
  Decoder decoder_;
  std::array<char, 65536> in_{};
  std::string out_, going_;
  bool writing_ = false, posted_ = false, closed_ = false;
};

class Publisher;

class Subscriber final : public Client {
 public:
  Subscriber(asio::io_context& io, const Settings& s, std::string topic) : Client(io, s), topic_(std::move(topic)) {}
  Publisher* feeds = nullptr;

 private:
  void on(Packet& packet) override;
  std::string topic_;
};

/// At most `window` messages beyond what the subscriber has, so that no queue hides what the broker cannot carry.
class Publisher final : public Client {
 public:
  Publisher(asio::io_context& io, const Settings& s, std::string topic, const Subscriber& to) : Client(io, s), to_(to) {
    message_.topic = std::move(topic);
    message_.payload = hf::Bytes(std::string(s.size, 'x'));
    message_.qos = s.qos;
  }
  void go() {
    while (ready && unacked_ < settings.window && sent_ - to_.done < settings.window) {
      ++sent_;
      if (settings.qos != 0) {
        message_.packet_id = static_cast<std::uint16_t>(sent_ % 60000 + 1);
        ++unacked_;
      }
      send(message_);
    }
  }

 private:
  void on(Packet& packet) override {
    if (std::holds_alternative<Connack>(packet)) ready = true;
    if (const auto* recd = std::get_if<Pubrec>(&packet)) {
      Pubrel release;
      release.packet_id = recd->packet_id;
      send(release);
    }
    if (std::holds_alternative<Puback>(packet) || std::holds_alternative<Pubcomp>(packet)) {
      --unacked_;
      go();
    }
    if (std::holds_alternative<Disconnect>(packet)) fail("a publisher was disconnected");
  }
  const Subscriber& to_;
  Publish message_;
  std::uint64_t sent_ = 0, unacked_ = 0;
};

void Subscriber::on(Packet& packet) {
  if (std::holds_alternative<Connack>(packet)) {
    Subscribe ask;
    ask.packet_id = 1;
    Subscription one;
    one.filter = topic_;
    one.qos = settings.qos;
    ask.subscriptions.push_back(one);
    send(ask);
  } else if (std::holds_alternative<Suback>(packet)) {
    ready = true;
  } else if (const auto* message = std::get_if<Publish>(&packet)) {
    ++done;
    if (message->qos == 1) {
      Puback ack;
      ack.packet_id = message->packet_id;
      send(ack);
    } else if (message->qos == 2) {
      Pubrec ack;
      ack.packet_id = message->packet_id;
      send(ack);
    }
    feeds->go();
  } else if (const auto* release = std::get_if<Pubrel>(&packet)) {
    Pubcomp ack;
    ack.packet_id = release->packet_id;
    send(ack);
  } else if (std::holds_alternative<Disconnect>(packet)) {
    fail("a subscriber was disconnected");
  }
}

double number(const char* text) {
  char* end = nullptr;
  const double value = std::strtod(text, &end);
  if (end == text || *end != '\0' || value < 0) fail("'" + std::string(text) + "': expected a number");
  return value;
}

}  // namespace

int main(int count, char** arguments) {
  Settings s;
  for (int i = 1; i + 1 < count; i += 2) {
    const std::string name = arguments[i];
    const double value = number(arguments[i + 1]);
    if (name == "--port") s.port = static_cast<std::uint16_t>(value);
    else if (name == "--qos") s.qos = static_cast<std::uint8_t>(value);
    else if (name == "--pairs") s.pairs = static_cast<std::size_t>(value);
    else if (name == "--size") s.size = static_cast<std::size_t>(value);
    else if (name == "--window") s.window = static_cast<std::size_t>(value);
    else if (name == "--seconds") s.seconds = value;
    else fail(name + ": expected --port, --qos, --pairs, --size, --window or --seconds");
  }
  asio::io_context io;
  std::vector<std::unique_ptr<Subscriber>> subscribers;
  std::vector<std::unique_ptr<Publisher>> publishers;
  for (std::size_t i = 0; i < s.pairs; ++i) {
    const std::string topic = "bench/" + std::to_string(i);
    subscribers.push_back(std::make_unique<Subscriber>(io, s, topic));
    publishers.push_back(std::make_unique<Publisher>(io, s, topic, *subscribers.back()));
    subscribers.back()->feeds = publishers.back().get();
    subscribers.back()->connect("bench-sub-" + std::to_string(i));
    publishers.back()->connect("bench-pub-" + std::to_string(i));
  }
  const auto all_ready = [&] {
    const auto is_ready = [](const auto& client) { return client->ready; };
    return std::all_of(subscribers.begin(), subscribers.end(), is_ready) && std::all_of(publishers.begin(), publishers.end(), is_ready);
  };
  const auto received = [&] {
    std::uint64_t sum = 0;
    for (const auto& one : subscribers) sum += one->done;
    return sum;
  };
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!all_ready()) {
    if (std::chrono::steady_clock::now() > give_up) fail("not all clients were connected within 10 s");
    io.run_for(std::chrono::milliseconds(20));
  }
  for (const auto& one : publishers) one->go();
  io.run_for(std::chrono::milliseconds(500));  // warm
  const std::uint64_t before = received();
  const auto begin = std::chrono::steady_clock::now();
  io.run_for(std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::duration<double>(s.seconds)));
  const double took = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  const std::uint64_t messages = received() - before;
  std::printf("{\"messages\": %llu, \"seconds\": %.3f, \"all\": %llu}\n", static_cast<unsigned long long>(messages), took,
              static_cast<unsigned long long>(received()));
  for (const auto& one : subscribers) one->close();
  for (const auto& one : publishers) one->close();
  io.poll();
  return messages == 0 ? 1 : 0;
}
