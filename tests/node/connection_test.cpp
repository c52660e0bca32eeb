// Connections as a client sees them: one node, bytes in, bytes out.
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "tests/node/bench_node.hpp"

namespace hf {
namespace {

using bench::Client;
using mqtt::Reason;

TEST(Connection, is_accepted_and_answers_pings) {  // [MQTT-3.1.4-5], [MQTT-3.12.4-1]
  bench::Node node;
  Client client(node);
  const auto connack = client.connect("a");
  ASSERT_TRUE(connack);
  EXPECT_EQ(connack->reason, Reason::success);
  EXPECT_FALSE(connack->session_present);
  client.send(mqtt::Pingreq{});
  EXPECT_TRUE(client.next<mqtt::Pingresp>());
}

TEST(Connection, delivers_what_is_published) {  // [MQTT-3.8.4-1], [MQTT-4.3.2-4]
  bench::Node node;
  Client reader(node), writer(node);
  ASSERT_TRUE(reader.connect("reader"));
  ASSERT_TRUE(writer.connect("writer"));
  EXPECT_EQ(reader.subscribe("t/+", 1), 1);
  writer.send(Client::publish_packet("t/1", "hello", 1, 7));
  const auto puback = writer.next<mqtt::Puback>();
  ASSERT_TRUE(puback);
  EXPECT_EQ(puback->packet_id, 7);
  const auto got = reader.next<mqtt::Publish>();
  ASSERT_TRUE(got);
  EXPECT_EQ(got->topic, "t/1");
  EXPECT_EQ(got->payload.view(), "hello");
  EXPECT_EQ(got->qos, 1);
}

/// Who was told elsewhere, out of reach, that there is no session, has forgotten that it holds id 1 here.
TEST(Connection, that_publishes_another_message_under_an_id_in_use) {
  bench::Node node;
  Client reader(node);
  ASSERT_TRUE(reader.connect("reader"));
  ASSERT_EQ(reader.subscribe("t", 2), 2);
  const auto publish = [&](std::string payload) {
    Client writer(node);
    auto connect = Client::connect_packet("writer");
    connect.clean_start = false;
    connect.properties.edit().session_expiry_interval = 3600;
    ASSERT_TRUE(writer.connect(connect));
    auto packet = Client::publish_packet("t", std::move(payload), 2, 1);
    packet.dup = true;
    writer.send(packet);
    EXPECT_EQ(writer.next<mqtt::Pubrec>()->packet_id, 1);
    node.vanish(writer.stream());
  };
  publish("one");
  publish("one");
  publish("two");
  publish("two");
  std::string got;
  while (const auto packet = reader.next())
    if (const auto* message = std::get_if<mqtt::Publish>(&*packet)) got += std::string(message->payload.view()) + ";";
  EXPECT_EQ(got, "one;two;");
}

TEST(Connection, that_names_a_filter_twice_ends_one_subscription) {  // [MQTT-3.11.3-1]
  bench::Node node;
  Client client(node);
  ASSERT_TRUE(client.connect("a"));
  ASSERT_EQ(client.subscribe("t", 1), 1);
  mqtt::Unsubscribe packet;
  packet.packet_id = 2;
  packet.filters = {"t", "u", "t"};
  client.send(packet);
  EXPECT_EQ(client.next<mqtt::Unsuback>()->codes, (std::vector<std::uint8_t>{0x00, 0x11, 0x11}));
}

/// Who could guess one, or choose it first, would have the session of the next client that asks for one.
TEST(Connection, without_a_client_id_gets_one_that_nobody_can_guess) {  // [MQTT-3.1.3-6]
  bench::Node node;
  std::set<std::string> ids;
  for (int i = 0; i < 100; ++i) {
    Client client(node);
    const std::string id = client.connect("")->properties->assigned_client_identifier.value_or("");
    ASSERT_TRUE(id.starts_with("auto-")) << id;
    const std::string drawn = id.substr(5);
    EXPECT_EQ(drawn.size(), 26U) << "five bits a letter: " << id;
    EXPECT_EQ(drawn.find_first_not_of("abcdefghijklmnopqrstuvwxyz234567"), std::string::npos) << id;
    ids.insert(id);
  }
  EXPECT_EQ(ids.size(), 100U);
}

/// It may send before CONNACK (3.1.4), and be gone by then.
TEST(Connection, that_ends_before_connack_is_heard_out) {
  for (const bool goodbye : {false, true}) {
    bench::Node node;
    Client reader(node);
    ASSERT_TRUE(reader.connect("reader"));
    ASSERT_EQ(reader.subscribe("t", 1), 1);
    ASSERT_EQ(reader.subscribe("w", 1, 2), 1);
    auto connect = Client::connect_packet("hasty");
    connect.will = mqtt::Will{.topic = "w", .payload = Bytes("will"), .qos = 1, .retain = false, .properties = {}};
    std::string bytes;
    mqtt::encode(connect, mqtt::Version::v5, bytes);
    mqtt::encode(Client::publish_packet("t", "0"), mqtt::Version::v5, bytes);
    mqtt::encode(Client::publish_packet("t", "1", 1, 1), mqtt::Version::v5, bytes);
    mqtt::Disconnect disconnect;
    disconnect.reason = goodbye ? Reason::success : Reason::disconnect_with_will_message;
    mqtt::encode(disconnect, mqtt::Version::v5, bytes);
    const StreamId stream = node.open();
    node.turn([&] {
      node.shard().on_bytes(stream, Bytes(bytes));
      node.shard().on_closed(stream, env::CloseReason::ended);
    });
    std::string got;
    while (const auto packet = reader.next())
      if (const auto* message = std::get_if<mqtt::Publish>(&*packet)) got += std::string(message->payload.view()) + ";";
    EXPECT_EQ(got, goodbye ? "0;1;" : "0;1;will;");
    EXPECT_EQ(node.shard().counters().connections, 1U) << "nothing is left of it";
  }
}

TEST(Connection, that_never_says_connect_is_closed) {  // [MQTT-3.1.4-1]
  bench::Node node;
  const StreamId silent = node.open(), half = node.open();
  node.feed(half, std::string_view("\x10\x20\x00\x04MQ", 6));
  node.advance(9s);
  EXPECT_FALSE(node.closed(silent));
  node.advance(2s);
  EXPECT_TRUE(node.closed(silent));
  EXPECT_TRUE(node.closed(half)) << "half a packet is none";
  EXPECT_EQ(node.take(half), "");
}

TEST(Connection, that_is_silent_for_too_long_is_closed) {  // [MQTT-3.1.2-22]
  bench::Node node;
  Client client(node);
  auto packet = Client::connect_packet("a");
  packet.keep_alive = 4;
  ASSERT_TRUE(client.connect(packet));
  node.advance(5s);
  EXPECT_FALSE(client.closed());
  node.advance(2s);
  EXPECT_TRUE(client.closed());
  const auto disconnect = client.next<mqtt::Disconnect>();
  ASSERT_TRUE(disconnect);
  EXPECT_EQ(disconnect->reason, Reason::keep_alive_timeout);
}

}  // namespace
}  // namespace hf
