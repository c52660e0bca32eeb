// Properties, reasons, UTF-8 and topic syntax.
#include <gtest/gtest.h>

#include "broker/mqtt/decoder.hpp"
#include "broker/mqtt/encoder.hpp"
#include "broker/mqtt/topic_syntax.hpp"
#include "broker/mqtt/utf8.hpp"

namespace hf::mqtt {
namespace {

TEST(MqttProperties, CopiesShareUntilEdited) {
  Properties a;
  EXPECT_TRUE(a.empty());
  EXPECT_FALSE(a->topic_alias);
  a.edit().topic_alias = 1;
  Properties b = a;
  EXPECT_EQ(&a.get(), &b.get());
  b.edit().topic_alias = 2;
  EXPECT_EQ(a->topic_alias, 1);
  EXPECT_EQ(b->topic_alias, 2);
  EXPECT_NE(a, b);
  b.edit().topic_alias.reset();
  EXPECT_EQ(b, Properties{});
}

TEST(MqttReason, ReturnCodesOf311) {
  for (std::uint8_t c = 0; c <= 5; ++c) EXPECT_EQ(connect_return_code(reason_of_return_code(c)), c);
  EXPECT_EQ(connect_return_code(Reason::quota_exceeded), 3);
  EXPECT_EQ(connect_return_code(Reason::banned), 5);
  EXPECT_EQ(name(Reason::packet_too_large), "packet_too_large");
  EXPECT_EQ(name(static_cast<Reason>(0x7F)), "reserved");
}

/// Decodes one code point at the start by the definition, slowly: its length or 0.
std::size_t naive(std::string_view t) {
  const auto b = [&](std::size_t i) { return static_cast<unsigned char>(t[i]); };
  if (b(0) < 0x80) return 1;
  const std::size_t n = b(0) >> 5U == 6 ? 2 : b(0) >> 4U == 14 ? 3 : b(0) >> 3U == 30 ? 4 : 0;
  if (n == 0 || t.size() < n) return 0;
  unsigned point = b(0) & (0xFFU >> (n + 1));
  for (std::size_t i = 1; i < n; ++i) {
    if (b(i) >> 6U != 2) return 0;
    point = point << 6U | (b(i) & 0x3FU);
  }
  const unsigned least = n == 2 ? 0x80 : n == 3 ? 0x800 : 0x10000;
  return point >= least && point <= 0x10FFFF && (point < 0xD800 || point > 0xDFFF) ? n : 0;
}

TEST(MqttUtf8, AgreesWithTheDefinition) {
  // All sequences of up to three bytes, and of four with the last fixed, behind 0, 7 and 8 letters.
  for (unsigned n = 0; n < 0x1000000; n += n < 0x800000 ? 97 : 1) {
    const std::string t{static_cast<char>(n >> 16U), static_cast<char>(n >> 8U),
                        static_cast<char>(n), '\x80'};
    for (std::size_t size : {std::size_t{3}, std::size_t{4}}) {
      std::string_view rest = std::string_view(t).substr(0, size);
      const std::string_view text = rest;
      bool good = true;
      while (good && !rest.empty()) {
        const std::size_t used = naive(rest);
        good = used > 0;
        rest.remove_prefix(used);
      }
      if (is_utf8(text) != good) FAIL() << std::hex << n << " " << size;
      if (n % 4099 == 0) {
        EXPECT_EQ(is_utf8("abcdefg" + std::string(text)), good);
        EXPECT_EQ(is_utf8(std::string(text) + "abcdefgh"),
                  is_utf8(text));
      }
    }
  }
}

TEST(MqttUtf8, NulIsNoString) {
  for (std::size_t size = 1; size < 20; ++size) {
    for (std::size_t at = 0; at < size; ++at) {
      std::string t(size, 'a');
      EXPECT_TRUE(is_mqtt_string(t));
      t[at] = '\0';
      EXPECT_FALSE(is_mqtt_string(t));
      EXPECT_TRUE(is_utf8(t));
    }
  }
}

TEST(MqttTopicSyntax, Filters) {
  using enum FilterFault;
  EXPECT_EQ(filter_fault("#", true), none);
  EXPECT_EQ(filter_fault("/+/#", true), none);
  EXPECT_EQ(filter_fault("", true), empty);
  EXPECT_EQ(filter_fault("a#", true), multi_level);
  EXPECT_EQ(filter_fault("#/a", true), multi_level);
  EXPECT_EQ(filter_fault("a+", true), single_level);
  EXPECT_EQ(filter_fault("++", true), single_level);
  EXPECT_EQ(filter_fault("$share/g/#", true), none);
  EXPECT_EQ(filter_fault("$share/g", true), share_name);
  EXPECT_EQ(filter_fault("$share/g", false), none);
  EXPECT_EQ(filter_fault("$share", true), none);
}

TEST(MqttEncoder, LengthsAtTheirBoundaries) {
  for (const std::size_t remaining : {127U, 128U, 16383U, 16384U, 2097151U, 2097152U}) {
    const Publish publish{"t", Bytes(std::string(remaining - 3, 'p')), 0, false, false, 0, {}};
    std::string bytes;
    encode(publish, Version::v311, bytes);
    EXPECT_EQ(bytes.size(), encoded_size(publish, Version::v311)) << remaining;
    Decoder decoder(Role::client, static_cast<std::uint32_t>(bytes.size()));
    decoder.set_version(Version::v311);
    decoder.feed(Bytes(bytes));
    Packet packet;
    ASSERT_EQ(decoder.next(packet), Decoded::packet) << remaining;
    EXPECT_EQ(std::get<Publish>(packet), publish);
    EXPECT_EQ(decoder.buffered(), 0U);
  }
}

TEST(MqttEncoder, LeavesOutWhat311DoesNotKnow) {
  Puback ack;
  ack.packet_id = 1;
  ack.reason = Reason::quota_exceeded;
  ack.properties.edit().reason_string = "no";
  std::string old;
  encode(ack, Version::v311, old);
  EXPECT_EQ(old, std::string("\x40\x02\x00\x01", 4));
  std::string suback;
  encode(Suback{1, {2, 0x8F}, {}}, Version::v311, suback);
  EXPECT_EQ(suback, std::string("\x90\x04\x00\x01\x02\x80", 6));
}

}  // namespace
}  // namespace hf::mqtt
