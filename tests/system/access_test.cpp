// Logins and rights of holdfastd, from an operator's files, next to what mosquitto makes of the same files.
#include <csignal>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

#include "tests/auth/scram_client.hpp"
#include "tests/auth/scratch.hpp"
#include "tests/system/processes.hpp"
#include "tests/system/wire_client.hpp"

namespace hf::system_tests {
namespace {

using auth::Scratch;
using auth::ScramClient;
using mqtt::Reason;

std::vector<std::string> with(std::initializer_list<std::string> settings) {
  std::vector<std::string> options;
  for (const auto& setting : settings) options.insert(options.end(), {"--set", setting});
  return options;
}

struct Account {
  std::string user, password, client;  ///< no user: anonymous
};

const std::vector<Account> accounts{{"", "", "c1"},    {"ann", "secret", "c2"}, {"bob", "hidden", "c3"}, {"zoe", "quiet", "c4"},
                                    {"ann", "secret", "c+5"}, {"p+q", "loud", "c6"},   {"bob", "hidden", "#"},  {"ann", "secret", "dev/7"}};
const std::vector<std::string> topics{"news/1",     "news/secret", "a",          "a/x",       "a/closed/x", "a/closed/x/y", "up",         "down",      "with space/x y",
                                      "late",       "from/ann/c2", "from/bob/c3", "from/bob/c4", "to/c1/x",   "to/c2/never",  "to/c3/never", "to/dev/7/x", "from/pq/c6",
                                      "half-c2/x",  "$x/1",        "/",          "a/",        "literal/%u",  "literal/ann",  "open/1",     "open/shut/1"};

/// (user, client, "publish" or "receive", topic) that a broker lets happen.
using Decisions = std::set<std::tuple<std::string, std::string, std::string, std::string>>;

std::unique_ptr<WireClient> login(std::uint16_t port, const Account& account) {
  auto client = std::make_unique<WireClient>(port);
  const auto reason = account.user.empty() ? client->connect(account.client) : client->connect(account.client, account.user, account.password);
  EXPECT_EQ(reason, Reason::success) << account.user << " " << account.client;
  return client;
}

Decisions decisions_of(std::uint16_t port) {
  Decisions all;
  const auto root = login(port, {"root", "omnipotent", "root"});
  for (const Account& account : accounts) {
    const auto client = login(port, account);
    for (const auto& topic : topics) {
      const auto reason = client->publish(topic, "x");
      EXPECT_TRUE(reason) << topic;
      if (reason && !mqtt::is_error(*reason)) all.insert({account.user, account.client, "publish", topic});
    }
    for (const auto& topic : topics) EXPECT_TRUE(client->subscribe(topic));
    EXPECT_EQ(client->subscribe("mark"), 1);
    for (const auto& topic : topics) EXPECT_TRUE(root->publish(topic, "x"));
    EXPECT_TRUE(root->publish("mark", "x"));
    for (bool marked = false; !marked;) {
      const auto packet = client->next<mqtt::Publish>();
      if (!packet) {
        ADD_FAILURE() << account.user << " " << account.client << " got no mark";
        break;
      }
      mqtt::Puback puback;
      puback.packet_id = packet->packet_id;
      client->send(puback);
      marked = packet->topic == "mark";
      if (!marked) all.insert({account.user, account.client, "receive", packet->topic});
    }
    client->send(mqtt::Disconnect{});
  }
  return all;
}

class LikeMosquitto : public testing::TestWithParam<const char*> {};

TEST_P(LikeMosquitto, decides) {
  const Scratch scratch;
  scratch.run("mosquitto_passwd -b -c pw root omnipotent");
  for (const Account& account : accounts)
    if (!account.user.empty()) scratch.run("mosquitto_passwd -b pw '" + account.user + "' " + account.password);
  scratch.file("acl", GetParam());
  Cluster cluster(1, with({"access.password_file=" + scratch.path("pw"), "access.acl_file=" + scratch.path("acl")}));
  cluster.start_all();
  ASSERT_TRUE(serves(cluster.port(0))) << cluster.log(0);
  const Cluster never_started(1);
  const std::uint16_t port = never_started.port(0);
  scratch.file("mosquitto.conf", "listener " + std::to_string(port) + " 127.0.0.1\nallow_anonymous true\npassword_file " + scratch.path("pw") +
                                     "\nacl_file " + scratch.path("acl") + "\n");
  scratch.run("chmod -R a+rX . && chmod a+rx .");  // it drops its rights when root starts it
  Process mosquitto;
  mosquitto.start({"/usr/sbin/mosquitto", "-c", scratch.path("mosquitto.conf")}, scratch.path("log"));
  ASSERT_TRUE(serves(port)) << scratch.read("log");
  const Decisions theirs = decisions_of(port), ours = decisions_of(cluster.port(0));
  EXPECT_GT(theirs.size(), 40U) << "the tables say something";
  for (const auto& [user, client, deed, topic] : theirs)
    EXPECT_TRUE(ours.contains({user, client, deed, topic})) << "mosquitto lets '" << user << "' at '" << client << "' " << deed << " " << topic;
  for (const auto& [user, client, deed, topic] : ours)
    EXPECT_TRUE(theirs.contains({user, client, deed, topic})) << "we let '" << user << "' at '" << client << "' " << deed << " " << topic;
}

INSTANTIATE_TEST_SUITE_P(Files, LikeMosquitto,
                         testing::Values(R"(# with patterns
topic read news/#
topic deny news/secret
topic literal/%u
user root
topic #
topic $x/#
user ann
topic read mark
topic a/#
topic write up
topic read down
topic deny a/closed/+
topic literal/%u
user bob
topic read mark
topic readwrite with space/x y
topic deny to/c3/+
topic $x/#
user p+q
topic read mark
user ann
topic late
pattern read mark
pattern write from/%u/%c
pattern read to/%c/#
pattern deny to/%c/never
pattern half-%c/x
pattern deny open/shut/#
pattern open/#
)",
                                         R"(
# without
topic read mark
topic open/#
topic deny open/shut/+
topic write news/#
user root
topic #
topic $x/#
user ann
topic read mark
topic +
topic deny late
topic write a/+/x/#
user bob
topic mark
topic deny $x/1
topic #
user p+q
topic read mark
topic read #
user zoe
topic read mark
)"));

/// One exchange; the packet that ends it.
std::optional<mqtt::Packet> prove(WireClient& wire, ScramClient& scram, mqtt::Packet first) {
  std::visit(
      [&](auto& packet) {
        if constexpr (requires { packet.properties; }) {
          packet.properties.edit().authentication_method = "SCRAM-SHA-256";
          packet.properties.edit().authentication_data = scram.first();
        }
      },
      first);
  wire.send(first);
  const auto challenge = wire.next<mqtt::Auth>();
  if (!challenge || challenge->reason != Reason::continue_authentication) return std::nullopt;
  const auto answer = scram.last(challenge->properties->authentication_data.value_or(""));
  if (!answer) return std::nullopt;
  mqtt::Auth auth;
  auth.reason = Reason::continue_authentication;
  auth.properties.edit().authentication_method = "SCRAM-SHA-256";
  auth.properties.edit().authentication_data = *answer;
  wire.send(auth);
  return wire.next();
}

mqtt::Connect connect_packet() {
  mqtt::Connect packet;
  packet.client_id = "s";
  return packet;
}

TEST(AccessSystem, scram_sha_256_and_again_on_the_open_connection) {
  const Scratch scratch;
  const std::string config = scratch.file("c.json", R"({"access": {"anonymous": false, "users": [{"name": "ann", "password": "secret"}]}})");
  Cluster cluster(1, {"--config", config});
  cluster.start_all();
  ASSERT_TRUE(serves(cluster.port(0))) << cluster.log(0);
  WireClient wire(cluster.port(0));
  ScramClient scram("ann", "secret", "once");
  const auto connack = prove(wire, scram, connect_packet());
  ASSERT_TRUE(connack && std::holds_alternative<mqtt::Connack>(*connack));
  const auto& said = std::get<mqtt::Connack>(*connack);
  EXPECT_EQ(said.reason, Reason::success);
  EXPECT_TRUE(scram.trusts(said.properties->authentication_data.value_or("")));
  mqtt::Auth again;
  again.reason = Reason::reauthenticate;
  ScramClient anew("ann", "secret", "twice");
  const auto end = prove(wire, anew, again);
  ASSERT_TRUE(end && std::holds_alternative<mqtt::Auth>(*end));
  EXPECT_EQ(std::get<mqtt::Auth>(*end).reason, Reason::success);
  EXPECT_TRUE(anew.trusts(std::get<mqtt::Auth>(*end).properties->authentication_data.value_or("")));
  ScramClient wrong("ann", "hidden", "thrice");
  const auto refused = prove(wire, wrong, again);
  ASSERT_TRUE(refused && std::holds_alternative<mqtt::Disconnect>(*refused));
  EXPECT_EQ(std::get<mqtt::Disconnect>(*refused).reason, Reason::not_authorized);
  WireClient other(cluster.port(0));
  ScramClient eve("eve", "secret", "once");
  const auto no = prove(other, eve, connect_packet());
  ASSERT_TRUE(no && std::holds_alternative<mqtt::Connack>(*no));
  EXPECT_EQ(std::get<mqtt::Connack>(*no).reason, Reason::not_authorized);
}

std::string token(const Scratch& scratch, const std::string& secret, const std::string& claims) {
  const std::string url = "openssl base64 -A | tr '+/' '-_' | tr -d '='";
  scratch.file("claims", claims);
  const std::string text =
      scratch.run("printf '{\"alg\":\"HS256\"}' | " + url) + "." + scratch.run("cat claims | " + url);
  scratch.file("text", text);
  return text + "." + scratch.run("openssl dgst -sha256 -mac HMAC -macopt key:" + secret + " -binary text | " + url);
}

TEST(AccessSystem, a_token_lets_in_until_it_expires) {
  const Scratch scratch;
  const std::string secret = "0123456789abcdef0123456789abcdef";
  Cluster cluster(1, with({"access.anonymous=false", "access.jwt.algorithm=HS256", "access.jwt.leeway=0ms",
                           "access.jwt.secret_file=" + scratch.file("secret", secret + "\n")}));
  cluster.start_all();
  ASSERT_TRUE(serves(cluster.port(0))) << cluster.log(0);
  const auto now = std::chrono::duration_cast<Seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
  WireClient client(cluster.port(0)), late(cluster.port(0)), forged(cluster.port(0));
  const std::string rights = R"("acl":[{"allow":"publish","filter":"up/%c"}])";
  const std::string good = token(scratch, secret, R"({"sub":"ann",)" + rights + R"(,"exp":)" + std::to_string(now + 4) + "}");
  EXPECT_EQ(client.connect("c", "any", good), Reason::success);
  EXPECT_FALSE(mqtt::is_error(client.publish("up/c", "x").value_or(Reason::banned)));
  EXPECT_EQ(client.publish("up/d", "x"), Reason::not_authorized);
  EXPECT_EQ(client.subscribe("up/c"), 0x87);
  EXPECT_EQ(late.connect("l", "any", token(scratch, secret, R"({"sub":"ann","exp":)" + std::to_string(now - 1) + "}")), Reason::bad_user_name_or_password);
  EXPECT_EQ(forged.connect("f", "any", token(scratch, "f" + secret.substr(1), R"({"sub":"ann"})")), Reason::bad_user_name_or_password);
  const auto end = client.next<mqtt::Disconnect>();
  ASSERT_TRUE(end);
  EXPECT_EQ(end->reason, Reason::not_authorized);
}

TEST(AccessSystem, files_are_read_again_on_sighup) {
  const Scratch scratch;
  scratch.run("mosquitto_passwd -b -c pw ann secret && mosquitto_passwd -b pw bob hidden");
  scratch.file("acl", "user ann\ntopic a/#\nuser bob\ntopic a/#\n");
  Cluster cluster(1, with({"access.password_file=" + scratch.path("pw"), "access.acl_file=" + scratch.path("acl")}));
  cluster.start_all();
  ASSERT_TRUE(serves(cluster.port(0))) << cluster.log(0);
  WireClient ann(cluster.port(0)), bob(cluster.port(0));
  ASSERT_EQ(ann.connect("a", "ann", "secret"), Reason::success);
  ASSERT_EQ(bob.connect("b", "bob", "hidden"), Reason::success);
  EXPECT_FALSE(mqtt::is_error(ann.publish("a/1", "x").value_or(Reason::banned)));
  const auto reload = [&](const std::string& says) {
    ::kill(cluster.pid(0), SIGHUP);
    return eventually([&] { return cluster.log(0).find(says) != std::string::npos; });
  };
  scratch.file("acl", "user ann\ntopik a/#\n");
  EXPECT_TRUE(reload("reload refused, nothing changes: " + scratch.path("acl") + ":2: 'topik' is not known")) << cluster.log(0);
  EXPECT_FALSE(mqtt::is_error(ann.publish("a/1", "x").value_or(Reason::banned)));
  scratch.file("acl", "user ann\ntopic b/#\n");
  scratch.run("mosquitto_passwd -D pw bob");
  EXPECT_TRUE(reload("reloaded")) << cluster.log(0);
  const auto gone = bob.next<mqtt::Disconnect>();
  ASSERT_TRUE(gone);
  EXPECT_EQ(gone->reason, Reason::not_authorized);
  EXPECT_EQ(ann.publish("a/1", "x"), Reason::not_authorized);
  EXPECT_FALSE(mqtt::is_error(ann.publish("b/1", "x").value_or(Reason::banned)));
}

}  // namespace
}  // namespace hf::system_tests
