// Retained messages as clients see them: one node, bytes in, bytes out.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/node/bench_node.hpp"

namespace hf {
namespace {

using bench::Client;
using mqtt::Reason;

struct Retaining : testing::Test {
  bench::Node node;
  Client writer{node}, reader{node};

  Retaining() {
    writer.connect("writer");
    reader.connect("reader");
  }
  static mqtt::Publish retained(std::string topic, std::string payload, std::uint8_t qos = 1, mqtt::PacketId id = 1) {
    mqtt::Publish packet = Client::publish_packet(std::move(topic), std::move(payload), qos, qos == 0 ? mqtt::PacketId{0} : id);
    packet.retain = true;
    return packet;
  }
  void retain(const std::string& topic, const std::string& payload) {
    writer.send(retained(topic, payload));
    ASSERT_TRUE(writer.next<mqtt::Puback>());
  }
  static mqtt::Subscribe filter(std::string text, std::uint8_t qos, std::uint8_t handling = 0, bool as_published = false) {
    mqtt::Subscribe packet;
    packet.packet_id = 9;
    mqtt::Subscription one;
    one.filter = std::move(text);
    one.qos = qos;
    one.retain_handling = handling;
    one.retain_as_published = as_published;
    packet.subscriptions.push_back(std::move(one));
    return packet;
  }
  /// Topics and payloads of what comes after the SUBACK, with RETAIN; in order of topics.
  std::vector<std::string> answer(Client& client, const mqtt::Subscribe& packet) {
    client.send(packet);
    std::vector<std::string> found;
    while (auto got = client.next()) {
      const auto* publish = std::get_if<mqtt::Publish>(&*got);
      if (publish == nullptr) continue;
      EXPECT_TRUE(publish->retain);
      found.push_back(publish->topic + "=" + std::string(publish->payload.view()));
      if (publish->qos == 1) {
        mqtt::Puback ack;
        ack.packet_id = publish->packet_id;
        client.send(ack);
      }
    }
    std::sort(found.begin(), found.end());
    return found;
  }
  using Lines = std::vector<std::string>;
};

TEST_F(Retaining, is_sent_to_a_new_subscription_and_replaced) {  // [MQTT-3.3.1-5], [MQTT-3.3.1-8]
  retain("a/1", "old");
  retain("a/1", "new");
  retain("a/2", "two");
  EXPECT_EQ(answer(reader, filter("a/1", 1)), Lines{"a/1=new"});
  EXPECT_EQ(answer(reader, filter("a/+", 0)), (Lines{"a/1=new", "a/2=two"}));
  EXPECT_EQ(answer(reader, filter("b/#", 0)), Lines{});
}

TEST_F(Retaining, is_gone_after_an_empty_payload) {  // [MQTT-3.3.1-6], [MQTT-3.3.1-7]
  retain("a", "x");
  retain("a", "");
  EXPECT_EQ(answer(reader, filter("a", 1)), Lines{});
}

TEST_F(Retaining, wildcards_match_parents_and_no_dollar_topics) {  // [MQTT-4.7.2-1]
  for (const char* topic : {"a", "a/b", "a/b/c", "ab", "a!", "$x/a", "b/c"}) retain(topic, "1");
  EXPECT_EQ(answer(reader, filter("a/#", 0)), (Lines{"a/b/c=1", "a/b=1", "a=1"}));
  EXPECT_EQ(answer(reader, filter("#", 0)).size(), 6U);
  EXPECT_EQ(answer(reader, filter("+/a", 0)), Lines{});
  EXPECT_EQ(answer(reader, filter("$x/+", 0)), Lines{"$x/a=1"});
  EXPECT_EQ(answer(reader, filter("+/+/c", 0)), Lines{"a/b/c=1"});
  EXPECT_EQ(answer(reader, filter("a/+", 0)), Lines{"a/b=1"});
}

TEST_F(Retaining, by_retain_handling) {  // [MQTT-3.3.1-9], [MQTT-3.3.1-10], [MQTT-3.3.1-11], [MQTT-3.8.4-3]
  retain("a", "x");
  EXPECT_EQ(answer(reader, filter("a", 0, 2)), Lines{});
  EXPECT_EQ(answer(reader, filter("a", 0, 1)), Lines{}) << "the subscription existed";
  EXPECT_EQ(answer(reader, filter("a", 0, 0)), Lines{"a=x"});
  EXPECT_EQ(answer(reader, filter("+", 0, 1)), Lines{"a=x"}) << "this one did not";
}

TEST_F(Retaining, what_an_earlier_subscribe_is_owed_is_sent_all_the_same_and_once) {  // [MQTT-3.8.4-4], [MQTT-3.3.1-10]
  for (int i = 0; i < 600; ++i) retain("r/" + std::to_string(i), "x");
  for (const std::uint8_t handling : {std::uint8_t{1}, std::uint8_t{2}}) {
    Client one(node);
    one.connect("one" + std::to_string(handling));
    one.send(filter("r/+", 1));  // more than a page, and than the window: it is not through when the next one comes
    EXPECT_EQ(answer(one, filter("r/+", 1, handling)).size(), 600U) << int{handling};
  }
}

TEST_F(Retaining, live_messages_say_retain_only_as_published) {  // [MQTT-3.3.1-12], [MQTT-3.3.1-13]
  Client plain(node);
  plain.connect("plain");
  answer(plain, filter("a", 0));
  answer(reader, filter("a", 0, 0, true));
  retain("a", "x");
  auto got = plain.next<mqtt::Publish>();
  ASSERT_TRUE(got);
  EXPECT_FALSE(got->retain);
  got = reader.next<mqtt::Publish>();
  ASSERT_TRUE(got);
  EXPECT_TRUE(got->retain);
}

TEST_F(Retaining, carries_qos_identifier_and_what_is_left_of_its_expiry) {  // [MQTT-3.8.4-8], [MQTT-3.3.2-6], [MQTT-3.3.4-4]
  mqtt::Publish packet = retained("a", "x", 2, 3);
  packet.properties.edit().message_expiry_interval = 20;
  packet.properties.edit().user_properties = {{"k", "v"}};
  writer.send(packet);
  ASSERT_TRUE(writer.next<mqtt::Pubrec>());
  node.advance(5s);
  mqtt::Subscribe subscribe = filter("a", 1);
  subscribe.properties.edit().subscription_identifiers = {77};
  reader.send(subscribe);
  ASSERT_TRUE(reader.next<mqtt::Suback>());
  const auto got = reader.next<mqtt::Publish>();
  ASSERT_TRUE(got);
  EXPECT_EQ(got->qos, 1);
  EXPECT_TRUE(got->retain);
  EXPECT_EQ(got->properties->subscription_identifiers, std::vector<std::uint32_t>{77});
  EXPECT_EQ(got->properties->message_expiry_interval, 15U);
  EXPECT_EQ(got->properties->user_properties.size(), 1U);
  node.advance(16s);
  EXPECT_EQ(answer(writer, filter("a", 0)), Lines{}) << "expired [MQTT-3.3.2-5]";
}

TEST_F(Retaining, a_resent_qos2_message_does_not_overwrite_a_newer_one) {
  Client other(node);
  other.connect("other");
  mqtt::Publish first = retained("a", "first", 2, 3);
  writer.send(first);
  ASSERT_TRUE(writer.next<mqtt::Pubrec>());
  other.send(retained("a", "second", 1, 1));
  first.dup = true;
  writer.send(first);
  ASSERT_TRUE(writer.next<mqtt::Pubrec>());
  EXPECT_EQ(answer(reader, filter("a", 0)), Lines{"a=second"});
}

TEST(RetainLimits, unavailable) {  // [MQTT-3.2.2-13], [MQTT-3.2.2-14]
  node::Config config;
  config.retain_available = false;
  bench::Node node(config);
  Client client(node), old(node, mqtt::Version::v311), willing(node);
  const auto connack = client.connect("a");
  ASSERT_TRUE(connack);
  EXPECT_EQ(connack->properties->retain_available, false);
  client.send(Retaining::retained("t", "x"));
  const auto disconnect = client.next<mqtt::Disconnect>();
  ASSERT_TRUE(disconnect);
  EXPECT_EQ(disconnect->reason, Reason::retain_not_supported);
  old.connect("b");
  old.send(Retaining::retained("t", "x"));
  EXPECT_TRUE(old.closed()) << "as Mosquitto does";
  mqtt::Connect with_will = Client::connect_packet("c");
  with_will.will.emplace();
  with_will.will->topic = "w";
  with_will.will->retain = true;
  const auto refused = willing.connect(with_will);
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->reason, Reason::retain_not_supported);
}

TEST(RetainLimits, beyond_them_messages_are_refused) {
  node::Config config;
  config.retained_max_messages = 2;
  config.retained_max_bytes = 100;
  bench::Node node(config);
  Client client(node);
  client.connect("a");
  const auto put = [&](const std::string& topic, std::size_t size) {
    client.send(Retaining::retained(topic, std::string(size, 'x'), 1, 1));
    const auto puback = client.next<mqtt::Puback>();
    return puback ? puback->reason : Reason::unspecified_error;
  };
  EXPECT_NE(put("1", 10), Reason::quota_exceeded);
  EXPECT_NE(put("2", 10), Reason::quota_exceeded);
  EXPECT_EQ(put("3", 10), Reason::quota_exceeded);
  EXPECT_NE(put("2", 20), Reason::quota_exceeded) << "in place of another";
  EXPECT_EQ(put("2", 200), Reason::quota_exceeded);
  EXPECT_NE(put("1", 0), Reason::quota_exceeded);
  EXPECT_NE(put("3", 10), Reason::quota_exceeded) << "there is room again";
  EXPECT_EQ(node.shard().counters().dropped, 2U);
  // A PUBREC with an error would end the flow [MQTT-4.3.3-4], and the message has gone to its subscribers: it is told in words.
  client.send(Retaining::retained("4", "x", 2, 5));
  auto pubrec = client.next<mqtt::Pubrec>();
  ASSERT_TRUE(pubrec);
  EXPECT_FALSE(mqtt::is_error(pubrec->reason));
  EXPECT_EQ(pubrec->properties->reason_string.value_or(""), "the message is not retained: there are too many");
  client.send(mqtt::Pubrel{{.packet_id = 5, .reason = Reason::success, .properties = {}}});
  ASSERT_TRUE(client.next<mqtt::Pubcomp>());
  client.send(Retaining::retained("3", "y", 2, 5));
  pubrec = client.next<mqtt::Pubrec>();
  ASSERT_TRUE(pubrec);
  EXPECT_FALSE(pubrec->properties->reason_string);
  EXPECT_EQ(node.shard().counters().dropped, 3U);
}

TEST_F(Retaining, a_reader_that_does_not_read_holds_the_answer_up) {
  constexpr int messages = 3000;
  for (int i = 0; i < messages; ++i) writer.send(retained("t/" + std::to_string(i), std::string(200, 'x'), 0));
  node.hold(reader.stream(), true);
  reader.send(filter("#", 0));
  const std::size_t unsent = node.unsent(reader.stream());
  EXPECT_GT(unsent, 10'000U);
  EXPECT_LT(unsent, 400'000U) << "a page or two, not all";
  node.hold(reader.stream(), false);
  int got = 0;
  while (auto packet = reader.next()) got += std::holds_alternative<mqtt::Publish>(*packet) ? 1 : 0;
  EXPECT_EQ(got, messages);
  EXPECT_EQ(node.shard().counters().dropped, 0U);
}

TEST_F(Retaining, more_than_the_window_all_arrive_as_they_are_acknowledged) {
  constexpr std::size_t messages = 1000;
  for (std::size_t i = 0; i < messages; ++i) writer.send(retained("t/" + std::to_string(i), "x", 0));
  EXPECT_EQ(answer(reader, filter("t/+", 1)).size(), messages) << "QoS 0: the message's counts";
  for (std::size_t i = 0; i < messages; ++i) retain("u/" + std::to_string(i), "x");
  EXPECT_EQ(answer(reader, filter("u/+", 1)).size(), messages);
}

}  // namespace
}  // namespace hf
