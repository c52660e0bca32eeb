// The listener with TLS on a socket: who is let in, what is refused and logged, what is slow, and new certificates.
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>

#include "tests/admin/tls_peer.hpp"
#include "tests/node/bench_node.hpp"

namespace hf::admin {
namespace {

using test_support::Authority;
using test_support::Issued;
using wrapping::ClientCertificate;

const std::string live = "GET /health/live HTTP/1.1\r\nHost: node.example\r\n\r\n";
const std::string node_asked = "GET /api/v1/node HTTP/1.1\r\nHost: node.example\r\n\r\n";

class TlsServerTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    authority = new Authority("good");
    other = new Authority("other");
    node = authority->issue("node");
    ann = authority->issue("ann");
  }
  static void TearDownTestSuite() {
    delete authority;
    delete other;
  }
  void SetUp() override { use(ClientCertificate::none); }

  /// From now on, new connections get that.
  void use(ClientCertificate wish, Rights rights = {}, const Issued& ours = node) {
    wrapping::TlsSettings settings;
    settings.certificate = ours.certificate;
    settings.key = ours.key;
    settings.ca = authority->certificate();
    settings.client_certificate = wish;
    rights.certificates = wish;
    administration_.set_rights(std::move(rights));
    server_.set_tls(wrapping::TlsContext::server(settings, "http/1.1").value());
    hasty_.set_tls(wrapping::TlsContext::server(settings, "http/1.1").value());
  }
  Surroundings surroundings() {
    Surroundings around;
    around.version = "1";
    around.cluster = "c";
    around.log_level = [] { return "info"; };
    around.set_log_level = [](const std::string&) {};
    around.log = [this](env::Level, std::string_view, std::string_view text) { log_.emplace_back(text); };
    around.in_turn = [this](const std::function<void()>& job) { bench_.turn(job); };
    return around;
  }
  /// Handshakes take their time under a sanitizer: little of it is for tests that wait for its end.
  static Limits limits(Duration handshake, Duration request) {
    Limits small;
    small.connections = 4;
    small.handshake_time = handshake;
    small.request_time = request;
    small.farewell_time = 100ms;
    return small;
  }
  void wait(Duration time) {
    loop_.restart();
    loop_.run_for(time);
  }
  /// The status of an answer; or the alert of a handshake that failed.
  std::string ask(const Issued* ours, const std::string& request = node_asked) {
    TlsPeer peer(server_, loop_, ours);
    if (peer.alert().empty()) peer.send(request);
    const std::string answer = peer.take();
    return answer.empty() ? peer.alert() : answer.substr(9, 3);
  }

  static Authority* authority;
  static Authority* other;
  static Issued node, ann;
  std::vector<std::string> log_;
  bench::Node bench_;
  Administration administration_{bench_.shard().inspection(), surroundings(), {}};
  boost::asio::io_context loop_;
  Server server_{loop_, administration_, limits(10s, 10s)};
  Server hasty_{loop_, administration_, limits(300ms, 800ms)};
};
Authority* TlsServerTest::authority;
Authority* TlsServerTest::other;
Issued TlsServerTest::node, TlsServerTest::ann;

std::size_t count(const std::string& text, const std::string& what) {
  std::size_t found = 0;
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++found;
  return found;
}

TEST_F(TlsServerTest, answers_one_request_after_the_other_whatever_the_cuts) {
  for (const std::size_t step : {std::size_t{1}, std::size_t{1000}, std::size_t{1'000'000}}) {
    TlsPeer peer(server_, loop_, nullptr, step);
    peer.send(live);
    EXPECT_EQ(count(peer.take(), "{\"status\":\"live\",\"node\":1}\n"), 1U) << step << " " << peer.alert();
    peer.send(live + live + live);
    EXPECT_EQ(count(peer.take(), "HTTP/1.1 200 OK"), 3U);
    EXPECT_FALSE(peer.ended());
    peer.send("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    const std::string page = peer.take();
    EXPECT_EQ(count(page, "HTTP/1.1 200 OK"), 1U);
    EXPECT_EQ(count(page, "</script>"), 1U) << "also an answer of several records";
    EXPECT_TRUE(peer.notified()) << "nobody can cut an answer short unnoticed";
    wait(120ms);
    EXPECT_TRUE(peer.ended());
  }
  EXPECT_EQ(log_, std::vector<std::string>{});
}

TEST_F(TlsServerTest, where_a_certificate_is_required_only_those_of_the_authority_come_in) {
  use(ClientCertificate::required);
  const Issued stranger = other->issue("ann"), late = authority->issue("late", Authority::Valid::not_any_more);
  EXPECT_EQ(ask(&ann), "200");
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(ask(nullptr, live), "tlsv13 alert certificate required") << "health is no exception: TLS comes first";
    EXPECT_EQ(ask(&stranger), "tlsv1 alert unknown ca");
    EXPECT_EQ(ask(&late), "sslv3 alert certificate expired");
  }
  EXPECT_EQ(log_, (std::vector<std::string>{"administration: unix refused: peer did not return a certificate",
                                            "administration: unix refused: unable to get local issuer certificate",
                                            "administration: unix refused: certificate has expired"}))
      << "one line for each kind";
  EXPECT_EQ(ask(&ann), "200");
}

TEST_F(TlsServerTest, the_name_in_the_certificate_counts_where_names_are_given) {
  use(ClientCertificate::required, {"", true, false, ClientCertificate::required, {"ann"}});
  const Issued bob = authority->issue("bob");
  EXPECT_EQ(ask(&ann), "200");
  EXPECT_EQ(ask(&bob), "403");
  EXPECT_EQ(ask(&bob, live), "200");
  EXPECT_EQ(ask(&ann, "PUT /api/v1/log-level HTTP/1.1\r\nHost: n\r\nContent-Length: 16\r\n\r\n{\"level\":\"info\"}"), "200");
  EXPECT_EQ(log_, (std::vector<std::string>{"administration: unix refused: its certificate's name is not among admin.tls.allowed_names",
                                            "log level set to info by operator 'ann'"}));
}

TEST_F(TlsServerTest, where_a_certificate_is_optional_a_token_does_too) {
  use(ClientCertificate::optional, {"0123456789abcdef", true, false, ClientCertificate::optional, {}});
  const Issued stranger = other->issue("ann");
  EXPECT_EQ(ask(nullptr), "401");
  EXPECT_EQ(ask(nullptr, live), "200");
  EXPECT_EQ(ask(nullptr, "GET /api/v1/node HTTP/1.1\r\nHost: n\r\nAuthorization: Bearer 0123456789abcdef\r\n\r\n"), "200");
  EXPECT_EQ(ask(&ann), "200");
  EXPECT_EQ(ask(&stranger), "tlsv1 alert unknown ca") << "a bad one is not taken for none";
}

TEST_F(TlsServerTest, handshakes_count_and_have_their_time) {
  std::vector<std::unique_ptr<Peer>> peers;
  for (int i = 0; i < 5; ++i) peers.push_back(std::make_unique<Peer>(hasty_, loop_));
  EXPECT_TRUE(peers[0]->ended()) << "four is the limit";
  EXPECT_FALSE(peers[4]->ended());
  peers.erase(peers.begin());
  EXPECT_EQ(hasty_.connections(), 4U);
  peers[0]->send("\x16\x03\x01\x02");  // the beginning of a ClientHello
  wait(350ms);
  for (auto& peer : peers) EXPECT_TRUE(peer->ended());
  EXPECT_EQ(hasty_.connections(), 0U);
  EXPECT_EQ(log_, (std::vector<std::string>{"administration: unix refused: admin.max_connections is 4, and a newer connection got this one's place",
                                            "administration: unix refused: no TLS handshake in time"}));
  EXPECT_EQ(ask(nullptr, live), "200");
}

TEST_F(TlsServerTest, a_request_has_its_time_after_the_handshake) {
  TlsPeer peer(hasty_, loop_);
  wait(500ms);
  EXPECT_FALSE(peer.ended()) << "the time of the handshake is over, not that of the request";
  peer.send("GET / HT");
  wait(500ms);
  EXPECT_TRUE(peer.ended());
  EXPECT_EQ(hasty_.connections(), 0U);
}

TEST_F(TlsServerTest, what_is_no_tls_ends_the_connection) {
  for (const std::string& bad : {live, std::string(20'000, 'x'), std::string("\x16\x03\x01\xff\xff", 5) + std::string(70'000, 'x'),
                                 std::string("\x15\x03\x03\x00\x02\x02\x28", 7), std::string(1000, '\0')}) {
    Peer peer(server_, loop_);
    peer.send(bad);
    EXPECT_TRUE(peer.ended()) << bad.substr(0, 20);
    EXPECT_EQ(peer.take().find("HTTP"), std::string::npos);
  }
  wait(150ms);
  EXPECT_EQ(server_.connections(), 0U);
  TlsPeer broken(server_, loop_);
  broken.send(live);
  EXPECT_EQ(count(broken.take(), "200 OK"), 1U);
  broken.raw(std::string(100, 'g'));
  EXPECT_TRUE(broken.ended());
  Peer gone(server_, loop_);
  gone.finish();
  wait(150ms);
  EXPECT_EQ(count(log_.back(), "refused"), 1U);
  EXPECT_LE(log_.size(), 4U) << "who only looks whether the port is open is not worth a line";
}

TEST_F(TlsServerTest, a_new_certificate_is_for_new_connections) {
  TlsPeer before(server_, loop_);
  EXPECT_EQ(count(before.node(), "CN=node"), 1U) << before.node();
  const Issued renewed = authority->issue("renewed");
  use(ClientCertificate::required, {}, renewed);
  TlsPeer after(server_, loop_, &ann);
  EXPECT_EQ(count(after.node(), "CN=renewed"), 1U) << after.node();
  before.send(live);
  EXPECT_EQ(count(before.take(), "200 OK"), 1U) << "it stays";
  before.send("GET /api/v1/node HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(count(before.take(), "\"code\":\"certificate\""), 1U) << "with the rights of now";
  after.send(node_asked);
  EXPECT_EQ(count(after.take(), "200 OK"), 1U);
}

TEST_F(TlsServerTest, a_trace_goes_on_until_its_reader_goes) {
  use(ClientCertificate::required);
  bench::Client client(bench_);
  ASSERT_TRUE(client.connect("t"));
  auto peer = std::make_unique<TlsPeer>(hasty_, loop_, &ann);
  peer->send("GET /api/v1/trace?client=t HTTP/1.1\r\nHost: node.example\r\n\r\n");
  EXPECT_EQ(count(peer->take(), "\"tracing\":\"t\""), 1U);
  ASSERT_TRUE(client.subscribe("x", 0));
  EXPECT_EQ(count(peer->take(), "\"direction\""), 2U);
  wait(1000ms);  // longer than a request may take
  EXPECT_FALSE(peer->ended());
  for (mqtt::PacketId id = 1; id <= 50; ++id) client.subscribe("x", 0, id);
  EXPECT_EQ(count(peer->take(), "\"direction\""), 100U);
  peer.reset();
  wait(10ms);
  EXPECT_EQ(log_, std::vector<std::string>{"traced by operator 'ann'"});
  EXPECT_EQ(ask(&ann, "GET /api/v1/trace?client=t HTTP/1.1\r\nHost: node.example\r\n\r\n"), "200") << "the first has ended";
}

}  // namespace
}  // namespace hf::admin
