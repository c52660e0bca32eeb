// Access control at a node: who may connect, publish, subscribe, receive.
#include <memory>

#include <gtest/gtest.h>

#include "broker/access/access.hpp"
#include "tests/node/bench_node.hpp"

namespace hf {
namespace {

using bench::Client;
using mqtt::Reason;
using mqtt::Version;

node::Config guarded() {
  node::Config config;
  config.access.anonymous = false;
  config.access.users = {{"ann", "secret"}, {"bob", "hidden"}};
  config.access.rules = {
      {.user = {}, .client = {}, .allow = true, .publish = true, .subscribe = true, .filter = "own/%u/%c/#"},
      {.user = "ann", .client = {}, .allow = true, .publish = true, .subscribe = true, .filter = "t/#"},
      {.user = "bob", .client = {}, .allow = true, .publish = false, .subscribe = true, .filter = "t/open/#"},
      {.user = {}, .client = {}, .allow = false, .publish = true, .subscribe = true, .filter = "t/closed/#"}};
  return config;
}

mqtt::Connect as(std::string user, std::string password, std::string id, Version version = Version::v5) {
  auto packet = Client::connect_packet(std::move(id), version);
  packet.username = std::move(user);
  packet.password = std::move(password);
  return packet;
}

TEST(Login, wants_a_known_name_and_its_password) {  // [MQTT-3.1.4-2]
  bench::Node node(guarded());
  Client good(node), wrong(node), unknown(node), nobody(node);
  EXPECT_EQ(good.connect(as("ann", "secret", "a"))->reason, Reason::success);
  EXPECT_EQ(wrong.connect(as("ann", "hidden", "b"))->reason, Reason::bad_user_name_or_password);
  EXPECT_EQ(unknown.connect(as("eve", "secret", "c"))->reason, Reason::bad_user_name_or_password);
  EXPECT_EQ(nobody.connect("d")->reason, Reason::not_authorized);
  EXPECT_TRUE(wrong.closed() && unknown.closed() && nobody.closed());
  Client old(node, Version::v311), old_nobody(node, Version::v311);
  EXPECT_EQ(old.connect(as("ann", "x", "e", Version::v311))->reason, Reason::bad_user_name_or_password) << "return code 4";
  EXPECT_EQ(old_nobody.connect("f")->reason, Reason::not_authorized) << "return code 5";
}

TEST(Rights, to_publish) {  // [MQTT-3.3.5-2]
  bench::Node node(guarded());
  Client ann(node), bob(node), old(node, Version::v311);
  ASSERT_TRUE(ann.connect(as("ann", "secret", "a")));
  ASSERT_TRUE(bob.connect(as("bob", "hidden", "b")));
  ASSERT_TRUE(old.connect(as("bob", "hidden", "o", Version::v311)));
  ASSERT_EQ(ann.subscribe("t/#"), 0);
  bob.send(Client::publish_packet("t/open/1", "x", 1, 1));
  EXPECT_EQ(bob.next<mqtt::Puback>()->reason, Reason::not_authorized);
  bob.send(Client::publish_packet("t/open/1", "x", 2, 2));
  EXPECT_EQ(bob.next<mqtt::Pubrec>()->reason, Reason::not_authorized);
  bob.send(Client::publish_packet("t/open/1", "x"));
  EXPECT_FALSE(bob.closed()) << "QoS 0 is dropped without a word";
  old.send(Client::publish_packet("t/open/1", "x", 1, 1));
  EXPECT_TRUE(old.next<mqtt::Puback>()) << "3.1.1 cannot say no";
  old.send(Client::publish_packet("t/open/1", "x", 2, 2));
  EXPECT_TRUE(old.next<mqtt::Pubrec>());
  old.send(mqtt::Pubrel{{.packet_id = 2, .reason = Reason::success, .properties = {}}});
  EXPECT_TRUE(old.next<mqtt::Pubcomp>());
  EXPECT_FALSE(ann.next()) << "none of it was published";
  bob.send(Client::publish_packet("own/bob/b/1", "x", 1, 1));
  EXPECT_EQ(bob.next<mqtt::Puback>()->reason, Reason::no_matching_subscribers) << "%u and %c";
  bob.send(Client::publish_packet("own/ann/a/1", "x", 1, 1));
  EXPECT_EQ(bob.next<mqtt::Puback>()->reason, Reason::not_authorized);
  ann.send(Client::publish_packet("t/closed/1", "x", 1, 1));
  EXPECT_EQ(ann.next<mqtt::Puback>()->reason, Reason::not_authorized) << "deny beats allow";
  EXPECT_EQ(node.shard().counters().refused, 7U);
}

TEST(Rights, to_subscribe_and_receive) {
  bench::Node node(guarded());
  Client ann(node), bob(node), old(node, Version::v311);
  ASSERT_TRUE(ann.connect(as("ann", "secret", "a")));
  ASSERT_TRUE(bob.connect(as("bob", "hidden", "b")));
  ASSERT_TRUE(old.connect(as("bob", "hidden", "o", Version::v311)));
  EXPECT_EQ(bob.subscribe("other", 1), 0x87);
  EXPECT_EQ(old.subscribe("other", 1), 0x80);
  EXPECT_EQ(ann.subscribe("t/closed/+", 1), 0x87);
  EXPECT_EQ(bob.subscribe("t/#", 1), 1) << "broader than the rights";
  ann.send(Client::publish_packet("t/1", "x", 1, 1));
  ASSERT_TRUE(ann.next<mqtt::Puback>());
  EXPECT_FALSE(bob.next()) << "may not receive this one";
  ann.send(Client::publish_packet("t/open/1", "y", 1, 1));
  ASSERT_TRUE(ann.next<mqtt::Puback>());
  EXPECT_EQ(bob.next<mqtt::Publish>()->payload.view(), "y");
  EXPECT_EQ(node.shard().counters().dropped_denied, 1U);
}

TEST(Rights, to_leave_a_will) {
  bench::Node node(guarded());
  Client bob(node);
  auto connect = as("bob", "hidden", "b");
  connect.will = mqtt::Will{.topic = "t/open/1", .payload = {}, .qos = 0, .retain = false, .properties = {}};
  EXPECT_EQ(bob.connect(connect)->reason, Reason::not_authorized);
  EXPECT_TRUE(bob.closed());
}

/// "w" may write to "t", or not; everybody may read it.
std::shared_ptr<const access::Guard> writing(bool allowed) {
  access::Policy policy;
  policy.rules = {{.user = {}, .client = {}, .allow = true, .publish = false, .subscribe = true, .filter = "t"},
                  {.user = {}, .client = "w", .allow = allowed, .publish = true, .subscribe = false, .filter = "t"}};
  return std::make_shared<access::Access>(policy);
}

/// A PUBREC with an error ends the flow [MQTT-4.3.3-4]: what the client sends next under that id is another message.
TEST(Rights, that_were_lost_release_the_id_of_a_message_sent_again) {
  for (const Version version : {Version::v5, Version::v311}) {
    bench::Node node({}, writing(true));
    Client reader(node), before(node, version), writer(node, version);
    ASSERT_TRUE(reader.connect("reader"));
    ASSERT_EQ(reader.subscribe("t", 2), 2);
    auto connect = Client::connect_packet("w", version);
    connect.clean_start = false;
    if (version == Version::v5) connect.properties.edit().session_expiry_interval = 3600;
    ASSERT_TRUE(before.connect(connect));
    auto packet = Client::publish_packet("t", "same", 2, 7);
    before.send(packet);
    node.vanish(before.stream());
    node.set_guard(writing(false));
    ASSERT_TRUE(writer.connect(connect));
    packet.dup = true;
    writer.send(packet);
    EXPECT_EQ(writer.next<mqtt::Pubrec>()->reason, version == Version::v5 ? Reason::not_authorized : Reason::success);
    if (version == Version::v311) {  // it cannot be told, and goes on
      writer.send(mqtt::Pubrel{{.packet_id = 7, .reason = Reason::success, .properties = {}}});
      EXPECT_TRUE(writer.next<mqtt::Pubcomp>());
    }
    node.set_guard(writing(true));
    packet.dup = false;
    writer.send(packet);
    EXPECT_EQ(writer.next<mqtt::Pubrec>()->reason, Reason::success);
    int got = 0;
    while (const auto one = reader.next()) got += std::holds_alternative<mqtt::Publish>(*one) ? 1 : 0;
    EXPECT_EQ(got, 2) << "two messages, though they look the same";
  }
}

/// What a member of a group may not have is dealt to it all the same, and would be gone.
TEST(Rights, to_share_are_rights_to_all_that_the_filter_matches) {
  bench::Node node(guarded());
  Client ann(node), bob(node), old(node, Version::v311);
  ASSERT_TRUE(ann.connect(as("ann", "secret", "a")));
  ASSERT_TRUE(bob.connect(as("bob", "hidden", "b")));
  ASSERT_TRUE(old.connect(as("bob", "hidden", "o", Version::v311)));
  EXPECT_EQ(bob.subscribe("$share/g/t/#", 1), 0x87) << "may have t/open/# only";
  EXPECT_EQ(old.subscribe("$share/g/t/#", 1), 0x80);
  EXPECT_EQ(bob.subscribe("$share/g/t/open/#", 1), 1);
  EXPECT_EQ(ann.subscribe("$share/g/t/#", 1), 0x87) << "some of it is denied";
  EXPECT_EQ(ann.subscribe("$share/g/t/open/+", 1), 1);
  EXPECT_EQ(ann.subscribe("t/#", 1), 1) << "alone she takes nothing from anybody";
  EXPECT_EQ(ann.subscribe("$share/g/own/ann/a/+", 1), 1) << "%u and %c";
  EXPECT_EQ(ann.subscribe("$share/g/own/ann/+/x", 1), 0x87);
}

}  // namespace
}  // namespace hf
