// How connections and sessions end, on one node: wills, session expiry, message expiry.
#include <gtest/gtest.h>

#include "tests/node/bench_node.hpp"

namespace hf {
namespace {

using bench::Client;
using mqtt::Reason;

mqtt::Connect with_will(std::string id, std::uint32_t delay_s, std::uint32_t expiry_s, bool clean = false) {
  auto packet = Client::connect_packet(std::move(id));
  packet.clean_start = clean;
  packet.properties.edit().session_expiry_interval = expiry_s;
  mqtt::Will will;
  will.topic = "w";
  will.payload = Bytes("gone");
  will.qos = 1;
  if (delay_s != 0) will.properties.edit().will_delay_interval = delay_s;
  packet.will = std::move(will);
  return packet;
}

/// A node, a subscriber of "w", and a client with a will.
struct Wills : testing::Test {
  bench::Node node;
  Client reader{node}, mortal{node};
  void begin(std::uint32_t delay_s = 0, std::uint32_t expiry_s = 100) {
    ASSERT_TRUE(reader.connect("reader"));
    ASSERT_EQ(reader.subscribe("w", 1), 1);
    ASSERT_TRUE(mortal.connect(with_will("mortal", delay_s, expiry_s)));
  }
  void say_goodbye(Reason reason, std::optional<std::uint32_t> expiry_s = std::nullopt) {
    mqtt::Disconnect packet;
    packet.reason = reason;
    if (expiry_s) packet.properties.edit().session_expiry_interval = *expiry_s;
    mortal.send(packet);
  }
  bool published() {
    const auto got = reader.next<mqtt::Publish>();
    return got && got->topic == "w" && got->payload.view() == "gone";
  }
  /// Is there a session of "mortal", for a client that asks without ending it.
  bool has_session() {
    Client asking(node);
    auto packet = Client::connect_packet("mortal");
    packet.clean_start = false;
    packet.properties.edit().session_expiry_interval = 100;
    const auto connack = asking.connect(packet);
    return connack && connack->session_present;
  }
};

TEST_F(Wills, is_published_when_the_connection_is_lost) {  // [MQTT-3.1.2-8]
  begin();
  node.vanish(mortal.stream());
  EXPECT_TRUE(published());
  EXPECT_FALSE(published()) << "once";
}
TEST_F(Wills, is_void_after_a_goodbye) {  // [MQTT-3.1.2-10], [MQTT-3.14.4-3]
  begin();
  say_goodbye(Reason::success);
  node.advance(5s);
  EXPECT_FALSE(published());
}
TEST_F(Wills, is_published_on_disconnect_with_will) {  // [MQTT-3.1.2-8]
  begin();
  say_goodbye(Reason::disconnect_with_will_message);
  EXPECT_TRUE(published());
}
TEST_F(Wills, is_published_after_a_protocol_error) {
  begin();
  mortal.send_bytes(std::string_view("\x10\x00", 2));
  EXPECT_TRUE(mortal.closed());
  EXPECT_TRUE(published());
}
TEST_F(Wills, waits_for_its_delay) {  // [MQTT-3.1.3-9]
  begin(10);
  node.vanish(mortal.stream());
  node.advance(9s);
  EXPECT_FALSE(published());
  node.advance(2s);
  EXPECT_TRUE(published());
}
TEST_F(Wills, is_published_at_session_end_if_that_is_sooner) {  // [MQTT-3.1.2-8]
  begin(60, 5);
  node.vanish(mortal.stream());
  node.advance(4s);
  EXPECT_FALSE(published());
  node.advance(2s);
  EXPECT_TRUE(published());
}
TEST_F(Wills, is_cancelled_by_a_resume_within_the_delay) {  // [MQTT-3.1.3-9]
  begin(10);
  node.vanish(mortal.stream());
  node.advance(5s);
  EXPECT_TRUE(has_session());
  node.advance(20s);
  EXPECT_FALSE(published());
}
TEST_F(Wills, is_published_when_a_clean_start_ends_the_session) {
  begin(10);
  node.vanish(mortal.stream());
  Client again(node);
  ASSERT_TRUE(again.connect(with_will("mortal", 10, 100, true)));
  EXPECT_TRUE(published());
  EXPECT_FALSE(published()) << "not that of the new connection";
}
TEST_F(Wills, is_published_at_a_takeover_unless_it_has_a_delay) {
  begin();
  Client again(node);
  ASSERT_TRUE(again.connect(with_will("mortal", 10, 100)));
  EXPECT_TRUE(mortal.closed());
  EXPECT_TRUE(published());
  Client third(node);
  ASSERT_TRUE(third.connect(with_will("mortal", 0, 100)));
  EXPECT_TRUE(again.closed());
  node.advance(20s);
  EXPECT_FALSE(published());
}
TEST_F(Wills, of_a_session_bound_to_its_connection) {
  begin(10, 0);
  node.vanish(mortal.stream());
  EXPECT_TRUE(published()) << "the session ends with the connection, whatever the delay";
}
TEST_F(Wills, expires_from_when_it_is_published) {  // [MQTT-3.3.2-5], [MQTT-3.3.2-6]
  begin();
  Client other(node);
  auto packet = with_will("other", 10, 100);
  packet.will->properties.edit().message_expiry_interval = 5;
  packet.will->properties.edit().content_type = "text/plain";
  ASSERT_TRUE(other.connect(packet));
  node.vanish(other.stream());
  node.advance(11s);
  const auto got = reader.next<mqtt::Publish>();
  ASSERT_TRUE(got);
  EXPECT_EQ(got->properties->message_expiry_interval.value_or(0), 5U);
  EXPECT_EQ(got->properties->content_type.value_or(""), "text/plain");
  EXPECT_FALSE(got->properties->will_delay_interval);
}
TEST_F(Wills, that_expires_at_once_is_for_nobody_later) {  // [MQTT-3.3.2-5]
  begin();
  Client away(node), late(node), back(node);
  auto absent = Client::connect_packet("absent");
  absent.clean_start = false;
  absent.properties.edit().session_expiry_interval = 100;
  ASSERT_TRUE(away.connect(absent));
  ASSERT_EQ(away.subscribe("w", 1), 1);
  away.send(mqtt::Disconnect{});
  Client other(node);
  auto packet = with_will("other", 0, 100);
  packet.will->retain = true;
  packet.will->properties.edit().message_expiry_interval = 0;
  ASSERT_TRUE(other.connect(packet));
  node.vanish(other.stream());
  node.advance(1s);
  ASSERT_TRUE(back.connect(absent));
  EXPECT_FALSE(back.next());
  ASSERT_TRUE(late.connect("late"));
  ASSERT_EQ(late.subscribe("w", 1), 1);
  EXPECT_FALSE(late.next()) << "retained for good";
}
TEST_F(Wills, session_expiry_counts_from_the_disconnect) {
  begin(0, 10);
  node.advance(20s);
  say_goodbye(Reason::success);
  node.advance(8s);
  EXPECT_TRUE(has_session());
}
TEST_F(Wills, session_expiry_ends_the_session) {
  begin(0, 10);
  say_goodbye(Reason::success);
  node.advance(12s);
  EXPECT_FALSE(has_session());
}
TEST_F(Wills, session_expiry_is_changed_at_disconnect) {  // [MQTT-3.14.2-2]
  begin(0, 10);
  say_goodbye(Reason::success, 0xFFFFFFFF);
  node.advance(1h);
  EXPECT_TRUE(has_session()) << "0xFFFFFFFF: never";
}
TEST_F(Wills, session_ends_with_a_disconnect_that_sets_expiry_to_nothing) {
  begin(0, 10);
  say_goodbye(Reason::success, 0);
  EXPECT_FALSE(has_session());
}

TEST(MessageExpiry, is_counted_down_while_queued_and_then_the_message_goes) {  // [MQTT-3.3.2-5], [MQTT-3.3.2-6]
  bench::Node node;
  const auto offline = [&](Client& client) {
    auto packet = Client::connect_packet("offline");
    packet.clean_start = false;
    packet.properties.edit().session_expiry_interval = 1000;
    return client.connect(packet).has_value();
  };
  Client first(node), writer(node);
  ASSERT_TRUE(offline(first));
  ASSERT_EQ(first.subscribe("t", 1), 1);
  first.send(mqtt::Disconnect{});
  ASSERT_TRUE(writer.connect("writer"));
  for (const std::uint32_t seconds : {5U, 50U}) {
    auto packet = Client::publish_packet("t", std::to_string(seconds), 1, static_cast<mqtt::PacketId>(seconds));
    packet.properties.edit().message_expiry_interval = seconds;
    writer.send(packet);
  }
  node.advance(20s);
  Client second(node);
  ASSERT_TRUE(offline(second));
  const auto got = second.next<mqtt::Publish>();
  ASSERT_TRUE(got);
  EXPECT_EQ(got->payload.view(), "50");
  EXPECT_EQ(got->properties->message_expiry_interval.value_or(0), 30U);
  EXPECT_FALSE(second.next());
}

TEST(MessageExpiry, of_nothing_keeps_nothing) {
  bench::Node node;
  Client writer(node), late(node);
  ASSERT_TRUE(writer.connect("writer"));
  auto packet = Client::publish_packet("t", "x", 1, 1);
  packet.retain = true;
  packet.properties.edit().message_expiry_interval = 0;
  writer.send(packet);
  EXPECT_TRUE(writer.next<mqtt::Puback>());
  ASSERT_TRUE(late.connect("late"));
  ASSERT_EQ(late.subscribe("t", 1), 1);
  EXPECT_FALSE(late.next());
}

}  // namespace
}  // namespace hf
