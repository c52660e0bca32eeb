// What a packet says in words goes first: under the client's maximum packet size, and where it asked for no explanations.
#include <gtest/gtest.h>

#include "broker/node/answers.hpp"

namespace hf {
namespace {

using mqtt::Version;
using node::Allowance;
using node::trim;

template <class Packet>
class Trim : public ::testing::Test {
 protected:
  /// CONNACK and DISCONNECT may explain themselves to everybody [MQTT-3.1.2-29].
  static constexpr bool always = std::is_same_v<Packet, mqtt::Connack> || std::is_same_v<Packet, mqtt::Disconnect>;

  static Packet bare() {
    Packet packet;
    if constexpr (requires { packet.packet_id; }) packet.packet_id = 7;
    if constexpr (requires { packet.codes; }) packet.codes = {0};
    if constexpr (std::is_same_v<Packet, mqtt::Auth>) packet.properties.edit().authentication_method = "m";
    return packet;
  }
  static Packet explained() {
    Packet packet = bare();
    packet.properties.edit().reason_string = "because";
    packet.properties.edit().user_properties = {{"key", "value"}};
    return packet;
  }
  static Packet named() {
    Packet packet = bare();
    packet.properties.edit().user_properties = {{"key", "value"}};
    return packet;
  }
  static std::size_t size(const Packet& packet) { return mqtt::encoded_size(mqtt::Packet(packet), Version::v5); }
  static bool same(const Packet& one, const Packet& other) {
    const auto& a = *one.properties;
    const auto& b = *other.properties;
    return a.reason_string == b.reason_string && a.user_properties == b.user_properties && size(one) == size(other);
  }
  static Packet trimmed(Packet packet, const Allowance& allowance) {
    EXPECT_TRUE(trim(packet, allowance, Version::v5));
    return packet;
  }
};

using Answers = ::testing::Types<mqtt::Connack, mqtt::Puback, mqtt::Pubrec, mqtt::Pubrel, mqtt::Pubcomp, mqtt::Suback, mqtt::Unsuback,
                                 mqtt::Disconnect, mqtt::Auth>;
TYPED_TEST_SUITE(Trim, Answers);

TYPED_TEST(Trim, leaves_alone_what_fits) {
  const TypeParam explained = this->explained();
  EXPECT_TRUE(this->same(this->trimmed(explained, {}), explained));
  const auto exactly = static_cast<std::uint32_t>(this->size(explained));
  EXPECT_TRUE(this->same(this->trimmed(explained, {.packet_size = exactly}), explained));
}

TYPED_TEST(Trim, takes_out_the_reason_string_and_user_properties_that_make_it_too_large) {
  for (const TypeParam& packet : {this->explained(), this->named()}) {
    const auto one_less = static_cast<std::uint32_t>(this->size(packet) - 1);
    const TypeParam small = this->trimmed(packet, {.packet_size = one_less});
    EXPECT_FALSE(small.properties->reason_string);
    EXPECT_TRUE(small.properties->user_properties.empty());
    EXPECT_LE(this->size(small), one_less);
  }
}

TYPED_TEST(Trim, explains_nothing_to_who_asked_for_no_problem_information) {
  const TypeParam told = this->trimmed(this->explained(), {.problem_information = false});
  EXPECT_TRUE(this->same(told, this->always ? this->explained() : this->bare()));
  const TypeParam named = this->trimmed(this->named(), {.problem_information = false});
  EXPECT_TRUE(this->same(named, this->always ? this->named() : this->bare()));
}

TYPED_TEST(Trim, says_when_it_is_too_large_even_so) {
  TypeParam packet = this->explained();
  const auto bare = static_cast<std::uint32_t>(this->size(this->bare()));
  EXPECT_FALSE(trim(packet, {.packet_size = bare - 1}, Version::v5));
}

TYPED_TEST(Trim, changes_no_copy) {
  const TypeParam original = this->explained();
  TypeParam copy = original;
  trim(copy, {.packet_size = 1}, Version::v5);
  EXPECT_TRUE(this->same(original, this->explained()));
}

}  // namespace
}  // namespace hf
