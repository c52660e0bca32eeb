// Two ends of TLS in memory: handshakes good and bad, names, records cut anywhere, good-byes.
#include <algorithm>
#include <fstream>
#include <string>

#include <sys/fsuid.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "broker/wrapping/tls_context.hpp"
#include "broker/wrapping/tls_session.hpp"
#include "tests/support/authority.hpp"

namespace hf::wrapping {
namespace {

using test_support::Authority;
using test_support::Issued;
using State = TlsSession::State;
using End = TlsSession::End;

TlsSettings settings_of(const Issued& issued, const std::string& ca) {
  TlsSettings settings;
  settings.certificate = issued.certificate;
  settings.key = issued.key;
  settings.ca = ca;
  return settings;
}

/// Both ends, and the bytes under way between them.
struct Pair {
  Pair(const TlsSettings& server_settings, const TlsSettings& client_settings)
      : server(TlsContext::server(server_settings, "mqtt").value(), End::server),
        client(TlsContext::client(client_settings).value(), End::client) {
    client.receive({}, client_got, to_server);
    run();
  }
  /// Until nothing is under way; in parts of `step` bytes.
  void run(std::size_t step = 100'000) {
    while (!to_server.empty() || !to_client.empty()) {
      const std::string there = to_server.substr(0, step);
      to_server.erase(0, there.size());
      if (!there.empty()) server.receive(there, server_got, to_client);
      const std::string back = to_client.substr(0, step);
      to_client.erase(0, back.size());
      if (!back.empty()) client.receive(back, client_got, to_server);
    }
  }
  TlsSession server, client;
  std::string to_server, to_client, server_got, client_got;
};

class TlsTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    authority = new Authority("good");
    other = new Authority("other");
    node = authority->issue("node");
    user = authority->issue("ann");
  }
  static void TearDownTestSuite() {
    delete authority;
    delete other;
  }
  static TlsSettings server(ClientCertificate wish, UserFrom user_from = UserFrom::none) {
    TlsSettings settings = settings_of(node, authority->certificate());
    settings.client_certificate = wish;
    settings.user_from = user_from;
    return settings;
  }
  static TlsSettings client(const Issued& issued) { return settings_of(issued, authority->certificate()); }

  static Authority* authority;
  static Authority* other;
  static Issued node, user;
};
Authority* TlsTest::authority;
Authority* TlsTest::other;
Issued TlsTest::node, TlsTest::user;

TEST_F(TlsTest, carries_bytes_both_ways_whatever_the_cuts) {
  for (const TlsVersion version : {TlsVersion::v1_2, TlsVersion::v1_3}) {
    for (const std::size_t step : {std::size_t{1}, std::size_t{1000}, std::size_t{1'000'000}}) {
      TlsSettings old = client(user);
      old.min_version = version;
      Pair pair(server(ClientCertificate::none), old);
      ASSERT_EQ(pair.server.state(), State::open) << pair.server.why();
      ASSERT_EQ(pair.client.state(), State::open) << pair.client.why();
      const std::string there(100'000, 't'), back(70'000, 'b');
      pair.client.send(there, pair.to_server);
      pair.server.send(back, pair.to_client);
      pair.run(step);
      EXPECT_EQ(pair.server_got, there);
      EXPECT_EQ(pair.client_got, back);
      pair.server.close(pair.to_client);
      pair.run(step);
      EXPECT_EQ(pair.client.state(), State::ended);
    }
  }
}

TEST_F(TlsTest, names_the_user_by_the_certificate) {
  const Pair common(server(ClientCertificate::required, UserFrom::common_name), client(user));
  EXPECT_EQ(common.server.identity(), "ann");
  const Pair subject(server(ClientCertificate::required, UserFrom::subject), client(user));
  EXPECT_EQ(subject.server.identity(), "O=Holdfast tests,CN=ann");
  const Pair none(server(ClientCertificate::required), client(user));
  EXPECT_EQ(none.server.identity(), "");
  const Pair umlaut(server(ClientCertificate::required, UserFrom::common_name), client(authority->issue("j\xC3\xB6rg")));
  EXPECT_FALSE(umlaut.server.identity().empty());
}

TEST_F(TlsTest, judges_the_clients_certificate) {
  const auto refusal = [](const TlsSettings& ours, const TlsSettings& theirs) {
    const Pair pair(ours, theirs);
    EXPECT_EQ(pair.server.state(), State::failed);
    EXPECT_EQ(pair.client.state(), State::failed) << "it should have been told by an alert";
    return pair.server.why();
  };
  TlsSettings strict = server(ClientCertificate::required);
  TlsSettings stranger = client(other->issue("ann"));
  EXPECT_EQ(refusal(strict, stranger), "unable to get local issuer certificate");
  EXPECT_EQ(refusal(server(ClientCertificate::optional), stranger), "unable to get local issuer certificate");
  EXPECT_EQ(refusal(strict, client(authority->issue("late", Authority::Valid::not_any_more))), "certificate has expired");
  const Issued revoked = authority->issue("gone");
  strict.crl = authority->revoked();
  EXPECT_EQ(Pair(strict, client(revoked)).server.state(), State::open);
  authority->revoke(revoked);
  authority->revoked();
  EXPECT_EQ(refusal(strict, client(revoked)), "certificate revoked");
  EXPECT_EQ(Pair(strict, client(user)).server.state(), State::open);
}

TEST_F(TlsTest, a_dialling_end_judges_the_other) {
  TlsSettings settings = client(user);
  settings.ca = other->certificate();
  const Pair pair(server(ClientCertificate::none), settings);
  EXPECT_EQ(pair.client.state(), State::failed);
  EXPECT_NE(pair.client.why().find("certificate"), std::string::npos) << pair.client.why();
  EXPECT_EQ(pair.server.state(), State::failed);
}

TEST_F(TlsTest, versions_that_do_not_meet_fail) {
  TlsSettings strict = server(ClientCertificate::none);
  strict.min_version = TlsVersion::v1_3;
  TlsSettings old = client(user);
  EXPECT_EQ(Pair(strict, old).server.state(), State::open);
  auto context = TlsContext::server(strict, "mqtt").value();
  TlsSession session(context, End::server);
  std::string up, down;
  session.receive(std::string("\x10\x0C\0\x04MQTT\x05\x02\0\x3C\0\0", 14), up, down);
  EXPECT_EQ(session.state(), State::failed);
  EXPECT_FALSE(session.why().empty());
  EXPECT_EQ(up, "");
}

TEST_F(TlsTest, garbage_on_an_open_connection_ends_it) {
  Pair pair(server(ClientCertificate::none), client(user));
  pair.client.send("before", pair.to_server);
  pair.to_server += std::string(100, 'g');
  pair.run();
  EXPECT_EQ(pair.server_got, "before");
  EXPECT_EQ(pair.server.state(), State::failed);
}

TEST_F(TlsTest, bad_files_are_named) {
  const auto error = [](const TlsSettings& settings) {
    const auto made = TlsContext::server(settings, "mqtt");
    return made ? "" : made.error().text;
  };
  TlsSettings settings = server(ClientCertificate::required);
  EXPECT_EQ(error(settings), "");
  settings.certificate = "/nowhere.pem";
  EXPECT_EQ(error(settings), "/nowhere.pem: no use as a certificate: No such file or directory");
  settings = server(ClientCertificate::required);
  settings.key = "/nowhere.key";
  EXPECT_EQ(error(settings), "/nowhere.key: no use as the key of " + node.certificate + ": No such file or directory");
  settings = server(ClientCertificate::required);
  settings.ca = "/nowhere.pem";
  EXPECT_EQ(error(settings), "/nowhere.pem: no use as an authority: No such file or directory");
  settings = server(ClientCertificate::required);
  settings.crl = "/nowhere.pem";
  EXPECT_EQ(error(settings), "/nowhere.pem: no use as a revocation list: No such file or directory");
  settings = server(ClientCertificate::required);
  settings.key = user.key;
  EXPECT_EQ(error(settings), user.key + ": no use as the key of " + node.certificate + ": key values mismatch");
  settings = server(ClientCertificate::required);
  settings.ca = node.key;
  EXPECT_EQ(error(settings).rfind(node.key + ": no use as an authority: ", 0), 0U) << error(settings);
  settings = server(ClientCertificate::required);
  settings.crl = node.certificate;
  EXPECT_EQ(error(settings).rfind(node.certificate + ": no use as a revocation list: ", 0), 0U) << error(settings);
  settings = server(ClientCertificate::required);
  settings.ciphers = "NONSENSE";
  EXPECT_EQ(error(settings), "TLS: ciphers \"NONSENSE\": no cipher match");
  settings = server(ClientCertificate::required);
  settings.ciphersuites = "NONSENSE";
  EXPECT_NE(error(settings), "");
}

TEST_F(TlsTest, a_file_that_may_not_be_read_says_so) {
  ::setfsuid(65534);  // whoever runs the tests may be root, who reads anything
  const auto made = TlsContext::server(server(ClientCertificate::none), "mqtt");
  ::setfsuid(::geteuid());
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().text, node.certificate + ": no use as a certificate: Permission denied");
}

TEST_F(TlsTest, tells_when_the_certificate_ends) {
  const auto late = TlsContext::server(settings_of(authority->issue("late", Authority::Valid::not_any_more), ""), "mqtt");
  ASSERT_TRUE(late) << late.error().text;
  EXPECT_EQ((*late)->expires(), 1'580'515'200);  // 2020-02-01
}

}  // namespace
}  // namespace hf::wrapping
