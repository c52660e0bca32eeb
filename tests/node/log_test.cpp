// What the log says of clients: a line an event, with the client's id, and nothing secret.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/node/bench_node.hpp"
#include "tests/node/toy_guard.hpp"

namespace hf {
namespace {

using bench::Client;
using bench::ToyGuard;
using env::Level;
using mqtt::Reason;
using mqtt::Version;
using Logged = bench::Node::Logged;

struct Log : testing::Test {
  /// The lines of an event, as "LEVEL CLIENT REMOTE: TEXT".
  static std::vector<std::string> lines(const bench::Node& node, std::string_view event) {
    constexpr const char* levels[] = {"debug", "info", "warn", "error"};
    std::vector<std::string> out;
    for (const Logged& line : node.lines())
      if (line.event == event)
        out.push_back(std::string(levels[static_cast<unsigned>(line.level)]) + " " + line.client + (line.remote.empty() ? "" : " " + line.remote) + ": " + line.text);
    return out;
  }
  static std::string last(const bench::Node& node, std::string_view event) {
    const auto all = lines(node, event);
    return all.empty() ? "" : all.back();
  }
  static std::string only(const bench::Node& node, std::string_view event) {
    EXPECT_EQ(lines(node, event).size(), 1U) << event;
    return last(node, event);
  }
  static mqtt::Connect lasting(std::string id, std::uint32_t expiry_s = 3600) {
    auto packet = Client::connect_packet(std::move(id));
    packet.properties.edit().session_expiry_interval = expiry_s;
    packet.clean_start = false;
    return packet;
  }
};

TEST_F(Log, who_connects) {
  bench::Node node({}, std::make_shared<ToyGuard>());
  Client client(node, Version::v5, "192.0.2.7:1234", "plain");
  auto connect = lasting("dev-1");
  connect.keep_alive = 60;
  connect.username = "ann";
  connect.will = mqtt::Will{.topic = "w", .payload = {}, .qos = 0, .retain = false, .properties = {}};
  ASSERT_TRUE(client.connect(connect));
  EXPECT_EQ(only(node, "connected"),
            "info dev-1 192.0.2.7:1234: connected: MQTT 5.0, new session, session expiry 3600 s, keep alive 60 s, will, listener 'plain', user 'ann'");
  node.vanish(client.stream());
  Client again(node), old(node, Version::v311);
  ASSERT_TRUE(again.connect(lasting("dev-1"))->session_present);
  EXPECT_EQ(last(node, "connected"), "info dev-1 192.0.2.1:40000: connected: MQTT 5.0, session present, session expiry 3600 s, keep alive 0 s");
  ASSERT_TRUE(old.connect("old"));
  EXPECT_EQ(last(node, "connected"), "info old 192.0.2.1:40000: connected: MQTT 3.1.1, new session, clean start, keep alive 0 s");
}

TEST_F(Log, who_is_refused_and_why) {
  node::Config config;
  config.access.anonymous = false;
  config.access.users = {{.name = "ann", .password = "right"}};
  bench::Node node(config);
  Client wrong(node, Version::v5, "192.0.2.7:1234", "plain"), nobody(node, Version::v311), nameless(node, Version::v311), method(node), noise(node);
  auto connect = Client::connect_packet("dev-1");
  connect.username = "ann\n";
  connect.password = "s3cret";
  EXPECT_EQ(wrong.connect(connect)->reason, Reason::bad_user_name_or_password);
  EXPECT_EQ(only(node, "refused"), "warn dev-1 192.0.2.7:1234: refused: bad user name or password (0x86), listener 'plain', user 'ann\\x0a'");
  ASSERT_TRUE(nobody.connect("dev-2"));
  EXPECT_EQ(last(node, "refused"), "warn dev-2 192.0.2.1:40000: refused: not authorized (0x87), a login is needed");
  connect = Client::connect_packet("", Version::v311);
  connect.clean_start = false;
  ASSERT_TRUE(nameless.connect(connect));
  EXPECT_EQ(last(node, "refused"),
            "info  192.0.2.1:40000: refused: client identifier not valid (0x85), a session that stays needs a client identifier");
  connect = Client::connect_packet("dev-3");
  connect.properties.edit().authentication_method = "NONE";
  ASSERT_TRUE(method.connect(connect));
  EXPECT_EQ(last(node, "refused"), "warn dev-3 192.0.2.1:40000: refused: bad authentication method (0x8C), no such authentication method");
  noise.send_bytes("GET / HTTP/1.1\r\n");
  EXPECT_TRUE(noise.closed());
  EXPECT_EQ(lines(node, "refused").size(), 5U);
  EXPECT_EQ(last(node, "refused").substr(0, 46), "info  192.0.2.1:40000: refused: protocol error");
  EXPECT_TRUE(lines(node, "connected").empty());
  EXPECT_TRUE(lines(node, "disconnected").empty()) << "who was not connected is not disconnected";
}

TEST_F(Log, limits_that_refuse) {
  node::Config config;
  config.max_connections = 1;
  config.max_pending = 1;
  bench::Node node(config);
  Client first(node);
  ASSERT_TRUE(first.connect("a"));
  Client second(node);
  ASSERT_TRUE(second.connect("b"));
  EXPECT_EQ(only(node, "refused"), "warn b 192.0.2.1:40000: refused: quota exceeded (0x97), the server has as many connections as it may");
  const StreamId idle = node.open();
  EXPECT_TRUE(node.closed(node.open("192.0.2.9:1")));
  EXPECT_EQ(last(node, "refused"), "warn  192.0.2.9:1: refused: too many connections have not said CONNECT yet");
  node.vanish(idle, env::CloseReason::ended);
  EXPECT_EQ(only(node, "no_connect"),
            "debug  192.0.2.1:40000: no CONNECT was taken; connection lost: the client closed it without DISCONNECT") << "load balancers look in";
}

TEST_F(Log, who_goes_and_why) {
  bench::Node node;
  const auto gone = [&](std::string id, const std::function<void(Client&)>& leave, std::uint16_t keep_alive = 0) {
    Client client(node);
    auto connect = Client::connect_packet(id);
    connect.keep_alive = keep_alive;
    EXPECT_TRUE(client.connect(connect));
    node.advance(2s);
    const std::size_t before = lines(node, "disconnected").size();
    leave(client);
    EXPECT_EQ(lines(node, "disconnected").size(), before + 1) << id;
    return last(node, "disconnected");
  };
  const std::string at = " 192.0.2.1:40000: ";
  EXPECT_EQ(gone("a", [](Client& client) { client.send(mqtt::Disconnect{}); }), "info a" + at + "disconnected by the client, after 2 s");
  EXPECT_EQ(gone("b", [](Client& client) { client.send(mqtt::Disconnect{.reason = Reason::disconnect_with_will_message, .properties = {}}); }),
            "info b" + at + "disconnected by the client: disconnect with will message (0x04), after 2 s");
  EXPECT_EQ(gone("c", [&](Client& client) { node.vanish(client.stream()); }), "info c" + at + "connection lost: it was reset, or timed out, after 2 s");
  EXPECT_EQ(gone("d", [&](Client& client) { node.vanish(client.stream(), env::CloseReason::ended); }),
            "info d" + at + "connection lost: the client closed it without DISCONNECT, after 2 s");
  EXPECT_EQ(gone("e", [&](Client&) { node.advance(14s); }, 10),
            "info e" + at + "disconnected: keep alive timeout (0x8D), no packet within 1.5 times the keep alive, after 15 s");
  EXPECT_EQ(gone("f", [](Client& client) { client.send_bytes(std::string("\xf0\x00", 2)); }).substr(0, 60), ("warn f" + at + "disconnected: protocol error (0x82), unexpected").substr(0, 60));
  EXPECT_EQ(gone("g", [&](Client&) { Client other(node); EXPECT_TRUE(other.connect("g")); }), "info g" + at + "disconnected: session taken over (0x8E), after 2 s");
  EXPECT_EQ(gone("h", [&](Client&) { node.turn([&] { node.shard().inspection().disconnect("h"); }); }),
            "info h" + at + "disconnected: administrative action (0x98), after 2 s");
  EXPECT_EQ(lines(node, "disconnected").size(), 8U);
  node.stop();  // the other g
  EXPECT_EQ(last(node, "disconnected"), "info g" + at + "disconnected: server shutting down (0x8B), after 2 s");
}

TEST_F(Log, what_is_denied) {
  node::Config config;
  config.max_topic_levels = 3;
  config.max_subscriptions = 1;
  const auto guard = std::make_shared<ToyGuard>();
  guard->forbidden = "secret/topic";
  bench::Node node(config, guard);
  Client client(node);
  auto connect = lasting("dev-1");
  connect.username = "ann";
  ASSERT_TRUE(client.connect(connect));
  client.send(Client::publish_packet("secret/topic", "payload", 0));
  EXPECT_EQ(only(node, "publish_denied"), "warn dev-1 192.0.2.1:40000: PUBLISH to 'secret/topic' denied: not authorized (0x87), user 'ann'");
  client.send(Client::publish_packet("a\x01/b/c/d", "payload", 1, 1));
  EXPECT_EQ(last(node, "publish_denied"),
            "warn dev-1 192.0.2.1:40000: PUBLISH to 'a\\x01/b/c/d' denied: topic name invalid (0x90), the topic has too many levels, user 'ann'");
  mqtt::Subscribe subscribe;
  subscribe.packet_id = 2;
  for (const char* filter : {"ok", "a/b/c/#", "a/b/d/#"}) subscribe.subscriptions.push_back({.filter = filter});
  client.send(subscribe);
  EXPECT_EQ(only(node, "subscribe_denied"),
            "warn dev-1 192.0.2.1:40000: SUBSCRIBE to 'a/b/c/#' and 1 more filters denied: topic filter invalid (0x8F), user 'ann'");
  client.send(mqtt::Subscribe{.packet_id = 3, .subscriptions = {{.filter = "second"}}, .properties = {}});
  EXPECT_EQ(last(node, "subscribe_denied"), "warn dev-1: SUBSCRIBE denied: quota exceeded (0x97), the session has as many subscriptions, or bytes of filters, as it may");
}

TEST_F(Log, what_is_dropped) {
  for (const auto policy : {node::QueuePolicy::drop_newest, node::QueuePolicy::drop_oldest}) {
    node::Config config;
    config.max_queued_messages = 1;
    config.queue_policy = policy;
    config.max_unsent_bytes = 1000;
    bench::Node node(config);
    Client reader(node), bound(node), writer(node), slow(node);
    ASSERT_TRUE(reader.connect(lasting("reader")));
    ASSERT_EQ(reader.subscribe("t", 1), 1);
    node.vanish(reader.stream());
    ASSERT_TRUE(writer.connect("writer"));
    for (std::uint16_t i = 1; i <= 2; ++i) writer.send(Client::publish_packet("t", "payload", 1, i));
    EXPECT_EQ(only(node, "messages_dropped"), policy == node::QueuePolicy::drop_newest ? "warn reader: the queue is full: a message for it was dropped"
                                                                                       : "warn reader: the queue is full: its oldest messages were dropped");
    auto narrow = Client::connect_packet("bound");
    narrow.properties.edit().maximum_packet_size = 100;
    ASSERT_TRUE(bound.connect(narrow));
    ASSERT_EQ(bound.subscribe("large", 0), 0);
    writer.send(Client::publish_packet("large", std::string(200, 'x')));
    EXPECT_EQ(last(node, "messages_dropped"), "warn bound 192.0.2.1:40000: a message was dropped: it is larger than the client takes");
    ASSERT_TRUE(slow.connect("slow"));
    ASSERT_EQ(slow.subscribe("fast", 0), 0);
    node.hold(slow.stream(), true);
    for (int i = 0; i < 3; ++i) writer.send(Client::publish_packet("fast", std::string(900, 'x')));
    EXPECT_EQ(last(node, "messages_dropped"), "warn slow 192.0.2.1:40000: a QoS 0 message was dropped: the client does not read what it is sent");
  }
}

TEST_F(Log, a_full_queue_of_a_connection_or_of_a_group_names_no_inner_key) {
  node::Config config;
  config.max_queued_messages = 1;
  config.max_inflight = 1;
  bench::Node node(config);
  Client bound(node), member(node), writer(node);
  ASSERT_TRUE(bound.connect("bound"));
  ASSERT_EQ(bound.subscribe("t", 1), 1);
  ASSERT_TRUE(member.connect(lasting("member")));
  ASSERT_EQ(member.subscribe("$share/g/u", 1), 1);
  node.vanish(member.stream());
  ASSERT_TRUE(writer.connect("writer"));
  for (std::uint16_t i = 1; i <= 2; ++i) writer.send(Client::publish_packet("t", "x", 1, i));
  EXPECT_EQ(only(node, "messages_dropped"), "warn bound: the queue is full: a message for it was dropped");
  for (std::uint16_t i = 3; i <= 4; ++i) writer.send(Client::publish_packet("u", "x", 1, i));
  EXPECT_EQ(last(node, "messages_dropped"), "warn : the queue is full: a message for it was dropped, of the shared subscription '$share/g/u'");
}

TEST_F(Log, how_sessions_end_and_wills) {
  bench::Node node;
  Client client(node);
  auto connect = lasting("dev-1", 10);
  connect.will = mqtt::Will{.topic = "w/1", .payload = Bytes("s3cret"), .qos = 1, .retain = false, .properties = {}};
  ASSERT_TRUE(client.connect(connect));
  node.vanish(client.stream());
  EXPECT_EQ(only(node, "will_published"), "info dev-1: will published to 'w/1', QoS 1");
  EXPECT_TRUE(lines(node, "session_expired").empty());
  node.advance(11s);
  EXPECT_EQ(only(node, "session_expired"), "info dev-1: session expired");
  Client fresh(node), cleaned(node), brief(node);
  ASSERT_TRUE(fresh.connect(lasting("dev-2")));
  ASSERT_TRUE(cleaned.connect("dev-2"));
  EXPECT_EQ(only(node, "session_ended"), "debug dev-2: session ended: clean start");
  ASSERT_TRUE(brief.connect(lasting("dev-3", 0)));
  brief.send(mqtt::Disconnect{});
  EXPECT_EQ(last(node, "session_ended"), "debug dev-3: session ended with its connection");
  EXPECT_TRUE(lines(node, "taken_over").empty()) << "at the same node, the one who was closed has its line";
}

/// Whatever a client does: what it must keep to itself stands in no line, at any level.
TEST_F(Log, nothing_secret) {
  node::Config config;
  config.max_packet_size = 1000;
  const auto guard = std::make_shared<ToyGuard>();
  guard->forbidden = "no";
  bench::Node node(config, guard);
  Client simple(node), talks(node), fails(node), stutters(node);
  auto connect = lasting("simple");
  connect.username = "ann";
  connect.password = "s3cret";
  connect.will = mqtt::Will{.topic = "w", .payload = Bytes("s3cret"), .qos = 1, .retain = true, .properties = {}};
  ASSERT_TRUE(simple.connect(connect));
  simple.send(Client::publish_packet("no", "s3cret", 1, 1));
  simple.send_bytes(std::string("\x30\xff\x7fs3cret", 10));
  EXPECT_TRUE(simple.closed());
  for (Client* client : {&talks, &fails}) {
    auto proof = Client::connect_packet(client == &talks ? "talks" : "fails");
    proof.properties.edit().authentication_method = "TOY";
    proof.properties.edit().authentication_data = client == &talks ? "hello" : "s3cret";
    client->send(proof);
  }
  EXPECT_TRUE(fails.closed());
  mqtt::Auth auth{.reason = Reason::continue_authentication, .properties = {}};
  auth.properties.edit().authentication_method = "TOY";
  auth.properties.edit().authentication_data = "s3cret";
  talks.send(auth);
  EXPECT_TRUE(talks.closed());
  auto broken = Client::connect_packet("stutters");
  broken.password = "s3cret";
  std::string bytes;
  mqtt::encode(broken, Version::v5, bytes);
  bytes[1] = static_cast<char>(bytes[1] + 3);
  stutters.send_bytes(bytes + "xyz");
  EXPECT_TRUE(stutters.closed());
  EXPECT_GE(lines(node, "refused").size(), 3U);
  EXPECT_GE(node.lines().size(), 7U);
  for (const Logged& line : node.lines())
    for (const std::string& field : {line.text, line.client, line.remote}) EXPECT_EQ(field.find("s3cret"), std::string::npos) << field;
}

TEST_F(Log, long_names_are_cut_and_odd_ones_escaped) {
  bench::Node node({}, [] {
    auto guard = std::make_shared<ToyGuard>();
    guard->forbidden = std::string(5000, 't');
    return guard;
  }());
  Client client(node);
  auto connect = Client::connect_packet("dev-1");
  connect.username = "x', listener 'forged" + std::string(5000, 'u') + "end";
  ASSERT_TRUE(client.connect(connect));
  const std::string connected = only(node, "connected");
  EXPECT_LT(connected.size(), 400U);
  EXPECT_EQ(connected.find("', listener 'forged"), std::string::npos) << connected;
  client.send(Client::publish_packet(std::string(5000, 't'), "x", 1, 1));
  EXPECT_LT(only(node, "publish_denied").size(), 800U);
}

TEST_F(Log, what_is_not_written_is_not_put_together) {
  bench::Node node;
  node.log_from = Level::error;
  Client client(node), other(node);
  ASSERT_TRUE(client.connect(lasting("dev-1")));
  client.send(mqtt::Disconnect{});
  ASSERT_TRUE(other.connect("dev-1"));
  node.vanish(other.stream());
  EXPECT_TRUE(lines(node, "connected").empty());
  EXPECT_TRUE(lines(node, "disconnected").empty());
  EXPECT_TRUE(lines(node, "session_ended").empty());
}

}  // namespace
}  // namespace hf
