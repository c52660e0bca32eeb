// Whatever is encoded is decoded as it was, however the bytes are cut; garbage only ever fails.
#include <string>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "broker/mqtt/decoder.hpp"
#include "broker/mqtt/encoder.hpp"
#include "tests/mqtt/packet_draw.hpp"

namespace hf::mqtt {
namespace {

struct Run {
  std::vector<Packet> packets;
  Decoded last = Decoded::need_more;
  std::string error;
  friend bool operator==(const Run&, const Run&) = default;
};

/// Decodes `bytes` in pieces whose sizes `cut` says; `lazy`: feeds all before asking.
template <class Cut>
Run decode(Role role, std::optional<Version> version, const std::string& bytes, bool lazy, Cut cut) {
  Decoder decoder(role);
  if (version) decoder.set_version(*version);
  Run run;
  Packet packet;
  const auto drain = [&] {
    while ((run.last = decoder.next(packet)) == Decoded::packet) run.packets.push_back(packet);
  };
  for (std::size_t at = 0; at < bytes.size();) {
    const std::size_t size = std::min(bytes.size() - at, std::max<std::size_t>(1, cut()));
    decoder.feed(Bytes(bytes.substr(at, size)));
    at += size;
    if (!lazy) drain();
  }
  drain();
  run.error = decoder.error().text;
  return run;
}

Run decode(Role role, std::optional<Version> version, const std::string& bytes) {
  return decode(role, version, bytes, false, [&] { return bytes.size(); });
}

void check_one(const Packet& packet, Role role, Version version) {
  const bool is_connect = std::holds_alternative<Connect>(packet);
  std::string bytes = "x";
  encode(packet, version, bytes);
  RC_ASSERT(bytes[0] == 'x');
  RC_ASSERT(bytes.size() - 1 == encoded_size(packet, version));
  const Run run = decode(role, is_connect ? std::nullopt : std::optional(version), bytes.substr(1));
  RC_ASSERT(run.error == "");
  RC_ASSERT(run.packets.size() == 1U);
  RC_ASSERT(run.packets[0] == packet);
  if (const auto* publish = std::get_if<Publish>(&packet)) {
    std::string header = "x";
    encode_publish_header(*publish, version, header);
    RC_ASSERT(header + std::string(publish->payload.view()) == bytes);
  }
}

/// Ten packets of each kind a role of a version may receive, counted: none is starved.
TEST(MqttRoundTrip, EveryType) {
  for (const Version version : {Version::v311, Version::v5}) {
    for (const Role role : {Role::server, Role::client}) {
      std::vector<std::size_t> seen(15);
      const bool good = rc::check([&] {
        for (int i = 0; i < 10; ++i) {
          const Packet packet = Draw{role, version}.packet();
          check_one(packet, role, version);
          ++seen[packet.index()];
        }
      });
      ASSERT_TRUE(good);
      const bool v5 = version == Version::v5, server = role == Role::server;
      for (std::size_t type = 1; type <= 15; ++type) {
        const bool one_way = server ? type == 1 || type == 8 || type == 10 || type == 12
                                    : type == 2 || type == 9 || type == 11 || type == 13;
        const bool comes = one_way || (type >= 3 && type <= 7) || (type == 14 && (v5 || server)) ||
                           (type == 15 && v5);
        if (comes) {
          EXPECT_GE(seen[type - 1], 10U) << packet_name(static_cast<std::uint8_t>(type));
        } else {
          EXPECT_EQ(seen[type - 1], 0U) << packet_name(static_cast<std::uint8_t>(type));
        }
      }
    }
  }
}

RC_GTEST_PROP(MqttRoundTrip, AnyFragmentationGivesTheSame, ()) {
  const auto version = *rc::gen::element(Version::v311, Version::v5);
  Draw draw{Role::server, version};
  std::string bytes;
  std::vector<Packet> packets{draw.connect()};
  encode(packets[0], version, bytes);
  for (int i = *rc::gen::inRange(0, 8); i > 0; --i) {
    packets.push_back(draw.packet_after_connect());
    encode(packets.back(), version, bytes);
  }
  const int most = *rc::gen::element(1, 2, 7, 100);
  const bool lazy = *rc::gen::arbitrary<bool>();
  const Run run = decode(Role::server, std::nullopt, bytes, lazy,
                         [&] { return static_cast<std::size_t>(*rc::gen::inRange(1, most + 1)); });
  RC_ASSERT(run.error == "");
  RC_ASSERT(run.packets == packets);
}

RC_GTEST_PROP(MqttGarbage, ArbitraryBytesNeverCrash, ()) {
  const auto role = *rc::gen::element(Role::server, Role::client);
  const auto version = *rc::gen::element(Version::v311, Version::v5);
  auto bytes = *rc::gen::container<std::string>(rc::gen::arbitrary<char>());
  // Half of them behind a header that is good, or most would end at their first byte.
  if (bytes.size() < 128 && Draw::coin()) {
    const auto first = *rc::gen::element<int>(0x20, 0x30, 0x32, 0x3d, 0x40, 0x62, 0x82, 0x90, 0xa2,
                                              0xb0, 0xe0, 0xf0);
    bytes = std::string{static_cast<char>(first), static_cast<char>(bytes.size())} + bytes;
  }
  const Run whole = decode(role, version, bytes);
  RC_ASSERT(whole == decode(role, version, bytes, false, [] { return 1U; }));
  RC_ASSERT(whole.packets.size() <= bytes.size());
}

void check_mutated() {
  const auto version = *rc::gen::element(Version::v311, Version::v5);
  const auto role = *rc::gen::element(Role::server, Role::client);
  const Packet packet = Draw{role, version}.packet();
  const bool is_connect = std::holds_alternative<Connect>(packet);
  std::string bytes;
  encode(packet, version, bytes);
  for (int i = *rc::gen::inRange(1, 4); i > 0; --i) {
    const auto at = *rc::gen::inRange<std::size_t>(0, bytes.size());
    switch (*rc::gen::inRange(0, 3)) {
      case 0: bytes[at] = *rc::gen::arbitrary<char>(); break;
      case 1: bytes[at] = static_cast<char>(bytes[at] ^ (1 << *rc::gen::inRange(0, 8))); break;
      default: bytes.insert(at, 1, *rc::gen::arbitrary<char>());
    }
  }
  const auto known = is_connect ? std::nullopt : std::optional(version);
  const Run whole = decode(role, known, bytes);
  RC_ASSERT(whole == decode(role, known, bytes, false, [] { return 1U; }));
  RC_ASSERT(whole == decode(role, known, bytes, true, [] { return 3U; }));
  // What was accepted is sayable: it goes around once more unchanged.
  for (const Packet& accepted : whole.packets) {
    const auto* connect = std::get_if<Connect>(&accepted);
    std::string again;
    encode(accepted, connect ? connect->version : version, again);
    const Run second = decode(role, connect ? std::nullopt : std::optional(version), again);
    RC_ASSERT(second.error == "");
    RC_ASSERT(second.packets == std::vector<Packet>{accepted});
  }
}

RC_GTEST_PROP(MqttGarbage, MutatedPacketsFailOrDecodeTheSameInAnyCut, ()) {
  for (int i = 0; i < 20; ++i) check_mutated();
}

}  // namespace
}  // namespace hf::mqtt
