// Declared limits, each with what is said at it.
#include <gtest/gtest.h>

#include "broker/node/rate.hpp"
#include "tests/node/bench_node.hpp"

namespace hf {
namespace {

using bench::Client;
using mqtt::Reason;
using mqtt::Version;

mqtt::Connect lasting(std::string id) {
  auto packet = Client::connect_packet(std::move(id));
  packet.properties.edit().session_expiry_interval = 3600;
  return packet;
}

TEST(Rate, allows_a_burst_and_then_its_pace) {
  node::Rate rate(10, 3);
  const Instant start{1s};
  EXPECT_TRUE(rate.take(start));
  EXPECT_TRUE(rate.take(start));
  EXPECT_TRUE(rate.take(start));
  EXPECT_FALSE(rate.take(start));
  EXPECT_FALSE(rate.take(start + 99ms));
  EXPECT_TRUE(rate.take(start + 100ms));
  EXPECT_FALSE(rate.take(start + 100ms));
  node::Rate none;
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(none.take(start));
}

TEST(Limits, topics_have_a_length_and_a_depth) {
  node::Config config;
  config.max_topic_length = 20;
  config.max_topic_levels = 3;
  bench::Node node(config);
  Client client(node), old(node, Version::v311), will(node);
  ASSERT_TRUE(client.connect("a"));
  client.send(Client::publish_packet("a/b/c/d", "x", 1, 1));
  EXPECT_EQ(client.next<mqtt::Puback>()->reason, Reason::topic_name_invalid);
  client.send(Client::publish_packet(std::string(21, 'x'), "x", 2, 2));
  EXPECT_EQ(client.next<mqtt::Pubrec>()->reason, Reason::topic_name_invalid);
  EXPECT_EQ(client.subscribe("a/b/c", 1), 1);
  EXPECT_EQ(client.subscribe("a/b/c/#", 1), 0x8F);
  ASSERT_TRUE(old.connect("b"));
  EXPECT_EQ(old.subscribe("a/b/c/#", 1), 0x80);
  old.send(Client::publish_packet("a/b/c/d", "x", 1, 1));
  EXPECT_EQ(old.next<mqtt::Puback>()->packet_id, 1) << "3.1.1 cannot refuse";
  EXPECT_FALSE(client.next());
  auto connect = Client::connect_packet("c");
  connect.will = mqtt::Will{.topic = "a/b/c/d", .payload = {}, .qos = 0, .retain = false, .properties = {}};
  EXPECT_EQ(will.connect(connect)->reason, Reason::topic_name_invalid);
}

/// 5.0, 3.3.4: a PUBLISH of QoS 2 counts until its PUBCOMP, or a PUBREC that refuses it.
struct ReceiveMaximum : testing::Test {
  static node::Config two() {
    node::Config config;
    config.receive_maximum = 2;
    config.max_topic_length = 5;
    return config;
  }
  static mqtt::Pubrel pubrel(mqtt::PacketId id) { return {{.packet_id = id, .reason = Reason::success, .properties = {}}}; }
  /// Accepted with this QoS and id; else the connection ended for having sent too much.
  bool takes(Client& client, std::uint8_t qos, mqtt::PacketId id) {
    client.send(Client::publish_packet("t", "x", qos, id));
    const auto answer = client.next();
    if (!client.closed()) return answer.has_value();
    EXPECT_EQ(std::get<mqtt::Disconnect>(*answer).reason, Reason::receive_maximum_exceeded);
    return false;
  }
  bench::Node node{two()};
};

TEST_F(ReceiveMaximum, counts_qos_2_until_pubcomp) {  // [MQTT-3.3.4-7]
  Client client(node);
  ASSERT_TRUE(client.connect("a"));
  EXPECT_TRUE(takes(client, 2, 1));
  EXPECT_TRUE(takes(client, 2, 2));
  EXPECT_TRUE(takes(client, 2, 2)) << "the same again";
  client.send(pubrel(1));
  EXPECT_TRUE(client.next<mqtt::Pubcomp>());
  EXPECT_TRUE(takes(client, 1, 3));
  EXPECT_TRUE(takes(client, 2, 4));
  EXPECT_FALSE(takes(client, 1, 5));
}

TEST_F(ReceiveMaximum, does_not_count_what_was_refused) {
  Client client(node);
  ASSERT_TRUE(client.connect("a"));
  for (mqtt::PacketId id = 1; id <= 5; ++id) {
    client.send(Client::publish_packet("too long", "x", 2, id));
    EXPECT_EQ(client.next<mqtt::Pubrec>()->reason, Reason::topic_name_invalid);
  }
  EXPECT_TRUE(takes(client, 2, 6));
  EXPECT_TRUE(takes(client, 2, 7));
  EXPECT_FALSE(takes(client, 2, 8));
}

TEST_F(ReceiveMaximum, does_not_count_what_a_connection_before_left) {
  Client before(node), client(node), old(node, Version::v311);
  auto packet = lasting("a");
  packet.clean_start = false;
  ASSERT_TRUE(before.connect(packet));
  EXPECT_TRUE(takes(before, 2, 1));
  EXPECT_TRUE(takes(before, 2, 2));
  node.vanish(before.stream());
  ASSERT_TRUE(client.connect(packet));
  EXPECT_TRUE(takes(client, 2, 3));
  EXPECT_TRUE(takes(client, 2, 4));
  EXPECT_FALSE(takes(client, 2, 5));
  ASSERT_TRUE(old.connect("old"));
  for (mqtt::PacketId id = 1; id <= 5; ++id) EXPECT_TRUE(takes(old, 2, id)) << "3.1.1 knows no such maximum";
}

/// Its session has room for two filters of three bytes.
void takes_two_filters(Client& client) {
  ASSERT_TRUE(client.connect(lasting("a")));
  EXPECT_EQ(client.subscribe("t/1"), 0);
  EXPECT_EQ(client.subscribe("t/2"), 0);
  EXPECT_EQ(client.subscribe("t/3"), 0x97);
  EXPECT_EQ(client.subscribe("t/2", 1), 1) << "not a new one";
  client.send(mqtt::Unsubscribe{.packet_id = 2, .filters = {"t/1"}, .properties = {}});
  ASSERT_TRUE(client.next<mqtt::Unsuback>());
  EXPECT_EQ(client.subscribe("t/3"), 0);
}

TEST(Limits, subscriptions_of_a_session) {
  node::Config config;
  config.max_subscriptions = 2;
  bench::Node node(config);
  Client client(node), other(node);
  takes_two_filters(client);
  ASSERT_TRUE(other.connect(lasting("b")));
  mqtt::Subscribe twice{.packet_id = 3, .subscriptions = {}, .properties = {}};
  for (const char* filter : {"t/1", "t/1", "t/2", "t/2", "t/3"}) twice.subscriptions.push_back({.filter = filter, .qos = 0});
  other.send(twice);
  EXPECT_EQ(other.next<mqtt::Suback>().value().codes, (std::vector<std::uint8_t>{0, 0, 0, 0, 0x97})) << "named twice it is one";
}

TEST(Limits, bytes_of_a_sessions_filters) {
  node::Config config;
  config.max_filter_bytes = 7;
  bench::Node node(config);
  Client client(node);
  takes_two_filters(client);
  EXPECT_EQ(client.subscribe("tt"), 0x97);
  EXPECT_EQ(client.subscribe("t"), 0) << "the seventh";
}

/// A session that is away, and whom others publish to.
struct Away {
  explicit Away(node::Config config) : node(std::move(config)), writer(node) {
    Client reader(node);
    EXPECT_TRUE(reader.connect(lasting("reader")));
    EXPECT_EQ(reader.subscribe("t", 1), 1);
    node.vanish(reader.stream());
    EXPECT_TRUE(writer.connect("writer"));
  }
  Reason publish(std::string payload) {
    writer.send(Client::publish_packet("t", std::move(payload), 1, 1));
    return writer.next<mqtt::Puback>().value().reason;
  }
  std::string queued() {
    Client reader(node);
    auto connect = lasting("reader");
    connect.clean_start = false;
    EXPECT_TRUE(reader.connect(connect)->session_present);
    std::string all;
    while (const auto packet = reader.next<mqtt::Publish>()) all += packet->payload.view();
    return all;
  }
  bench::Node node;
  Client writer;
};

TEST(Queue, that_is_full_drops_the_newest) {
  node::Config config;
  config.max_queued_messages = 2;
  Away away(config);
  for (const char* text : {"1", "2", "3"}) EXPECT_EQ(away.publish(text), Reason::success);
  EXPECT_EQ(away.node.shard().counters().dropped_queue_full, 1U);
  EXPECT_EQ(away.queued(), "12");
}

TEST(Queue, that_is_full_drops_the_oldest_when_told_so) {
  node::Config config;
  config.max_queued_messages = 2;
  config.queue_policy = node::QueuePolicy::drop_oldest;
  Away away(config);
  for (const char* text : {"1", "2", "3"}) EXPECT_EQ(away.publish(text), Reason::success);
  EXPECT_EQ(away.node.shard().counters().dropped_queue_full, 1U);
  EXPECT_EQ(away.queued(), "23");
}

TEST(Queue, that_is_full_rejects_when_told_so) {
  node::Config config;
  config.max_queued_messages = 2;
  config.queue_policy = node::QueuePolicy::reject;
  Away away(config);
  EXPECT_EQ(away.publish("1"), Reason::success);
  EXPECT_EQ(away.publish("2"), Reason::success);
  EXPECT_EQ(away.publish("3"), Reason::quota_exceeded);
  EXPECT_EQ(away.queued(), "12");
}

TEST(Queue, has_a_limit_in_bytes_too) {
  node::Config config;
  config.max_queued_bytes = 30;
  Away away(config);
  EXPECT_EQ(away.publish("0123456789"), Reason::success);
  EXPECT_EQ(away.publish("abcdefghij"), Reason::success);
  EXPECT_EQ(away.publish("klmnopqrst"), Reason::success);
  EXPECT_EQ(away.publish("."), Reason::success);
  EXPECT_EQ(away.node.shard().counters().dropped_queue_full, 1U);
  EXPECT_EQ(away.queued(), "0123456789abcdefghij.");
}

TEST(Queue, that_is_full_ends_no_flow_of_qos_2) {
  node::Config config;
  config.max_queued_messages = 1;
  config.queue_policy = node::QueuePolicy::reject;
  bench::Node node(config);
  Client reader(node), writer(node);
  ASSERT_TRUE(reader.connect(lasting("reader")));
  ASSERT_EQ(reader.subscribe("t", 2), 2);
  node.vanish(reader.stream());
  ASSERT_TRUE(writer.connect("writer"));
  std::string told;
  const auto publish = [&](std::string payload) {
    writer.send(Client::publish_packet("t", std::move(payload), 2, 5));
    const auto pubrec = writer.next<mqtt::Pubrec>();
    told = pubrec->properties->reason_string.value_or("");
    return pubrec->reason;
  };
  const auto release = [&] {
    writer.send(mqtt::Pubrel{{.packet_id = 5, .reason = Reason::success, .properties = {}}});
    EXPECT_EQ(writer.next<mqtt::Pubcomp>()->reason, Reason::success);
  };
  EXPECT_EQ(publish("1"), Reason::success);
  EXPECT_EQ(told, "");
  release();
  EXPECT_FALSE(mqtt::is_error(publish("2")));
  EXPECT_EQ(told, "the queue of a subscriber is full");
  EXPECT_EQ(node.shard().counters().dropped_queue_full, 1U);
  release();
  Client again(node);
  auto connect = lasting("reader");
  connect.clean_start = false;
  ASSERT_TRUE(again.connect(connect)->session_present);
  auto got = again.next<mqtt::Publish>();
  ASSERT_TRUE(got);
  again.send(mqtt::Pubrec{{.packet_id = got->packet_id, .reason = Reason::success, .properties = {}}});
  ASSERT_TRUE(again.next<mqtt::Pubrel>());
  again.send(mqtt::Pubcomp{{.packet_id = got->packet_id, .reason = Reason::success, .properties = {}}});
  EXPECT_EQ(publish("3"), Reason::success);
  release();
  EXPECT_EQ(again.next<mqtt::Publish>()->payload.view(), "3") << "there is room again";
}

TEST(Connections, have_a_maximum) {
  node::Config config;
  config.max_connections = 1;
  bench::Node node(config);
  Client first(node), second(node), old(node, Version::v311);
  EXPECT_EQ(first.connect("a")->reason, Reason::success);
  EXPECT_EQ(second.connect("b")->reason, Reason::quota_exceeded);
  EXPECT_TRUE(second.closed());
  EXPECT_EQ(old.connect("c")->reason, Reason::server_unavailable);
  node.vanish(first.stream());
  Client third(node);
  EXPECT_EQ(third.connect("d")->reason, Reason::success);
}

TEST(Connections, have_a_rate) {
  node::Config config;
  config.connect_rate = 1;
  config.connect_burst = 2;
  bench::Node node(config);
  Client one(node), two(node), three(node);
  EXPECT_EQ(one.connect("a")->reason, Reason::success);
  EXPECT_EQ(two.connect("b")->reason, Reason::success);
  EXPECT_EQ(three.connect("c")->reason, Reason::connection_rate_exceeded);
  node.advance(1s);
  Client four(node);
  EXPECT_EQ(four.connect("d")->reason, Reason::success);
}

TEST(Connections, that_have_not_said_connect_are_few) {
  node::Config config;
  config.max_pending = 2;
  bench::Node node(config);
  Client one(node);
  const StreamId two = node.open(), three = node.open();
  EXPECT_FALSE(node.closed(two));
  EXPECT_TRUE(node.closed(three));
  ASSERT_TRUE(one.connect("a"));
  EXPECT_FALSE(node.closed(node.open())) << "there is room again";
  EXPECT_TRUE(node.closed(node.open()));
  node.advance(11s);
  EXPECT_FALSE(node.closed(node.open()));
}

TEST(Connections, say_connect_in_few_bytes) {
  node::Config config;
  config.max_connect_size = 100;
  bench::Node node(config);
  Client client(node), large(node);
  ASSERT_TRUE(client.connect("a"));
  client.send(Client::publish_packet("t", std::string(1000, 'x'), 1, 1));
  EXPECT_TRUE(client.next<mqtt::Puback>()) << "other packets may be larger";
  auto connect = Client::connect_packet("b");
  connect.username = std::string(200, 'u');
  large.send(connect);
  EXPECT_TRUE(large.closed());
}

struct Publishers : testing::Test {
  static node::Config ten_a_second() {
    node::Config config;
    config.publish_rate = 10;
    config.publish_burst = 5;
    return config;
  }
  static std::string twenty() {
    std::string bytes;
    for (mqtt::PacketId id = 1; id <= 20; ++id) mqtt::encode(Client::publish_packet("t", "x", 1, id), Version::v5, bytes);
    return bytes;
  }
  bench::Node node{ten_a_second()};
};

TEST_F(Publishers, that_are_too_fast_are_read_from_more_slowly) {
  Client client(node);
  ASSERT_TRUE(client.connect("a"));
  client.send_bytes(twenty());
  EXPECT_TRUE(node.paused(client.stream()));
  int acknowledged = 0;
  const auto count = [&] {
    while (client.next<mqtt::Puback>()) ++acknowledged;
    return acknowledged;
  };
  EXPECT_GE(count(), 5);
  EXPECT_LE(acknowledged, 6);
  node.advance(500ms);
  EXPECT_GE(count(), 9);
  EXPECT_LE(acknowledged, 11);
  node.advance(3s);
  EXPECT_EQ(count(), 20) << "nothing is lost";
  EXPECT_FALSE(node.paused(client.stream()));
}

TEST_F(Publishers, that_are_read_from_slowly_and_say_goodbye_have_no_will) {
  Client watch(node);
  ASSERT_TRUE(watch.connect("watch"));
  ASSERT_EQ(watch.subscribe("w"), 0);
  const auto wills = [&](mqtt::Reason goodbye) {
    Client client(node);
    auto connect = Client::connect_packet("a");
    connect.will = mqtt::Will{.topic = "w", .payload = {}, .qos = 0, .retain = false, .properties = {}};
    EXPECT_TRUE(client.connect(connect));
    std::string bytes = twenty();
    mqtt::encode(mqtt::Disconnect{.reason = goodbye, .properties = {}}, Version::v5, bytes);
    client.send_bytes(bytes);
    EXPECT_TRUE(node.paused(client.stream()));
    node.vanish(client.stream());
    return watch.next<mqtt::Publish>() ? 1 : 0;
  };
  EXPECT_EQ(wills(Reason::success), 0);
  EXPECT_EQ(wills(Reason::disconnect_with_will_message), 1);
}

TEST(Acknowledgements, that_are_said_again_tell_nothing_new) {
  bench::Node node;
  Client writer(node), reader(node);
  ASSERT_TRUE(writer.connect("writer"));
  ASSERT_TRUE(reader.connect("reader"));
  ASSERT_EQ(reader.subscribe("t", 2), 2);
  for (mqtt::PacketId id = 1; id <= 5; ++id) {
    writer.send(Client::publish_packet("t", "x", 2, id));
    writer.send(mqtt::Pubrel{{.packet_id = id, .reason = Reason::success, .properties = {}}});
    const auto packet = reader.next<mqtt::Publish>();
    ASSERT_TRUE(packet) << id;
    std::string bytes;
    mqtt::encode(mqtt::Pubrec{{.packet_id = packet->packet_id, .reason = Reason::unspecified_error, .properties = {}}}, Version::v5, bytes);
    mqtt::encode(mqtt::Pubrec{{.packet_id = packet->packet_id, .reason = Reason::success, .properties = {}}}, Version::v5, bytes);
    mqtt::encode(mqtt::Pubcomp{{.packet_id = packet->packet_id, .reason = Reason::success, .properties = {}}}, Version::v5, bytes);
    reader.send_bytes(bytes);
    EXPECT_FALSE(reader.next());
  }
}

TEST(HalfPackets, are_waited_for_a_bounded_time) {
  bench::Node node;
  Client client(node);
  ASSERT_TRUE(client.connect("a"));
  client.send_bytes(std::string("\x30\x20\x00\x01t", 5));
  node.advance(59s);
  EXPECT_FALSE(client.closed());
  node.advance(2s);
  EXPECT_TRUE(client.closed());
  EXPECT_EQ(client.next<mqtt::Disconnect>()->reason, Reason::implementation_specific_error);
}

TEST(SlowReaders, hold_back_their_messages_and_not_the_memory) {
  bench::Node node;
  Client writer(node), reader(node);
  ASSERT_TRUE(writer.connect("writer"));
  ASSERT_TRUE(reader.connect(lasting("reader")));
  ASSERT_EQ(reader.subscribe("t", 1), 1);
  node.hold(reader.stream(), true);
  for (std::uint16_t i = 1; i <= 200; ++i) {
    writer.send(Client::publish_packet("t", std::string(10'000, 'x'), 1, i));
    ASSERT_TRUE(writer.next<mqtt::Puback>()) << "publishers do not notice";
  }
  EXPECT_GT(node.unsent(reader.stream()), env::writable_mark);
  EXPECT_LT(node.unsent(reader.stream()), env::writable_mark + 20'000);
  EXPECT_TRUE(node.paused(reader.stream()));
  node.hold(reader.stream(), false);
  EXPECT_FALSE(node.paused(reader.stream()));
  int got = 0;
  while (const auto packet = reader.next<mqtt::Publish>()) {
    ++got;
    reader.send(mqtt::Puback{{.packet_id = packet->packet_id, .reason = Reason::success, .properties = {}}});
  }
  EXPECT_EQ(got, 200);
}

TEST(SlowReaders, lose_qos_0_and_then_the_connection) {
  node::Config config;
  config.max_unsent_bytes = 100'000;
  bench::Node node(config);
  Client writer(node), reader(node);
  ASSERT_TRUE(writer.connect("writer"));
  auto connect = Client::connect_packet("reader");
  ASSERT_TRUE(reader.connect(connect));
  ASSERT_EQ(reader.subscribe("t"), 0);
  node.hold(reader.stream(), true);
  for (int i = 0; i < 50; ++i) writer.send(Client::publish_packet("t", std::string(10'000, 'x')));
  EXPECT_LT(node.unsent(reader.stream()), 120'000U);
  EXPECT_GT(node.shard().counters().dropped_slow_reader, 30U);
  node.advance(59s);
  EXPECT_FALSE(reader.closed());
  node.advance(2s);
  EXPECT_TRUE(reader.closed());
}

TEST(Limits, short_memory_drops_qos_0_and_refuses_who_begins_anew) {
  bench::Node node;
  Client reader(node), writer(node), fresh(node), old(node, Version::v311), back(node);
  auto sleeper = lasting("sleeper");
  {
    Client before(node);
    ASSERT_TRUE(before.connect(sleeper));
    node.vanish(before.stream());
  }
  ASSERT_TRUE(reader.connect("reader"));
  ASSERT_EQ(reader.subscribe("t", 1), 1);
  ASSERT_TRUE(writer.connect("writer"));
  node.turn([&] { node.shard().set_pressure(node::Pressure::high); });
  writer.send(Client::publish_packet("t", "lost", 0));
  writer.send(Client::publish_packet("t", "kept", 1, 1));
  EXPECT_EQ(writer.next<mqtt::Puback>()->reason, Reason::success);
  EXPECT_EQ(reader.next<mqtt::Publish>()->payload.view(), "kept");
  EXPECT_FALSE(reader.next());
  EXPECT_EQ(node.shard().counters().dropped_memory, 1U);
  EXPECT_EQ(node.shard().counters().dropped, 1U);
  EXPECT_EQ(fresh.connect("fresh")->reason, Reason::quota_exceeded);
  EXPECT_TRUE(fresh.closed());
  EXPECT_EQ(old.connect("old")->reason, Reason::server_unavailable) << "return code 3";
  sleeper.clean_start = false;
  const auto resumed = back.connect(sleeper);
  ASSERT_TRUE(resumed);
  EXPECT_TRUE(resumed->session_present) << "who comes for its messages makes room";
  node.turn([&] { node.shard().set_pressure(node::Pressure::none); });
  writer.send(Client::publish_packet("t", "again", 0));
  EXPECT_EQ(reader.next<mqtt::Publish>()->payload.view(), "again");
}

TEST(Limits, very_short_memory_holds_publishers_and_loses_nothing_of_theirs) {
  bench::Node node;
  Client reader(node), writer(node), gone(node);
  ASSERT_TRUE(reader.connect("reader"));
  ASSERT_EQ(reader.subscribe("t", 1), 1);
  ASSERT_TRUE(writer.connect("writer"));
  ASSERT_TRUE(gone.connect("gone"));
  node.turn([&] { node.shard().set_pressure(node::Pressure::critical); });
  writer.send(Client::publish_packet("t", "1", 1, 1));
  gone.send(Client::publish_packet("other", "1", 1, 1));
  EXPECT_TRUE(writer.next<mqtt::Puback>());
  writer.send(Client::publish_packet("t", "2", 1, 2));
  EXPECT_FALSE(writer.next());
  EXPECT_TRUE(node.paused(writer.stream()));
  EXPECT_FALSE(node.paused(reader.stream())) << "who takes messages away goes on";
  EXPECT_EQ(reader.next<mqtt::Publish>()->payload.view(), "1");
  reader.send(mqtt::Puback{{.packet_id = 1, .reason = Reason::success, .properties = {}}});
  node.vanish(gone.stream());
  node.turn([&] { node.shard().set_pressure(node::Pressure::critical); });
  EXPECT_TRUE(node.paused(writer.stream()));
  node.turn([&] { node.shard().set_pressure(node::Pressure::high); });
  EXPECT_FALSE(node.paused(writer.stream()));
  EXPECT_EQ(writer.next<mqtt::Puback>()->packet_id, 2);
  EXPECT_EQ(reader.next<mqtt::Publish>()->payload.view(), "2");
}

}  // namespace
}  // namespace hf
