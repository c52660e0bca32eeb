// The decoder's invariants that are about buffers, versions and staying failed.
#include <string>

#include <gtest/gtest.h>

#include "broker/mqtt/decoder.hpp"
#include "broker/mqtt/encoder.hpp"

namespace hf::mqtt {
namespace {

std::string publish_bytes(std::size_t size) {
  std::string bytes;
  encode(Publish{"t", Bytes(std::string(size, 'p')), 0, false, false, 0, {}}, Version::v5, bytes);
  return bytes;
}

TEST(MqttDecoder, PayloadOfOneFeedIsASliceOfIt) {
  Decoder decoder(Role::client);
  const Bytes fed(publish_bytes(100) + publish_bytes(5));
  decoder.feed(fed);
  Packet packet;
  for (int i = 0; i < 2; ++i) {
    ASSERT_EQ(decoder.next(packet), Decoded::packet);
    const auto payload = std::get<Publish>(packet).payload.view();
    EXPECT_GE(payload.data(), fed.view().data());
    EXPECT_LE(payload.data() + payload.size(), fed.view().data() + fed.size());
  }
  EXPECT_EQ(decoder.next(packet), Decoded::need_more);
  EXPECT_EQ(decoder.buffered(), 0U);
}

TEST(MqttDecoder, ManyBytesOneByOneIsLinear) {
  Decoder decoder(Role::client);
  const std::string bytes = publish_bytes(2'000'000);
  for (const char c : bytes) decoder.feed(Bytes(std::string(1, c)));
  EXPECT_EQ(decoder.buffered(), bytes.size());
  Packet packet;
  ASSERT_EQ(decoder.next(packet), Decoded::packet);
  EXPECT_EQ(std::get<Publish>(packet).payload.size(), 2'000'000U);
  Decoder eager(Role::client);
  Decoded last = Decoded::need_more;
  for (const char c : bytes) {
    eager.feed(Bytes(std::string(1, c)));
    last = eager.next(packet);
  }
  EXPECT_EQ(last, Decoded::packet);
}

TEST(MqttDecoder, AnnouncedLengthAllocatesNothing) {
  Decoder decoder(Role::client);
  decoder.feed(Bytes(std::string("\x30\xff\xff\xff\x7f\x00\x01t", 8)));
  Packet packet;
  EXPECT_EQ(decoder.next(packet), Decoded::need_more);
  EXPECT_EQ(decoder.buffered(), 8U);
}

TEST(MqttDecoder, StaysFailed) {
  Decoder decoder(Role::server);
  Packet packet = Pingresp{};
  decoder.feed(Bytes(std::string("\xc0\x00", 2)));
  EXPECT_EQ(decoder.next(packet), Decoded::failed);
  EXPECT_EQ(decoder.error().reason, Reason::protocol_error);
  EXPECT_NE(decoder.error().text.find("[MQTT-3.1.0-1]"), std::string::npos);
  EXPECT_FALSE(decoder.error().version);
  std::string connect;
  encode(Connect{}, Version::v5, connect);
  decoder.feed(Bytes(connect));
  EXPECT_EQ(decoder.next(packet), Decoded::failed);
  EXPECT_EQ(decoder.buffered(), 0U);
  EXPECT_TRUE(std::holds_alternative<Pingresp>(packet));
}

TEST(MqttDecoder, SaysInWhichVersionToRefuse) {
  const auto refused = [](std::string name, char level) {
    Decoder decoder(Role::server);
    std::string body{'\0', static_cast<char>(name.size())};
    body += name + level + std::string("\x02\x00\x0a\x00\x00\x00", 6);
    decoder.feed(Bytes(std::string{'\x10', static_cast<char>(body.size())} + body));
    Packet packet;
    EXPECT_EQ(decoder.next(packet), Decoded::failed);
    EXPECT_EQ(decoder.error().reason, Reason::unsupported_protocol_version);
    return decoder.error().version;
  };
  EXPECT_EQ(refused("MQIsdp", 4), Version::v311);
  EXPECT_EQ(refused("MQTT", 3), Version::v311);
  EXPECT_EQ(refused("MQTT", 6), Version::v5);
  EXPECT_EQ(refused("HTTP", 4), std::nullopt);
}

TEST(MqttDecoder, LearnsTheVersion) {
  for (const Version version : {Version::v311, Version::v5}) {
    Decoder decoder(Role::server);
    EXPECT_FALSE(decoder.version());
    Connect connect;
    connect.version = version;
    std::string bytes;
    encode(connect, version, bytes);
    encode(Publish{"t", Bytes("x"), 0, false, false, 0, {}}, version, bytes);
    decoder.feed(Bytes(bytes));
    Packet packet;
    ASSERT_EQ(decoder.next(packet), Decoded::packet);
    EXPECT_EQ(decoder.version(), version);
    ASSERT_EQ(decoder.next(packet), Decoded::packet);
    EXPECT_EQ(std::get<Publish>(packet).payload.view(), "x");
  }
}

TEST(MqttDecoder, CostsMoreThanItHoldsWhereThatCameInCrumbs) {
  Decoder decoder(Role::server);
  for (int i = 0; i < 1000; ++i) decoder.feed(Bytes(std::string("\x10")));
  EXPECT_EQ(decoder.buffered(), 1000U);
  EXPECT_GT(decoder.cost(), 50'000U);
  Packet packet;
  EXPECT_EQ(decoder.next(packet), Decoded::failed);
  EXPECT_EQ(decoder.cost(), 0U);
}

}  // namespace
}  // namespace hf::mqtt
