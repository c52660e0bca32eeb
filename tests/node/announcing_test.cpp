// What CONNACK announces, and that it is kept to.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "tests/node/bench_node.hpp"

namespace hf {
namespace {

using bench::Client;
using mqtt::Reason;
using mqtt::Version;

TEST(Announced, keep_alive_of_the_server_is_in_force) {  // [MQTT-3.1.2-21], [MQTT-3.2.2-21]
  node::Config config;
  config.max_keep_alive = 10;
  bench::Node node(config);
  Client client(node), modest(node), old(node, Version::v311);
  auto connect = Client::connect_packet("a");
  connect.keep_alive = 60;
  EXPECT_EQ(client.connect(connect)->properties->server_keep_alive, 10);
  connect = Client::connect_packet("b");
  connect.keep_alive = 5;
  EXPECT_FALSE(modest.connect(connect)->properties->server_keep_alive);
  connect = Client::connect_packet("c", Version::v311);
  connect.keep_alive = 60;
  ASSERT_TRUE(old.connect(connect));
  node.advance(16s);
  EXPECT_EQ(client.next<mqtt::Disconnect>()->reason, Reason::keep_alive_timeout);
  EXPECT_TRUE(client.closed());
  EXPECT_FALSE(old.closed()) << "3.1.1 cannot be told";
}

TEST(Announced, client_identifier_is_assigned_and_unique) {  // [MQTT-3.1.3-6], [MQTT-3.2.2-16]
  bench::Node node;
  Client one(node), two(node), named(node);
  const auto first = one.connect(""), second = two.connect("");
  ASSERT_TRUE(first->properties->assigned_client_identifier);
  EXPECT_NE(first->properties->assigned_client_identifier, second->properties->assigned_client_identifier);
  EXPECT_FALSE(named.connect("n")->properties->assigned_client_identifier);
}

TEST(Announced, maximum_qos_is_kept_to) {  // [MQTT-3.2.2-9], [MQTT-3.2.2-10], [MQTT-3.2.2-11], [MQTT-3.2.2-12]
  node::Config config;
  config.max_qos = 1;
  bench::Node node(config);
  Client client(node), will(node);
  EXPECT_EQ(client.connect("a")->properties->maximum_qos, 1);
  EXPECT_EQ(client.subscribe("t", 2), 1);
  client.send(Client::publish_packet("t", "x", 2, 1));
  EXPECT_EQ(client.next<mqtt::Disconnect>()->reason, Reason::qos_not_supported);
  EXPECT_TRUE(client.closed());
  auto connect = Client::connect_packet("b");
  connect.will = mqtt::Will{.topic = "w", .payload = {}, .qos = 2, .retain = false, .properties = {}};
  EXPECT_EQ(will.connect(connect)->reason, Reason::qos_not_supported);
  EXPECT_TRUE(will.closed());
}

TEST(Announced, wildcards_not_available) {
  node::Config config;
  config.wildcard_available = false;
  bench::Node node(config);
  Client client(node), old(node, Version::v311);
  EXPECT_EQ(client.connect("a")->properties->wildcard_subscription_available, false);
  EXPECT_EQ(client.subscribe("t", 1), 1);
  EXPECT_FALSE(client.subscribe("t/+", 1));
  EXPECT_TRUE(client.closed());
  ASSERT_TRUE(old.connect("b"));
  EXPECT_EQ(old.subscribe("t/#", 1), 0x80);
}

TEST(Announced, subscription_identifiers_not_available) {
  node::Config config;
  config.subscription_identifiers_available = false;
  bench::Node node(config);
  Client client(node);
  EXPECT_EQ(client.connect("a")->properties->subscription_identifier_available, false);
  mqtt::Subscribe packet;
  packet.packet_id = 1;
  packet.subscriptions.push_back({.filter = "t"});
  packet.properties.edit().subscription_identifiers = {7};
  client.send(packet);
  EXPECT_EQ(client.next<mqtt::Disconnect>()->reason, Reason::subscription_identifiers_not_supported);
}

TEST(Announced, response_information_for_those_who_ask) {  // [MQTT-3.1.2-28]
  node::Config config;
  config.response_information = "answers/";
  bench::Node node(config);
  Client asks(node), does_not(node);
  auto connect = Client::connect_packet("a");
  connect.properties.edit().request_response_information = true;
  EXPECT_EQ(asks.connect(connect)->properties->response_information, "answers/");
  EXPECT_FALSE(does_not.connect("b")->properties->response_information);
}

TEST(Announced, session_expiry_when_it_is_another) {
  node::Config config;
  config.session_expiry_max = 100;
  bench::Node node(config);
  Client longer(node), shorter(node);
  auto connect = Client::connect_packet("a");
  connect.properties.edit().session_expiry_interval = 200;
  EXPECT_EQ(longer.connect(connect)->properties->session_expiry_interval, 100U);
  connect.client_id = "b";
  connect.properties.edit().session_expiry_interval = 50;
  EXPECT_FALSE(shorter.connect(connect)->properties->session_expiry_interval);
}

TEST(Payloads, that_say_utf8_must_be_when_configured) {
  node::Config config;
  config.check_payload_format = true;
  bench::Node node(config);
  Client client(node), will(node);
  ASSERT_TRUE(client.connect("a"));
  auto packet = Client::publish_packet("t", "\xff\xfe", 1, 1);
  client.send(packet);
  EXPECT_EQ(client.next<mqtt::Puback>()->reason, Reason::no_matching_subscribers) << "says nothing of its form";
  packet.properties.edit().payload_format_indicator = 1;
  client.send(packet);
  const auto refused = client.next<mqtt::Puback>();
  EXPECT_EQ(refused->reason, Reason::payload_format_invalid);
  EXPECT_TRUE(refused->properties->reason_string);
  packet.qos = 2;
  client.send(packet);
  EXPECT_EQ(client.next<mqtt::Pubrec>()->reason, Reason::payload_format_invalid);
  auto connect = Client::connect_packet("b");
  connect.will = mqtt::Will{.topic = "w", .payload = Bytes("\xff"), .qos = 0, .retain = false, .properties = {}};
  connect.will->properties.edit().payload_format_indicator = 1;
  EXPECT_EQ(will.connect(connect)->reason, Reason::payload_format_invalid);
}

TEST(ProblemInformation, is_kept_from_those_who_do_not_want_it) {  // [MQTT-3.1.2-29]
  node::Config config;
  config.check_payload_format = true;
  bench::Node node(config);
  Client client(node);
  auto connect = Client::connect_packet("a");
  connect.properties.edit().request_problem_information = false;
  ASSERT_TRUE(client.connect(connect));
  auto packet = Client::publish_packet("t", "\xff", 1, 1);
  packet.properties.edit().payload_format_indicator = 1;
  client.send(packet);
  EXPECT_FALSE(client.next<mqtt::Puback>()->properties->reason_string);
}

TEST(MaximumPacketSize, costs_reason_strings_first) {  // [MQTT-3.4.2-2], [MQTT-3.14.2-3]
  node::Config config;
  config.check_payload_format = true;
  bench::Node node(config);
  Client client(node);
  auto connect = Client::connect_packet("a");
  connect.properties.edit().maximum_packet_size = 40;
  ASSERT_TRUE(client.connect(connect));
  auto packet = Client::publish_packet("t", "\xff", 1, 1);
  packet.properties.edit().payload_format_indicator = 1;
  client.send(packet);
  const auto refused = client.next<mqtt::Puback>();
  EXPECT_EQ(refused->reason, Reason::payload_format_invalid);
  EXPECT_FALSE(refused->properties->reason_string);
}

TEST(MaximumPacketSize, of_the_client_is_never_exceeded) {  // [MQTT-3.1.2-24], [MQTT-3.1.2-25]
  bench::Node node;
  Client client(node), writer(node);
  auto connect = Client::connect_packet("a");
  connect.properties.edit().maximum_packet_size = 40;
  ASSERT_TRUE(client.connect(connect));
  ASSERT_TRUE(writer.connect("w"));
  ASSERT_EQ(client.subscribe("t", 1), 1);
  writer.send(Client::publish_packet("t", std::string(100, 'x'), 1, 1));
  EXPECT_EQ(writer.next<mqtt::Puback>()->reason, Reason::success) << "discarded as if it had been sent";
  EXPECT_FALSE(client.next());
  writer.send(Client::publish_packet("t", "small", 1, 2));
  EXPECT_EQ(client.next<mqtt::Publish>()->payload.view(), "small");
  mqtt::Subscribe many;
  many.packet_id = 9;
  for (int i = 0; i < 50; ++i) many.subscriptions.push_back({.filter = "f" + std::to_string(i)});
  client.send(many);  // a SUBACK of 50 codes does not fit
  EXPECT_EQ(client.next<mqtt::Disconnect>()->reason, Reason::packet_too_large);
  EXPECT_TRUE(client.closed());
}

TEST(MaximumPacketSize, of_the_server_ends_the_connection) {  // [MQTT-3.2.2-15]
  node::Config config;
  config.max_packet_size = 100;
  bench::Node node(config);
  Client client(node);
  EXPECT_EQ(client.connect("a")->properties->maximum_packet_size, 100U);
  client.send(Client::publish_packet("t", std::string(200, 'x')));
  EXPECT_EQ(client.next<mqtt::Disconnect>()->reason, Reason::packet_too_large);
}

TEST(OldProtocol, version_3_1_is_spoken) {
  bench::Node node;
  Client client(node, Version::v31), nameless(node, Version::v31), reader(node);
  auto connect = Client::connect_packet("a-client-identifier-of-more-than-23-bytes", Version::v31);
  connect.clean_start = false;
  ASSERT_TRUE(client.connect(connect));
  ASSERT_TRUE(reader.connect("reader"));
  EXPECT_EQ(client.subscribe("t", 2), 2);
  client.send(Client::publish_packet("t", "hello", 2, 1));
  EXPECT_EQ(client.next<mqtt::Publish>()->payload.view(), "hello");
  EXPECT_TRUE(client.next<mqtt::Pubrec>());
  const auto refused = nameless.connect(Client::connect_packet("", Version::v31));
  EXPECT_EQ(refused->reason, Reason::client_identifier_not_valid);
  Client again(node, Version::v31);
  const auto connack = again.connect(connect);
  ASSERT_TRUE(connack);
  EXPECT_FALSE(connack->session_present) << "a reserved byte in 3.1";
}

TEST(Leaving, sends_clients_to_the_server_reference) {  // [MQTT-4.13.1-1]
  node::Config config;
  config.server_reference = "other:1883";
  bench::Node node(config);
  Client client(node), old(node, Version::v311);
  ASSERT_TRUE(client.connect("a"));
  ASSERT_TRUE(old.connect("b"));
  node.stop();
  const auto disconnect = client.next<mqtt::Disconnect>();
  ASSERT_TRUE(disconnect);
  EXPECT_EQ(disconnect->reason, Reason::use_another_server);
  EXPECT_EQ(disconnect->properties->server_reference, "other:1883");
  EXPECT_TRUE(old.closed());
  EXPECT_FALSE(old.next());
}

TEST(Leaving, for_ever) {
  node::Config config;
  config.server_reference = "other:1883";
  config.server_moved = true;
  config.drain = 10s;
  bench::Node node(config);
  Client client(node), late(node);
  ASSERT_TRUE(client.connect("a"));
  node.stop();
  const auto connack = late.connect(Client::connect_packet("b"));
  ASSERT_TRUE(connack);
  EXPECT_EQ(connack->reason, Reason::server_moved);
  EXPECT_EQ(connack->properties->server_reference, "other:1883");
  node.advance(10s);
  const auto disconnect = client.next<mqtt::Disconnect>();
  ASSERT_TRUE(disconnect);
  EXPECT_EQ(disconnect->reason, Reason::server_moved);
  EXPECT_EQ(disconnect->properties->server_reference, "other:1883");
}

TEST(Leaving, without_a_reference_says_that_the_server_shuts_down) {
  bench::Node node;
  Client client(node);
  ASSERT_TRUE(client.connect("a"));
  node.stop();
  EXPECT_EQ(client.next<mqtt::Disconnect>()->reason, Reason::server_shutting_down);
}

TEST(Leaving, takes_its_time_when_told_to) {  // [MQTT-4.13.1-1]
  node::Config config;
  config.drain = 10s;
  bench::Node node(config);
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 5; ++i) {
    clients.push_back(std::make_unique<Client>(node));
    ASSERT_TRUE(clients.back()->connect("c" + std::to_string(i)));
  }
  const auto gone = [&] { return std::count_if(clients.begin(), clients.end(), [](const auto& c) { return c->closed(); }); };
  node.stop();
  EXPECT_EQ(node.shard().inspection().readiness(), node::Readiness::draining);
  EXPECT_EQ(gone(), 0);
  EXPECT_EQ(clients[4]->subscribe("a", 1), 1) << "who is here is served";
  Client late(node);
  EXPECT_EQ(late.connect("late")->reason, Reason::server_unavailable);
  for (int i = 1; i <= 5; ++i) {
    EXPECT_FALSE(node.shard().stopped());
    node.advance(2s);
    EXPECT_EQ(gone(), i);
  }
  EXPECT_EQ(clients[0]->next<mqtt::Disconnect>()->reason, Reason::server_shutting_down);
  EXPECT_TRUE(node.shard().stopped());
}

TEST(Release, of_an_unknown_packet_id_says_so) {
  bench::Node node;
  Client client(node);
  ASSERT_TRUE(client.connect("a"));
  client.send(mqtt::Pubrel{{.packet_id = 5, .reason = Reason::success, .properties = {}}});
  EXPECT_EQ(client.next<mqtt::Pubcomp>()->reason, Reason::packet_identifier_not_found);
  client.send(Client::publish_packet("t", "x", 2, 5));
  ASSERT_TRUE(client.next<mqtt::Pubrec>());
  client.send(mqtt::Pubrel{{.packet_id = 5, .reason = Reason::success, .properties = {}}});
  EXPECT_EQ(client.next<mqtt::Pubcomp>()->reason, Reason::success);
}

}  // namespace
}  // namespace hf
