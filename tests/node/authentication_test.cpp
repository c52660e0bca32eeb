// Enhanced authentication at a node: AUTH before CONNACK, AUTH on an open connection, and how either goes wrong.
#include <gtest/gtest.h>

#include "tests/node/bench_node.hpp"
#include "tests/node/toy_guard.hpp"

namespace hf {
namespace {

using bench::Client;
using mqtt::Reason;
using mqtt::Version;

mqtt::Connect connect_with(std::string data, std::string method = "TOY") {
  auto packet = Client::connect_packet("c");
  packet.properties.edit().authentication_method = std::move(method);
  if (!data.empty()) packet.properties.edit().authentication_data = std::move(data);
  return packet;
}

mqtt::Auth auth(Reason reason, std::string data, std::string method = "TOY") {
  mqtt::Auth packet;
  packet.reason = reason;
  packet.properties.edit().authentication_method = std::move(method);
  if (!data.empty()) packet.properties.edit().authentication_data = std::move(data);
  return packet;
}

mqtt::Auth go_on(std::string data, std::string method = "TOY") {
  return auth(Reason::continue_authentication, std::move(data), std::move(method));
}

class Authentication : public testing::Test {
 protected:
  std::shared_ptr<bench::ToyGuard> guard = std::make_shared<bench::ToyGuard>();
  bench::Node node{{}, guard};
  Client client{node};

  /// The connection is open, its user is ann.
  void let_in() {
    client.send(connect_with("hello"));
    ASSERT_TRUE(client.next<mqtt::Auth>());
    client.send(go_on("ann"));
    const auto connack = client.next<mqtt::Connack>();
    ASSERT_TRUE(connack);
    ASSERT_EQ(connack->reason, Reason::success);
  }
  /// The next packet is this DISCONNECT (or CONNACK), and then the connection ends.
  template <class Packet>
  void expect_end(Reason reason) {
    const auto packet = client.next<Packet>();
    ASSERT_TRUE(packet);
    EXPECT_EQ(packet->reason, reason) << name(packet->reason);
    EXPECT_FALSE(client.next());
    EXPECT_TRUE(client.closed());
  }
};

TEST_F(Authentication, goes_on_until_connack) {  // [MQTT-4.12.0-2], [MQTT-4.12.0-5]
  client.send(connect_with("hello"));
  const auto challenge = client.next<mqtt::Auth>();
  ASSERT_TRUE(challenge);
  EXPECT_EQ(challenge->reason, Reason::continue_authentication);
  EXPECT_EQ(challenge->properties->authentication_method, "TOY");
  EXPECT_EQ(challenge->properties->authentication_data, "who?");
  client.send(go_on("ann"));
  const auto connack = client.next<mqtt::Connack>();
  ASSERT_TRUE(connack);
  EXPECT_EQ(connack->reason, Reason::success);
  EXPECT_EQ(connack->properties->authentication_method, "TOY");
  EXPECT_EQ(connack->properties->authentication_data, "welcome");
  EXPECT_EQ(client.subscribe("t", 1), 1);
}

TEST_F(Authentication, takes_nothing_else_before_connack) {  // [MQTT-3.1.2-30], [MQTT-4.12.0-3]
  client.send(connect_with("hello"));
  ASSERT_TRUE(client.next<mqtt::Auth>());
  client.send(mqtt::Pingreq{});
  expect_end<mqtt::Connack>(Reason::protocol_error);
  Client anew(node), goes(node), wrong(node), aliased(node);
  anew.send(connect_with("hello"));
  ASSERT_TRUE(anew.next<mqtt::Auth>());
  anew.send(auth(Reason::reauthenticate, "ann"));
  EXPECT_EQ(anew.next<mqtt::Connack>()->reason, Reason::protocol_error) << "AUTH goes on with 0x18";
  goes.send(connect_with("hello"));
  ASSERT_TRUE(goes.next<mqtt::Auth>());
  goes.send(mqtt::Disconnect{});
  EXPECT_FALSE(goes.next());
  EXPECT_TRUE(goes.closed());
  aliased.send(connect_with("hello"));
  ASSERT_TRUE(aliased.next<mqtt::Auth>());
  aliased.send_bytes(std::string("\x30\x08\x00\x01t\x03\x23\x00\x00x", 10));
  EXPECT_EQ(aliased.next<mqtt::Connack>()->reason, Reason::protocol_error) << "CONNACK has no 0x94";
  wrong.send(connect_with("hello"));
  ASSERT_TRUE(wrong.next<mqtt::Auth>());
  wrong.send(go_on("ann", "OTHER"));
  EXPECT_EQ(wrong.next<mqtt::Connack>()->reason, Reason::bad_authentication_method);
  EXPECT_TRUE(wrong.closed());
}

TEST_F(Authentication, may_be_refused_at_any_point) {  // [MQTT-4.12.0-1], [MQTT-4.12.0-4]
  Client at_first(node), no_method(node);
  at_first.send(connect_with("what"));
  EXPECT_EQ(at_first.next<mqtt::Connack>()->reason, Reason::not_authorized);
  EXPECT_TRUE(at_first.closed());
  no_method.send(connect_with("hello", "NONE"));
  EXPECT_EQ(no_method.next<mqtt::Connack>()->reason, Reason::bad_authentication_method);
  client.send(connect_with("hello"));
  ASSERT_TRUE(client.next<mqtt::Auth>());
  client.send(go_on("eve"));
  expect_end<mqtt::Connack>(Reason::not_authorized);
}

TEST_F(Authentication, has_the_time_of_a_connect) {
  client.send(connect_with("hello"));
  ASSERT_TRUE(client.next<mqtt::Auth>());
  node.advance(node::Config{}.connect_timeout / 2);
  EXPECT_FALSE(client.closed());
  client.send_bytes("\xF0");  // what drips does not prolong it
  node.advance(node::Config{}.connect_timeout / 2);
  EXPECT_FALSE(client.next());
  EXPECT_TRUE(client.closed());
  EXPECT_EQ(node.shard().counters().connections, 0U);
}

TEST_F(Authentication, ends_with_the_connection_and_with_the_node) {
  client.send(connect_with("hello"));
  ASSERT_TRUE(client.next<mqtt::Auth>());
  node.vanish(client.stream());
  EXPECT_EQ(node.shard().counters().connections, 0U);
  Client other(node);
  other.send(connect_with("hello"));
  ASSERT_TRUE(other.next<mqtt::Auth>());
  node.stop();
  EXPECT_EQ(other.next<mqtt::Connack>()->reason, Reason::server_unavailable) << "CONNACK knows no 0x8B";
}

TEST_F(Authentication, says_no_more_than_the_client_takes) {  // [MQTT-3.15.2-2], [MQTT-3.15.2-3]
  auto small = connect_with("hello");
  small.properties.edit().maximum_packet_size = 100;
  client.send(small);
  const auto challenge = client.next<mqtt::Auth>();
  ASSERT_TRUE(challenge);
  EXPECT_FALSE(challenge->properties->reason_string);
  EXPECT_TRUE(challenge->properties->user_properties.empty());
  guard->challenge.assign(200, 'x');
  Client other(node);
  other.send(small);
  EXPECT_EQ(other.next<mqtt::Connack>()->reason, Reason::packet_too_large) << "its data cannot be left out";
  EXPECT_TRUE(other.closed());
}

TEST_F(Authentication, without_a_method_there_is_no_auth) {  // [MQTT-4.12.0-6], [MQTT-4.12.0-7]
  const auto connack = client.connect("c");
  ASSERT_TRUE(connack);
  EXPECT_FALSE(connack->properties->authentication_method);
  client.send(auth(Reason::reauthenticate, "hello"));
  expect_end<mqtt::Disconnect>(Reason::protocol_error);
}

TEST_F(Authentication, cannot_go_on_where_none_is_under_way) {
  let_in();
  client.send(go_on("ann"));
  expect_end<mqtt::Disconnect>(Reason::protocol_error);
}

using Reauthentication = Authentication;

TEST_F(Reauthentication, lets_other_packets_through_meanwhile) {  // [MQTT-4.12.1-1]
  let_in();
  ASSERT_EQ(client.subscribe("t", 1), 1);
  client.send(auth(Reason::reauthenticate, "hello"));
  EXPECT_EQ(client.next<mqtt::Auth>()->properties->authentication_data, "who?");
  client.send(Client::publish_packet("t", "x", 1, 5));
  EXPECT_TRUE(client.next<mqtt::Puback>());
  EXPECT_TRUE(client.next<mqtt::Publish>());
  client.send(go_on("ann"));
  const auto end = client.next<mqtt::Auth>();
  ASSERT_TRUE(end);
  EXPECT_EQ(end->reason, Reason::success);
  EXPECT_EQ(end->properties->authentication_method, "TOY");
  EXPECT_EQ(end->properties->authentication_data, "welcome");
  client.send(mqtt::Pingreq{});
  EXPECT_TRUE(client.next<mqtt::Pingresp>());
  node.advance(node::Config{}.connect_timeout * 2);
  EXPECT_FALSE(client.closed()) << "its time no longer runs";
}

TEST_F(Reauthentication, that_fails_ends_the_connection) {  // [MQTT-4.12.1-2]
  let_in();
  client.send(auth(Reason::reauthenticate, "hello"));
  ASSERT_TRUE(client.next<mqtt::Auth>());
  client.send(go_on("eve"));
  const auto end = client.next<mqtt::Disconnect>();
  ASSERT_TRUE(end);
  EXPECT_EQ(end->reason, Reason::not_authorized);
  EXPECT_EQ(end->properties->reason_string.value_or(""), "") << "nobody was proved";
  EXPECT_TRUE(client.closed());
}

TEST_F(Reauthentication, as_somebody_else_is_refused) {
  let_in();
  client.send(auth(Reason::reauthenticate, "hello"));
  ASSERT_TRUE(client.next<mqtt::Auth>());
  client.send(go_on("bob"));
  expect_end<mqtt::Disconnect>(Reason::not_authorized);
}

TEST_F(Reauthentication, by_another_method_is_refused) {
  let_in();
  client.send(auth(Reason::reauthenticate, "hello", "OTHER"));
  expect_end<mqtt::Disconnect>(Reason::bad_authentication_method);
}

TEST_F(Reauthentication, twice_at_a_time_is_an_error) {
  let_in();
  client.send(auth(Reason::reauthenticate, "hello"));
  ASSERT_TRUE(client.next<mqtt::Auth>());
  client.send(auth(Reason::reauthenticate, "hello"));
  expect_end<mqtt::Disconnect>(Reason::protocol_error);
}

TEST_F(Reauthentication, takes_no_longer_than_a_connect) {
  let_in();
  client.send(auth(Reason::reauthenticate, "hello"));
  ASSERT_TRUE(client.next<mqtt::Auth>());
  for (int i = 0; i < 4; ++i) {
    node.advance(node::Config{}.connect_timeout / 4 - 1ms);
    client.send(mqtt::Pingreq{});
    EXPECT_TRUE(client.next<mqtt::Pingresp>());
  }
  node.advance(10ms);
  expect_end<mqtt::Disconnect>(Reason::not_authorized);
}

TEST_F(Authentication, lasts_as_long_as_its_grant) {
  guard->login_ms = 5000;
  let_in();
  node.advance(4s);
  client.send(auth(Reason::reauthenticate, "hello"));
  ASSERT_TRUE(client.next<mqtt::Auth>());
  client.send(go_on("ann"));
  ASSERT_EQ(client.next<mqtt::Auth>()->reason, Reason::success);
  node.advance(4s);
  EXPECT_FALSE(client.closed()) << "done anew, it lasts anew";
  node.advance(2s);
  expect_end<mqtt::Disconnect>(Reason::not_authorized);
  Client old(node, Version::v311);
  ASSERT_TRUE(old.connect("old"));
  node.advance(6s);
  EXPECT_FALSE(old.next());
  EXPECT_TRUE(old.closed()) << "so does a login without a method";
}

TEST_F(Authentication, of_a_user_who_is_gone_ends_when_the_guard_changes) {
  let_in();
  Client stays(node), half(node);
  auto as_guest = Client::connect_packet("guest");
  as_guest.username = "guest";
  ASSERT_TRUE(stays.connect(as_guest));
  half.send(connect_with("hello"));
  ASSERT_TRUE(half.next<mqtt::Auth>());
  auto next = std::make_shared<bench::ToyGuard>();
  next->users = {"bob"};
  next->forbidden = "f";
  node.set_guard(next);
  expect_end<mqtt::Disconnect>(Reason::not_authorized);
  half.send(go_on("ann"));
  EXPECT_EQ(half.next<mqtt::Connack>()->reason, Reason::not_authorized) << "begun under the guard before";
  EXPECT_FALSE(stays.closed()) << "its name is on no list";
  stays.send(Client::publish_packet("f", "x", 1, 1));
  EXPECT_EQ(stays.next<mqtt::Puback>()->reason, Reason::not_authorized) << "rights are those of the new guard";
}

TEST_F(Authentication, gives_nobody_the_right_to_publish_sys) {
  Client old(node, Version::v311);
  ASSERT_TRUE(old.connect("old"));
  ASSERT_TRUE(client.connect("c"));
  ASSERT_EQ(client.subscribe("$SYS/#"), 0);
  client.send(Client::publish_packet("$SYS/broker/x", "x", 1, 1));
  EXPECT_EQ(client.next<mqtt::Puback>()->reason, Reason::not_authorized);
  client.send(Client::publish_packet("$SYSTEM/x", "x", 1, 2));
  EXPECT_NE(client.next<mqtt::Puback>()->reason, Reason::not_authorized) << "which is another topic";
  old.send(Client::publish_packet("$SYS/broker/x", "x", 1, 1));
  EXPECT_TRUE(old.next<mqtt::Puback>()) << "3.1.1 cannot say no";
  EXPECT_FALSE(client.next());
  Client dying(node);
  auto with_will = Client::connect_packet("d");
  with_will.will = mqtt::Will{.topic = "$SYS/x", .payload = {}, .qos = 0, .retain = false, .properties = {}};
  EXPECT_EQ(dying.connect(with_will)->reason, Reason::not_authorized);
}

}  // namespace
}  // namespace hf
