// The listener with bytes on a socket: what HTTP allows, what is too much, what is slow, and traces.
#include "broker/admin/server.hpp"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>

#include "tests/admin/peer.hpp"
#include "tests/node/bench_node.hpp"

namespace hf::admin {
namespace {

class ServerTest : public testing::Test {
 protected:
  Surroundings surroundings() {
    Surroundings around;
    around.version = "1";
    around.cluster = "c";
    around.log_level = [] { return "info"; };
    around.set_log_level = [](const std::string&) {};
    around.log = [this](env::Level, std::string_view, std::string_view text) { said_.emplace_back(text); };
    // A session that is ended waits for the next turn of the bench, as for a disk.
    around.in_turn = [this](const std::function<void()>& job) { late_ ? job() : bench_.turn(job); };
    return around;
  }
  static Limits limits() {
    Limits small;
    small.connections = 4;
    small.trace_bytes = 2000;
    small.request_time = 200ms;
    small.answer_time = 100ms;
    return small;
  }
  void wait(Duration time) {
    loop_.restart();
    loop_.run_for(time);
  }

  bool late_ = false;
  std::vector<std::string> said_;
  bench::Node bench_;
  Administration administration_{bench_.shard().inspection(), surroundings(), {}};
  boost::asio::io_context loop_;
  Server server_{loop_, administration_, limits()};
};

std::size_t count(const std::string& text, const std::string& what) {
  std::size_t found = 0;
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++found;
  return found;
}

TEST_F(ServerTest, answers_one_request_after_the_other) {
  Peer peer(server_, loop_);
  const std::string request = "GET /health/live HTTP/1.1\r\nHost: localhost:8081\r\n\r\n";
  peer.send(request);
  const std::string first = peer.take();
  EXPECT_EQ(first.substr(0, 17), "HTTP/1.1 200 OK\r\n");
  EXPECT_NE(first.find("\r\nX-Content-Type-Options: nosniff\r\n"), std::string::npos);
  EXPECT_NE(first.find("{\"status\":\"live\",\"node\":1}\n"), std::string::npos) << first;
  peer.send(request + request + request);
  EXPECT_EQ(count(peer.take(), "HTTP/1.1 200 OK"), 3U);
  for (const char c : request) peer.send(std::string(1, c));
  EXPECT_EQ(count(peer.take(), "HTTP/1.1 200 OK"), 1U);
  EXPECT_FALSE(peer.ended());
  peer.send("GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(count(peer.take(), "HTTP/1.1 200 OK"), 1U);
  EXPECT_TRUE(peer.ended());
}

TEST_F(ServerTest, head_is_get_without_a_body) {
  Peer peer(server_, loop_);
  peer.send("HEAD /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const std::string answer = peer.take();
  EXPECT_NE(answer.find("\r\nContent-Length: 27\r\n"), std::string::npos) << answer;
  EXPECT_EQ(answer.substr(answer.size() - 4), "\r\n\r\n");
  peer.send("HEAD /api/v1/trace?client=x HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(count(peer.take(), "200 OK"), 1U);
  EXPECT_FALSE(peer.ended());
}

TEST_F(ServerTest, http_1_0_is_answered_and_closed) {
  Peer peer(server_, loop_);
  peer.send("GET /health/live HTTP/1.0\r\n\r\n");
  EXPECT_EQ(count(peer.take(), "200 OK"), 1U);
  EXPECT_TRUE(peer.ended());
  Peer tracer(server_, loop_);
  tracer.send("GET /api/v1/trace?client=x HTTP/1.0\r\n\r\n");
  EXPECT_EQ(count(tracer.take(), " 505 "), 1U);
}

TEST_F(ServerTest, what_is_no_http_is_refused) {
  for (const std::string bad : {"\r\n\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "GET / HTTP/1.1\r\nno colon\r\n\r\n",
                                "GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
                                "PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"}) {
    Peer peer(server_, loop_);
    peer.send(bad);
    EXPECT_EQ(peer.take().substr(0, 13), "HTTP/1.1 400 ") << bad;
    EXPECT_TRUE(peer.ended());
  }
  wait(50ms);
}

TEST_F(ServerTest, what_is_too_large_is_refused) {
  Peer header(server_, loop_);
  header.send("GET / HTTP/1.1\r\nHost: " + std::string(20'000, 'x') + "\r\n\r\n");
  EXPECT_EQ(header.take().substr(0, 13), "HTTP/1.1 431 ");
  Peer length(server_, loop_);
  length.send("PUT /api/v1/log-level HTTP/1.1\r\nHost: localhost\r\nContent-Length: 70000\r\n\r\n");
  EXPECT_EQ(length.take().substr(0, 13), "HTTP/1.1 413 ");
  Peer chunks(server_, loop_);
  chunks.send("PUT /api/v1/log-level HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n");
  for (int i = 0; i < 20; ++i) chunks.send("1000\r\n" + std::string(4096, 'x') + "\r\n");
  EXPECT_EQ(chunks.take().substr(0, 13), "HTTP/1.1 413 ");
  EXPECT_TRUE(chunks.ended());
}

TEST_F(ServerTest, connections_are_bounded_and_slow_ones_go) {
  std::vector<std::unique_ptr<Peer>> peers;
  for (int i = 0; i < 4; ++i) peers.push_back(std::make_unique<Peer>(server_, loop_));
  EXPECT_EQ(server_.connections(), 4U);
  peers[0]->send("GET / HT");
  wait(300ms);
  for (auto& peer : peers) EXPECT_TRUE(peer->ended());
  wait(1200ms);
  EXPECT_EQ(server_.connections(), 0U);
}

TEST_F(ServerTest, who_only_holds_a_place_gives_it_to_a_newcomer) {
  const std::string request = "GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n";
  std::vector<std::unique_ptr<Peer>> silent;
  for (int i = 0; i < 4; ++i) silent.push_back(std::make_unique<Peer>(server_, loop_));
  for (auto& peer : silent) peer->send("GET /");
  Peer probe(server_, loop_);
  probe.send(request);
  EXPECT_EQ(count(probe.take(), "HTTP/1.1 200 OK"), 1U);
  EXPECT_TRUE(silent[0]->ended()) << "the oldest";
  EXPECT_FALSE(silent[1]->ended());
  EXPECT_EQ(server_.connections(), 4U);
  ASSERT_EQ(said_.size(), 1U);
  EXPECT_NE(said_[0].find("refused: admin.max_connections is 4, and a newer connection got this one's place"), std::string::npos) << said_[0];
  for (int i = 0; i < 20; ++i) Peer(server_, loop_).send("GET /");
  EXPECT_EQ(said_.size(), 1U) << "one line a minute for an address";
  Peer asking(server_, loop_);
  asking.send("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_NE(asking.take().find("holdfast_administration_refused_total{reason=\"crowded\"} "), std::string::npos);
}

TEST_F(ServerTest, those_between_two_requests_go_before_one_that_has_just_come) {
  const std::string request = "GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n";
  std::vector<std::unique_ptr<Peer>> idle;
  for (int i = 0; i < 4; ++i) {
    idle.push_back(std::make_unique<Peer>(server_, loop_));
    idle.back()->send(request);
    EXPECT_EQ(count(idle.back()->take(), " 200 OK"), 1U);
  }
  Peer fresh(server_, loop_), another(server_, loop_);
  fresh.send(request);
  EXPECT_EQ(count(fresh.take(), " 200 OK"), 1U);
  EXPECT_TRUE(idle[0]->ended() && idle[1]->ended());
  EXPECT_FALSE(idle[2]->ended() || idle[3]->ended());
}

TEST_F(ServerTest, traces_keep_their_places_and_get_half_of_them_at_most) {
  const auto trace = [](const std::string& client) { return "GET /api/v1/trace?client=" + client + " HTTP/1.1\r\nHost: localhost\r\n\r\n"; };
  Peer one(server_, loop_), two(server_, loop_), three(server_, loop_);
  one.send(trace("a"));
  two.send(trace("b"));
  three.send(trace("c"));
  EXPECT_EQ(count(three.take(), " 503 "), 1U);
  std::vector<std::unique_ptr<Peer>> silent;
  for (int i = 0; i < 9; ++i) silent.push_back(std::make_unique<Peer>(server_, loop_));
  one.take();
  EXPECT_FALSE(one.ended() || two.ended());
  EXPECT_TRUE(three.ended()) << "it has had its answer";
}

TEST_F(ServerTest, an_answer_that_is_late_is_given_up) {
  bench::Client client(bench_);
  auto packet = bench::Client::connect_packet("s");
  packet.properties.edit().session_expiry_interval = 60;
  ASSERT_TRUE(client.connect(packet));
  late_ = true;
  Peer peer(server_, loop_);
  peer.send("DELETE /api/v1/sessions/s HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(peer.take(), "");
  wait(150ms);
  EXPECT_EQ(peer.take().substr(0, 13), "HTTP/1.1 504 ");
  bench_.turn([] {});  // now it is done: nobody is told any more
  EXPECT_EQ(peer.take(), "");
  EXPECT_TRUE(peer.ended());
}

TEST_F(ServerTest, a_trace_goes_on_until_its_reader_goes) {
  bench::Client client(bench_);
  ASSERT_TRUE(client.connect("t"));
  auto peer = std::make_unique<Peer>(server_, loop_);
  peer->send("GET /api/v1/trace?client=t HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const std::string head = peer->take();
  EXPECT_NE(head.find("\r\nTransfer-Encoding: chunked\r\n"), std::string::npos);
  EXPECT_NE(head.find("\"tracing\":\"t\""), std::string::npos);
  ASSERT_TRUE(client.subscribe("x", 0));
  const std::string lines = peer->take();
  EXPECT_EQ(count(lines, "\"direction\":\"in\""), 1U) << lines;
  EXPECT_EQ(count(lines, "\"direction\":\"out\""), 1U) << lines;
  wait(300ms);  // longer than a request may take
  EXPECT_FALSE(peer->ended());
  Peer second(server_, loop_);
  second.send("GET /api/v1/trace?client=t HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(count(second.take(), " 409 "), 1U);
  peer.reset();
  wait(10ms);
  second.send("GET /api/v1/trace?client=t HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(count(second.take(), " 200 "), 1U) << "the first has ended";
}

TEST_F(ServerTest, a_slow_reader_of_a_trace_loses_lines_and_is_told) {
  bench::Client client(bench_);
  ASSERT_TRUE(client.connect("t"));
  Peer peer(server_, loop_);
  peer.send("GET /api/v1/trace?client=t HTTP/1.1\r\nHost: localhost\r\n\r\n");
  peer.take();
  for (mqtt::PacketId id = 1; id <= 100; ++id) client.subscribe("x", 0, id);  // the loop does not run meanwhile
  const std::string lines = peer.take();
  const std::size_t in = count(lines, "\"direction\":\"in\""), out = count(lines, "\"direction\":\"out\"");
  EXPECT_LT(lines.size(), 4000U);
  EXPECT_GT(in, 3U);
  EXPECT_NE(lines.find("\"lost\":" + std::to_string(200 - in - out) + "}"), std::string::npos) << lines;
  client.subscribe("x", 0, 101);
  EXPECT_EQ(count(peer.take(), "direction"), 2U) << "and it goes on";
}

}  // namespace
}  // namespace hf::admin
