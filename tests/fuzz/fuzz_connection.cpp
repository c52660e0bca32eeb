// A whole node, its clients made of the input: connects, arbitrary bytes, vanishing, deafness, time. It must live, and must
// answer a decent client in the end.
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "tests/node/bench_node.hpp"
#include "tests/node/toy_guard.hpp"

namespace {

using namespace hf;  // NOLINT: a program of one file

/// The input as a list of steps.
struct Input {
  const std::uint8_t* data;
  std::size_t size;
  std::uint8_t byte() {
    if (size == 0) return 0;
    --size;
    return *data++;
  }
  std::string bytes(std::size_t count) {
    count = std::min(count, size);
    std::string out(reinterpret_cast<const char*>(data), count);
    data += count;
    size -= count;
    return out;
  }
};

node::Config config() {
  node::Config out;
  out.slots = 2;
  out.max_packet_size = 2000;
  out.max_queued_messages = 20;
  out.receive_maximum = 4;
  out.max_inflight = 3;
  out.connect_timeout = 5s;
  return out;
}

std::string connect(std::uint8_t choice) {
  mqtt::Connect packet;
  packet.version = (choice & 1U) != 0 ? mqtt::Version::v5 : mqtt::Version::v311;
  packet.client_id = std::string("c") + static_cast<char>('0' + (choice >> 1U & 3U));
  packet.clean_start = (choice & 8U) != 0;
  if (packet.version == mqtt::Version::v5 && (choice & 16U) != 0) packet.properties.edit().session_expiry_interval = 10;
  if ((choice & 32U) != 0) packet.will = mqtt::Will{.topic = "t", .payload = Bytes("w"), .qos = 1};
  packet.keep_alive = (choice & 64U) != 0 ? 2 : 0;
  std::string out;
  mqtt::encode(packet, packet.version, out);
  return out;
}

std::string subscribe(std::uint8_t choice, bool v5) {
  static const char* const filters[] = {"#", "t", "+/x", "$share/g/t", "$SYS/#", "a/b/c", "t/#", "+"};
  mqtt::Subscribe packet;
  packet.packet_id = 1;
  packet.subscriptions.push_back({.filter = filters[choice & 7U], .qos = static_cast<std::uint8_t>(choice >> 3U & 1U ? 2 : 1)});
  if (v5 && (choice & 16U) != 0) packet.properties.edit().subscription_identifiers = {choice};
  std::string out;
  mqtt::encode(packet, v5 ? mqtt::Version::v5 : mqtt::Version::v311, out);
  return out;
}

std::string publish(std::uint8_t choice, bool v5) {
  static const char* const topics[] = {"t", "t/x", "a/b/c", "$SYS/x"};
  mqtt::Publish packet;
  packet.topic = topics[choice & 3U];
  packet.payload = Bytes((choice & 128U) != 0 ? std::string() : std::string(1 + choice % 50, 'p'));
  packet.qos = choice >> 2U & 3U;
  if (packet.qos == 3) packet.qos = 0;
  packet.packet_id = packet.qos == 0 ? 0 : static_cast<std::uint16_t>(1 + (choice >> 4U & 3U));
  packet.retain = (choice & 64U) != 0;
  std::string out;
  mqtt::encode(packet, v5 ? mqtt::Version::v5 : mqtt::Version::v311, out);
  return out;
}

/// CONNECT with a method, or AUTH of either kind.
std::string authenticate(std::uint8_t choice) {
  static const char* const words[] = {"hello", "ann", "bob", "eve"};
  const auto add = [&](mqtt::Properties& properties) {
    properties.edit().authentication_method = (choice & 64U) != 0 ? "OTHER" : "TOY";
    properties.edit().authentication_data = words[choice >> 2U & 3U];
  };
  std::string out;
  if ((choice & 1U) != 0) {
    mqtt::Connect packet;
    packet.client_id = std::string("c") + static_cast<char>('0' + (choice >> 4U & 3U));
    add(packet.properties);
    mqtt::encode(packet, mqtt::Version::v5, out);
  } else {
    mqtt::Auth packet;
    packet.reason = (choice & 2U) != 0 ? mqtt::Reason::reauthenticate : mqtt::Reason::continue_authentication;
    add(packet.properties);
    mqtt::encode(packet, mqtt::Version::v5, out);
  }
  return out;
}

std::shared_ptr<bench::ToyGuard> guard(std::uint8_t choice) {
  auto out = std::make_shared<bench::ToyGuard>();
  if ((choice & 1U) != 0) out->users = {"bob"};
  if ((choice & 2U) != 0) out->login_ms = 3000;
  if ((choice & 4U) != 0) out->forbidden = "t";
  return out;
}

void check(bench::Node& node, bool v5) {
  bench::Client decent(node, v5 ? mqtt::Version::v5 : mqtt::Version::v311);
  if (!decent.connect("decent")) std::abort();
  decent.send(mqtt::Pingreq{});
  if (!decent.next<mqtt::Pingresp>()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input in{data, size};
  bench::Node node(config(), guard(0));
  std::vector<std::pair<StreamId, bool>> clients;  // with the version that its CONNECT spoke
  while (in.size > 0) {
    const std::uint8_t what = in.byte();
    if (clients.size() < 6 && (what & 0xF0U) == 0) {
      clients.emplace_back(node.open(), false);
      continue;
    }
    if (clients.empty()) continue;
    auto& [stream, v5] = clients[what % clients.size()];
    const std::uint8_t choice = in.byte();
    switch (what >> 4U) {
      case 1: case 2: v5 = (choice & 1U) != 0; node.feed(stream, connect(choice)); break;
      case 3: case 4: node.feed(stream, subscribe(choice, v5)); break;
      case 5: case 6: node.feed(stream, publish(choice, v5)); break;
      case 7: node.hold(stream, (choice & 1U) != 0); break;
      case 8: node.vanish(stream); stream = node.open(); break;
      case 9: node.advance(std::chrono::milliseconds(choice * 20)); break;
      case 10: node.take(stream); break;
      case 11: {  // an acknowledgement
        const std::string types = "\x40\x50\x62\x70";
        node.feed(stream, std::string{types[choice & 3U], 2, 0, static_cast<char>(choice >> 2U & 31U)});
        break;
      }
      case 12: v5 = true; node.feed(stream, authenticate(choice)); break;
      case 13: node.set_guard(guard(choice)); break;
      default: node.feed(stream, in.bytes(choice % 64)); break;
    }
    if (!node.died().empty()) std::abort();
  }
  node.advance(20s);
  if (!node.died().empty()) std::abort();
  check(node, true);
  check(node, false);
  return 0;
}
