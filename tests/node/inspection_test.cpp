// What an operator is told of a node, and what $SYS says.
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>

#include "broker/node/sys_topics.hpp"
#include "tests/node/bench_node.hpp"

namespace hf {
namespace {

using bench::Client;
using mqtt::Reason;

mqtt::Connect lasting(std::string id) {
  auto packet = Client::connect_packet(std::move(id));
  packet.properties.edit().session_expiry_interval = 3600;
  return packet;
}

struct Inspected : testing::Test {
  bench::Node node;
  node::Inspection& inspection = node.shard().inspection();
};

TEST_F(Inspected, totals_follow_what_clients_do) {
  Client stays(node), bound(node), writer(node);
  ASSERT_TRUE(stays.connect(lasting("stays")));
  ASSERT_TRUE(bound.connect("bound"));
  ASSERT_TRUE(writer.connect("writer"));
  EXPECT_EQ(stays.subscribe("a/#", 1), 1);
  EXPECT_EQ(stays.subscribe("b", 1), 1);
  EXPECT_EQ(bound.subscribe("a/#", 0), 0);
  auto totals = inspection.totals();
  EXPECT_EQ(totals.connections, 3U);
  EXPECT_EQ(totals.sessions, 1U);
  EXPECT_EQ(totals.sessions_served, 1U);
  EXPECT_EQ(totals.subscriptions, 3U);
  EXPECT_EQ(totals.slots_held, 64U);
  EXPECT_EQ(totals.slots_served, 64U);
  node.vanish(stays.stream());
  writer.send(Client::publish_packet("a/x", "12345", 1, 1));
  auto kept = Client::publish_packet("kept", "xyz", 1, 2);
  kept.retain = true;
  writer.send(kept);
  totals = inspection.totals();
  EXPECT_EQ(totals.queued_messages, 1U);
  EXPECT_EQ(totals.queued_bytes, 8U);
  EXPECT_EQ(totals.retained_messages, 1U);
  EXPECT_EQ(totals.connections, 2U);
  const auto& counters = inspection.counters();
  EXPECT_EQ(counters.publishes_in_by_qos[1], 2U);
  EXPECT_EQ(counters.acknowledgements, 2U);
  EXPECT_EQ(counters.acknowledged_after.count, 2U);
  EXPECT_EQ(counters.publishes_out_by_qos[0], 1U);
  EXPECT_GT(counters.bytes_in, 0U);
  EXPECT_GT(counters.bytes_out, 0U);
  EXPECT_GT(counters.stable_copies[1], 0U) << "one node alone: one copy";
  EXPECT_EQ(counters.sessions_created, 3U);
  Client back(node);
  auto again = lasting("stays");
  again.clean_start = false;
  EXPECT_TRUE(back.connect(again)->session_present);
  EXPECT_EQ(counters.sessions_resumed, 1U);
}

TEST_F(Inspected, a_front_forgets_the_packet_ids_that_are_done_with) {
  Client reader(node), writer(node);
  auto connect = lasting("reader");
  connect.properties.edit().receive_maximum = 2;
  ASSERT_TRUE(reader.connect(connect));
  ASSERT_TRUE(writer.connect("writer"));
  ASSERT_EQ(reader.subscribe("t/#", 2), 2);
  for (const auto qos : {std::uint8_t{1}, std::uint8_t{2}}) {
    for (std::uint16_t i = 1; i <= 5; ++i) {
      writer.send(Client::publish_packet("t", "x", qos, i));
      if (qos == 2) writer.send(mqtt::Pubrel{{.packet_id = i, .reason = Reason::success, .properties = {}}});
    }
    EXPECT_EQ(inspection.client("reader")->in_flight_out, 2U);
    EXPECT_EQ(inspection.client("reader")->unstored_acks, 0U) << "none was said";
    int got = 0;
    while (const auto packet = reader.next()) {
      if (const auto* publish = std::get_if<mqtt::Publish>(&*packet)) {
        ++got;
        const mqtt::Acknowledgement said{.packet_id = publish->packet_id, .reason = Reason::success, .properties = {}};
        reader.send(qos == 1 ? mqtt::Packet(mqtt::Puback{said}) : mqtt::Packet(mqtt::Pubrec{said}));
        EXPECT_EQ(inspection.client("reader")->unstored_acks, 0U) << "stored by now, or a flow that goes on";
      } else if (const auto* pubrel = std::get_if<mqtt::Pubrel>(&*packet)) {
        reader.send(mqtt::Pubcomp{{.packet_id = pubrel->packet_id, .reason = Reason::success, .properties = {}}});
      }
    }
    EXPECT_EQ(got, 5);
    EXPECT_EQ(inspection.client("reader")->in_flight_out, 0U);
    EXPECT_EQ(inspection.client("reader")->unstored_acks, 0U);
  }
}

TEST_F(Inspected, clients_and_sessions_page_by_page) {
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 25; ++i) {
    clients.push_back(std::make_unique<Client>(node));
    ASSERT_TRUE(clients.back()->connect(lasting("c" + std::to_string(i))));
  }
  std::set<std::string> seen, sessions;
  std::string after;
  for (bool more = true; more;) {
    const auto page = inspection.clients(after, 10);
    for (const auto& one : page.items) EXPECT_TRUE(seen.insert(one.client).second);
    more = page.next.has_value();
    EXPECT_EQ(page.items.size(), more ? 10U : 5U);
    after = page.next.value_or("");
  }
  EXPECT_EQ(seen.size(), 25U);
  after.clear();
  for (bool more = true; more;) {
    const auto page = inspection.sessions(after, 7);
    for (const auto& one : page.items) EXPECT_TRUE(sessions.insert(one.client).second);
    more = page.next.has_value();
    after = page.next.value_or("");
  }
  EXPECT_EQ(sessions, seen);
  EXPECT_FALSE(inspection.clients("no number", 100).next);
  const auto one = inspection.client("c3");
  ASSERT_TRUE(one);
  EXPECT_EQ(one->protocol, "5.0");
  EXPECT_EQ(one->remote, "192.0.2.1:40000");
  EXPECT_EQ(one->session_expiry_s, 3600U);
  EXPECT_FALSE(inspection.client("nobody"));
}

TEST_F(Inspected, a_session_with_its_subscriptions_and_queue) {
  Client reader(node), writer(node);
  ASSERT_TRUE(reader.connect(lasting("reader")));
  ASSERT_TRUE(writer.connect("writer"));
  for (const auto* filter : {"a", "b/+", "c/#"}) EXPECT_EQ(reader.subscribe(filter, 1), 1);
  writer.send(Client::publish_packet("a", "x", 1, 1));
  auto session = inspection.session("reader");
  ASSERT_TRUE(session);
  EXPECT_TRUE(session->connected);
  EXPECT_EQ(session->subscriptions, 3U);
  EXPECT_EQ(session->in_flight, 1U);
  const auto first = inspection.subscriptions("reader", "", 2);
  ASSERT_EQ(first.items.size(), 2U);
  EXPECT_EQ(first.items[0].filter, "a");
  const auto second = inspection.subscriptions("reader", *first.next, 2);
  ASSERT_EQ(second.items.size(), 1U);
  EXPECT_EQ(second.items[0].filter, "c/#");
  EXPECT_FALSE(second.next);
  EXPECT_FALSE(inspection.session("writer")) << "it ends with its connection";
}

TEST_F(Inspected, an_operator_ends_a_connection) {
  Client client(node);
  ASSERT_TRUE(client.connect(lasting("c")));
  EXPECT_FALSE(inspection.disconnect("other"));
  EXPECT_TRUE(inspection.disconnect("c"));
  EXPECT_EQ(client.next<mqtt::Disconnect>()->reason, Reason::administrative_action);
  EXPECT_TRUE(client.closed());
  EXPECT_TRUE(inspection.session("c")) << "the session stays";
}

TEST_F(Inspected, an_operator_ends_a_session_and_its_will_is_published) {
  Client client(node), reader(node);
  ASSERT_TRUE(reader.connect("reader"));
  EXPECT_EQ(reader.subscribe("will", 0), 0);
  auto packet = lasting("c");
  packet.will = mqtt::Will{.topic = "will", .payload = Bytes(std::string("gone")), .qos = 0, .retain = false, .properties = {}};
  ASSERT_TRUE(client.connect(packet));
  EXPECT_EQ(client.subscribe("x", 1), 1);
  bool done = false;
  EXPECT_FALSE(inspection.end_session("other", [&] { done = true; }));
  EXPECT_TRUE(inspection.end_session("c", [&] { done = true; }));
  node.advance(1s);
  EXPECT_TRUE(done);
  EXPECT_TRUE(client.closed());
  EXPECT_FALSE(inspection.session("c"));
  EXPECT_EQ(inspection.totals().subscriptions, 1U);
  ASSERT_TRUE(reader.next<mqtt::Publish>());
  Client again(node);
  EXPECT_FALSE(again.connect(lasting("c"))->session_present);
}

TEST_F(Inspected, a_trace_shows_packets_and_no_secrets) {
  std::vector<std::string> lines;
  ASSERT_TRUE(inspection.trace("c", [&](node::Inspection::Direction direction, std::string_view text) {
    lines.push_back((direction == node::Inspection::Direction::in ? "> " : "< ") + std::string(text));
  }));
  Client other(node), client(node);
  ASSERT_TRUE(other.connect("other"));
  auto packet = Client::connect_packet("c");
  packet.username = "ann";
  packet.password = "secret";
  ASSERT_TRUE(client.connect(packet));
  EXPECT_EQ(client.subscribe("a\x01'/#", 1), 1);
  inspection.end_trace("c");
  client.send(Client::publish_packet("a", "x", 1, 1));
  ASSERT_EQ(lines.size(), 4U);
  EXPECT_EQ(lines[0], "> CONNECT 'c' version 5 keep alive 0 s clean user 'ann' with a password");
  EXPECT_EQ(lines[1], "< CONNACK success");
  EXPECT_EQ(lines[2], "> SUBSCRIBE id 1 'a\\x01\\x27/#' qos 1");
  EXPECT_EQ(lines[3], "< SUBACK id 1 granted_qos_1");
}

TEST_F(Inspected, traces_are_few) {
  for (std::size_t i = 0; i < node::Inspection::traces_max; ++i)
    EXPECT_TRUE(inspection.trace("c" + std::to_string(i), [](auto, auto) {}));
  EXPECT_FALSE(inspection.trace("one more", [](auto, auto) {}));
  EXPECT_TRUE(inspection.trace("c1", [](auto, auto) {})) << "in the place of the old one";
}

TEST_F(Inspected, a_node_alone_may_not_be_stopped_once_it_holds_something) {
  EXPECT_EQ(inspection.readiness(), node::Readiness::ready);
  EXPECT_TRUE(inspection.safe_to_stop().safe);
  Client client(node);
  ASSERT_TRUE(client.connect(lasting("c")));
  const auto answer = inspection.safe_to_stop();
  EXPECT_FALSE(answer.safe);
  ASSERT_FALSE(answer.why.empty());
  node.stop();
  EXPECT_EQ(inspection.readiness(), node::Readiness::draining);
}

TEST(Sys, tells_a_new_subscriber_at_once_and_what_changed_later) {
  node::Config config;
  config.sys_interval = 10s;
  config.version = "holdfast test";
  config.members.push_back({.id = 1, .name = "one", .address = "", .zone = ""});
  bench::Node node(config);
  Client reader(node);
  ASSERT_TRUE(reader.connect("reader"));
  node.advance(11s);
  const auto read = [&] {
    std::map<std::string, std::string> got;
    while (auto packet = reader.next())
      if (const auto* publish = std::get_if<mqtt::Publish>(&*packet)) got[publish->topic] = std::string(publish->payload.view());
    return got;
  };
  mqtt::Subscribe subscribe;
  subscribe.packet_id = 1;
  subscribe.subscriptions.push_back({.filter = "$SYS/#", .qos = 0});
  reader.send(subscribe);
  auto got = read();
  EXPECT_EQ(got["$SYS/broker/version"], "holdfast test");
  EXPECT_EQ(got["$SYS/broker/clients/connected"], "1");
  EXPECT_EQ(got["$SYS/broker/nodes/members"], "1");
  EXPECT_EQ(got["$SYS/nodes/one/clients/connected"], "1");
  EXPECT_TRUE(got["$SYS/broker/uptime"].ends_with(" seconds"));
  Client other(node);
  ASSERT_TRUE(other.connect("other"));
  other.send(Client::publish_packet("x", "1", 1, 1));
  node.advance(10s);
  got = read();
  EXPECT_EQ(got["$SYS/broker/clients/connected"], "2");
  EXPECT_EQ(got["$SYS/broker/publish/messages/received"], "1");
  EXPECT_FALSE(got.contains("$SYS/broker/version")) << "it did not change";
  EXPECT_NE(got["$SYS/broker/load/publish/received/1min"], "0.00");
}

/// As in Mosquitto: what is stored is what waits and what is retained; the maximum is of those connected at one time; only a
/// session that ran out is expired, not one that ended with its connection.
TEST(Sys, counts_what_is_stored_what_expired_and_how_many_there_were_at_most) {
  node::Config config;
  config.sys_interval = 10s;
  config.members.push_back({.id = 1, .name = "one", .address = "", .zone = ""});
  bench::Node node(config);
  Client reader(node);
  ASSERT_TRUE(reader.connect("reader"));
  mqtt::Subscribe subscribe;
  subscribe.packet_id = 1;
  subscribe.subscriptions.push_back({.filter = "$SYS/broker/#", .qos = 0});
  reader.send(subscribe);
  std::map<std::string, std::string> all;
  const auto said = [&](const std::string& topic) {
    while (auto packet = reader.next())
      if (const auto* publish = std::get_if<mqtt::Publish>(&*packet)) all[publish->topic] = std::string(publish->payload.view());
    return all["$SYS/broker/" + topic];
  };
  Client stays(node), goes(node);
  ASSERT_TRUE(stays.connect(lasting("stays")));
  ASSERT_EQ(stays.subscribe("t", 1), 1);
  auto brief = lasting("brief");
  brief.properties.edit().session_expiry_interval = 15;
  ASSERT_TRUE(goes.connect(brief));
  node.advance(11s);
  EXPECT_EQ(said("clients/maximum"), "3");
  EXPECT_EQ(said("clients/expired"), "0");
  EXPECT_EQ(said("messages/stored"), "0");
  node.vanish(stays.stream());
  node.vanish(goes.stream());
  Client writer(node);
  auto ends = Client::connect_packet("writer");  // its session ends with its connection
  ASSERT_TRUE(writer.connect(ends));
  writer.send(Client::publish_packet("t", "waits", 1, 1));
  auto kept = Client::publish_packet("kept", "k", 1, 2);
  kept.retain = true;
  writer.send(kept);
  node.vanish(writer.stream());
  node.advance(11s);
  EXPECT_EQ(said("clients/maximum"), "3");
  EXPECT_EQ(said("clients/connected"), "1");
  EXPECT_EQ(said("clients/expired"), "0");
  EXPECT_EQ(said("messages/stored"), "2");
  EXPECT_EQ(said("store/messages/count"), "2");
  EXPECT_EQ(said("retained messages/count"), "1");
  node.advance(11s);
  EXPECT_EQ(said("clients/expired"), "1");
  EXPECT_EQ(said("clients/total"), "2");
  EXPECT_EQ(said("clients/disconnected"), "1");
}

TEST(Sys, is_silent_unless_configured) {
  bench::Node node;
  Client reader(node);
  ASSERT_TRUE(reader.connect("reader"));
  EXPECT_EQ(reader.subscribe("$SYS/#"), 0);
  node.advance(60s);
  EXPECT_FALSE(reader.next());
}

TEST(Load, is_an_average_that_follows_the_rate) {
  node::Load load;
  std::uint64_t total = 0;
  for (int i = 0; i < 60; ++i) load.add(total += 10, 10s);  // 60 a minute for ten minutes
  EXPECT_NEAR(load.average(0), 60, 0.1);
  EXPECT_NEAR(load.average(1), 60 * (1 - std::exp(-2.0)), 0.1);
  for (int i = 0; i < 60; ++i) load.add(total, 10s);
  EXPECT_NEAR(load.average(0), 0, 0.1);
}

TEST(Histogram, puts_each_in_the_bucket_whose_bound_it_does_not_pass) {
  node::Histogram one;
  for (const Duration took : {Duration(0us), Duration(100us), Duration(101us), Duration(20s)}) one.add(took);
  EXPECT_EQ(one.counts.front(), 2U);
  EXPECT_EQ(one.counts[1], 1U);
  EXPECT_EQ(one.counts.back(), 1U);
  EXPECT_EQ(one.count, 4U);
  EXPECT_EQ(one.sum_us, 20'000'201U);
}

}  // namespace
}  // namespace hf
