// Topic aliases: the two tables, and connections that use them.
#include <gtest/gtest.h>

#include "broker/node/topic_aliases.hpp"
#include "tests/node/bench_node.hpp"

namespace hf {
namespace {

using bench::Client;
using mqtt::Reason;
using node::InboundAliases;
using node::OutboundAliases;

TEST(InboundAliases, mean_what_was_said_last) {  // [MQTT-3.3.2-12]
  InboundAliases aliases(2);
  std::string topic = "a/b";
  EXPECT_TRUE(aliases.resolve(1, topic));
  topic = "";
  EXPECT_TRUE(aliases.resolve(1, topic));
  EXPECT_EQ(topic, "a/b");
  topic = "c";
  EXPECT_TRUE(aliases.resolve(1, topic));
  topic = "";
  EXPECT_TRUE(aliases.resolve(1, topic));
  EXPECT_EQ(topic, "c");
}

TEST(InboundAliases, know_their_range) {  // [MQTT-3.3.2-8], [MQTT-3.3.2-9]
  InboundAliases aliases(2);
  std::string topic = "a";
  EXPECT_FALSE(aliases.resolve(0, topic));
  EXPECT_FALSE(aliases.resolve(3, topic));
  topic = "";
  EXPECT_FALSE(aliases.resolve(2, topic)) << "means nothing yet";
  EXPECT_FALSE(InboundAliases(0).in_range(1));
}

TEST(OutboundAliases, go_to_topics_that_come_again) {  // [MQTT-3.1.2-26]
  OutboundAliases aliases(1);
  EXPECT_FALSE(aliases.use("topic/1"));
  const auto told = aliases.use("topic/1");
  ASSERT_TRUE(told);
  EXPECT_EQ(told->alias, 1);
  EXPECT_FALSE(told->known);
  EXPECT_TRUE(aliases.use("topic/1")->known);
  EXPECT_FALSE(aliases.use("topic/2"));
  EXPECT_FALSE(aliases.use("topic/2")) << "none is left";
  EXPECT_FALSE(OutboundAliases(0).use("topic/1"));
}

TEST(OutboundAliases, move_on_from_topics_that_went_cold) {
  OutboundAliases aliases(1);
  (void)aliases.use("cold");
  EXPECT_TRUE(aliases.use("cold"));
  (void)aliases.use("other/1");
  (void)aliases.use("other/2");
  const auto again = aliases.use("other/2");
  ASSERT_TRUE(again);
  EXPECT_EQ(again->alias, 1);
  EXPECT_FALSE(again->known);
  EXPECT_FALSE(aliases.use("cold"));
}

TEST(TopicAliases, are_taken_from_clients) {  // [MQTT-3.3.2-12]
  bench::Node node;
  Client writer(node), reader(node);
  const auto connack = writer.connect("writer");
  ASSERT_TRUE(connack && connack->properties->topic_alias_maximum);
  ASSERT_TRUE(reader.connect("reader"));
  ASSERT_EQ(reader.subscribe("#"), 0);
  auto packet = Client::publish_packet("some/topic", "1");
  packet.properties.edit().topic_alias = 1;
  packet.properties.edit().content_type = "text";
  writer.send(packet);
  packet.topic.clear();
  writer.send(packet);
  for (int i = 0; i < 2; ++i) {
    const auto got = reader.next<mqtt::Publish>();
    ASSERT_TRUE(got);
    EXPECT_EQ(got->topic, "some/topic");
    EXPECT_FALSE(got->properties->topic_alias) << "the client offered none [MQTT-3.1.2-27]";
    EXPECT_EQ(got->properties->content_type, "text");
  }
}

TEST(TopicAliases, end_with_the_connection) {  // [MQTT-3.3.2-7]
  bench::Node node;
  Client first(node);
  ASSERT_TRUE(first.connect("writer"));
  auto packet = Client::publish_packet("some/topic", "1");
  packet.properties.edit().topic_alias = 1;
  first.send(packet);
  Client second(node);
  ASSERT_TRUE(second.connect("writer"));
  packet.topic.clear();
  second.send(packet);
  EXPECT_EQ(second.next<mqtt::Disconnect>()->reason, Reason::protocol_error);
  EXPECT_TRUE(second.closed());
}

TEST(TopicAliases, above_the_maximum_end_the_connection) {  // [MQTT-3.3.2-9]
  node::Config config;
  config.topic_alias_max = 3;
  bench::Node node(config);
  Client client(node);
  EXPECT_EQ(client.connect("a")->properties->topic_alias_maximum, 3);
  auto packet = Client::publish_packet("some/topic", "1");
  packet.properties.edit().topic_alias = 4;
  client.send(packet);
  EXPECT_EQ(client.next<mqtt::Disconnect>()->reason, Reason::topic_alias_invalid);
  EXPECT_TRUE(client.closed());
}

TEST(TopicAliases, are_used_towards_clients_within_their_maximum) {  // [MQTT-3.1.2-26]
  bench::Node node;
  Client writer(node), reader(node);
  ASSERT_TRUE(writer.connect("writer"));
  auto connect = Client::connect_packet("reader");
  connect.properties.edit().topic_alias_maximum = 1;
  ASSERT_TRUE(reader.connect(connect));
  ASSERT_EQ(reader.subscribe("#", 1), 1);
  std::string topic;
  for (int i = 0; i < 5; ++i) {
    writer.send(Client::publish_packet("some/long/topic", "1", 1, 1));
    const auto got = reader.next<mqtt::Publish>();
    ASSERT_TRUE(got);
    EXPECT_EQ(got->properties->topic_alias.value_or(1), 1);
    if (!got->topic.empty()) topic = got->topic;
    EXPECT_EQ(topic, "some/long/topic");
    EXPECT_EQ(got->topic.empty(), i >= 2) << i;
    reader.send(mqtt::Puback{{.packet_id = got->packet_id, .reason = Reason::success, .properties = {}}});
  }
}

}  // namespace
}  // namespace hf
