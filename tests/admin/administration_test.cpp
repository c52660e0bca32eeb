// The administration of a node in memory, with clients: what it answers, in which form, and what it does.
#include "broker/admin/administration.hpp"

#include <set>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "broker/admin/page.hpp"
#include "tests/admin/exposition_reader.hpp"
#include "tests/node/bench_node.hpp"

namespace hf::admin {
namespace {

using Json = nlohmann::json;

class AdministrationTest : public testing::Test {
 protected:
  static Surroundings surroundings(AdministrationTest& test) {
    Surroundings around;
    around.version = "1.2.3";
    around.cluster = "lab \"x\"";
    around.log_level = [&test] { return test.level_; };
    around.set_log_level = [&test](const std::string& level) { test.level_ = level; };
    around.log = [&test](env::Level, std::string_view client, std::string_view text) {
      test.log_.push_back(std::string(client) + ": " + std::string(text));
    };
    around.certificates = [] { return std::vector<Certificate>{{"listener tls", 2e9}}; };
    around.in_turn = [&test](const std::function<void()>& job) { test.bench_.turn(job); };
    return around;
  }

  Reply ask(const std::string& method, const std::string& target, const std::string& body = "") {
    Reply answer;
    answer.status = 0;
    int answers = 0;
    administration_.handle({method, target, "127.0.0.1", "", body, "10.0.0.9:1"}, [&](Reply reply) {
      answer = std::move(reply);
      ++answers;
    });
    bench_.advance(5s);
    EXPECT_EQ(answers, 1) << method << " " << target;
    return answer;
  }
  Json get(const std::string& target) {
    const Reply reply = ask("GET", target);
    EXPECT_EQ(reply.status, 200U) << target << " " << reply.body;
    return Json::parse(reply.body, nullptr, false);
  }

  /// A client with a persistent session that stays connected.
  bench::Client& connect(const std::string& id) {
    clients_.push_back(std::make_unique<bench::Client>(bench_));
    auto packet = bench::Client::connect_packet(id);
    packet.properties.edit().session_expiry_interval = 3600;
    EXPECT_TRUE(clients_.back()->connect(packet)) << id;
    return *clients_.back();
  }

  std::string level_ = "info";
  std::vector<std::string> log_;
  bench::Node bench_;
  Administration administration_{bench_.shard().inspection(), surroundings(*this), {}};
  std::vector<std::unique_ptr<bench::Client>> clients_;
};

TEST_F(AdministrationTest, tells_what_is_not_there_and_what_is_not_taken) {
  EXPECT_EQ(ask("GET", "/api/v1/sessions/nobody/subscriptions").status, 404U);
  for (const char* target : {"/api", "/api/v1", "/api/v1/", "/api/v2/node", "/api/v1/node/", "/api/v1/clients/", "/index.html", "//", "/health"}) {
    const Reply reply = ask("GET", target);
    EXPECT_EQ(reply.status, 404U) << target;
    EXPECT_EQ(Json::parse(reply.body)["error"]["code"], "path");
  }
  const Reply put = ask("PUT", "/api/v1/clients/x");
  EXPECT_EQ(put.status, 405U);
  ASSERT_EQ(put.fields.size(), 1U);
  EXPECT_EQ(put.fields[0], (std::pair<std::string, std::string>("Allow", "GET, HEAD, DELETE")));
  EXPECT_EQ(ask("POST", "/metrics").status, 405U);
  EXPECT_EQ(ask("get", "/metrics").status, 405U) << "methods are of one case";
  const Reply unknown = ask("GET", "/api/v1/clients?limt=3");
  EXPECT_EQ(unknown.status, 400U);
  EXPECT_EQ(Json::parse(unknown.body)["error"]["message"], "unknown parameter \"limt\"; known here: limit, after");
  for (const char* bad : {"0", "1001", "-1", "x", "", "1e2", "99999999999999999999"}) {
    const Reply reply = ask("GET", std::string("/api/v1/clients?limit=") + bad);
    EXPECT_EQ(reply.status, 400U) << bad;
    EXPECT_NE(reply.body.find("limit: expected"), std::string::npos);
  }
  EXPECT_EQ(ask("GET", "/api/v1/slots?after=x").status, 400U);
  EXPECT_EQ(ask("GET", "/%zz").status, 400U);
}

TEST_F(AdministrationTest, tells_of_the_node) {
  const Json node = get("/api/v1/node");
  EXPECT_EQ(node["node"], 1);
  EXPECT_EQ(node["cluster"], "lab \"x\"");
  EXPECT_EQ(node["version"], "1.2.3");
  EXPECT_EQ(node["readiness"], "ready");
  EXPECT_EQ(get("/api/v1/nodes")["items"].size(), 1U);
  EXPECT_EQ(get("/health/live")["status"], "live");
  EXPECT_EQ(get("/health/ready")["status"], "ready");
  EXPECT_TRUE(get("/api/v1/safe-to-stop").contains("safe"));
}

TEST_F(AdministrationTest, pages_of_slots) {
  std::set<int> seen;
  std::string after;
  int pages = 0;
  do {
    const Json page = get("/api/v1/slots?limit=10" + (after.empty() ? "" : "&after=" + after));
    for (const Json& slot : page["items"]) EXPECT_TRUE(seen.insert(slot["slot"].get<int>()).second);
    after = page.value("next", "");
    ++pages;
  } while (!after.empty() && pages < 100);
  EXPECT_EQ(seen.size(), node::Config{}.slots);
  EXPECT_EQ(pages, 7);
}

TEST_F(AdministrationTest, pages_of_clients_and_sessions_hold_each_once) {
  std::set<std::string> ids;
  for (int i = 0; i < 45; ++i) ids.insert("c/" + std::to_string(i) + " ?&%\"<\xc3\xa4");
  for (const auto& id : ids) connect(id);
  for (const std::string list : {"clients", "sessions"}) {
    for (const std::string limit : {"1", "7", "16", "45", "1000"}) {
      std::set<std::string> seen;
      std::string after;
      do {
        const Json page = get("/api/v1/" + list + "?limit=" + limit + "&after=" + after);
        EXPECT_LE(page["items"].size(), std::stoul(limit));
        for (const Json& item : page["items"]) EXPECT_TRUE(seen.insert(item["client"].get<std::string>()).second) << list << limit;
        after = page.value("next", "");
      } while (!after.empty() && seen.size() <= ids.size());
      EXPECT_EQ(seen, ids) << list << " by " << limit;
    }
  }
}

TEST_F(AdministrationTest, a_page_is_bounded_however_long_topics_are) {
  auto& client = connect("p");
  for (mqtt::PacketId id = 1; id <= 60; ++id) {
    auto publish = bench::Client::publish_packet(std::string(60'000, '"') + std::to_string(id), "x", 1, id);  // two bytes each in JSON
    publish.retain = true;
    client.send(publish);
  }
  EXPECT_LT(ask("GET", "/api/v1/retained?limit=1000").body.size(), std::size_t{4} << 20U);
  std::set<std::string> seen;
  std::string after;
  int pages = 0;
  do {
    const Json page = get("/api/v1/retained?limit=1000&after=" + after);
    for (const Json& item : page["items"]) EXPECT_TRUE(seen.insert(item["topic"].get<std::string>()).second);
    after = page.value("next", "");
  } while (!after.empty() && ++pages < 100);
  EXPECT_EQ(seen.size(), 60U);
  EXPECT_GT(pages, 1);
}

TEST_F(AdministrationTest, shows_and_disconnects_a_client) {
  auto& client = connect("dev/<1>");
  EXPECT_EQ(client.subscribe("a/+/b", 1), 1);
  EXPECT_EQ(get("/api/v1/clients/dev%2F%3C1%3E")["client"], "dev/<1>");
  const Json session = get("/api/v1/sessions/dev%2F%3C1%3E");
  EXPECT_EQ(session["connected"], true);
  EXPECT_EQ(session["subscriptions"], 1);
  EXPECT_EQ(get("/api/v1/sessions/dev%2F%3C1%3E/subscriptions")["items"][0]["filter"], "a/+/b");
  EXPECT_EQ(ask("DELETE", "/api/v1/clients/dev%2F%3C1%3E").status, 200U);
  EXPECT_TRUE(client.closed());
  EXPECT_EQ(ask("DELETE", "/api/v1/clients/dev%2F%3C1%3E").status, 404U);
  EXPECT_EQ(ask("GET", "/api/v1/clients/dev%2F%3C1%3E").status, 404U);
  EXPECT_EQ(get("/api/v1/sessions/dev%2F%3C1%3E")["connected"], false);
  EXPECT_EQ(log_, std::vector<std::string>{"dev/<1>: disconnected by an operator"});
}

TEST_F(AdministrationTest, ends_a_session) {
  auto& client = connect("gone");
  EXPECT_EQ(ask("DELETE", "/api/v1/sessions/gone").status, 200U);
  EXPECT_TRUE(client.closed());
  EXPECT_EQ(ask("GET", "/api/v1/sessions/gone").status, 404U);
  EXPECT_EQ(ask("DELETE", "/api/v1/sessions/gone").status, 404U);
  EXPECT_EQ(log_.back(), "gone: session ended by an operator");
}

TEST_F(AdministrationTest, retained_messages) {
  auto& client = connect("p");
  auto publish = bench::Client::publish_packet("lamp/1", "on", 1, 7);
  publish.retain = true;
  client.send(publish);
  const Json page = get("/api/v1/retained");
  ASSERT_EQ(page["items"].size(), 1U);
  EXPECT_EQ(page["items"][0]["topic"], "lamp/1");
}

TEST_F(AdministrationTest, the_log_level) {
  EXPECT_EQ(get("/api/v1/log-level")["level"], "info");
  EXPECT_EQ(ask("PUT", "/api/v1/log-level", R"({"level": "debug"})").status, 200U);
  EXPECT_EQ(level_, "debug");
  for (const char* bad : {"", "debug", "{}", R"({"level": "loud"})", R"({"level": 1})", R"({"level": "info", "x": 1})", "[[[["}) {
    EXPECT_EQ(ask("PUT", "/api/v1/log-level", bad).status, 400U) << bad;
  }
  EXPECT_EQ(level_, "debug");
}

TEST_F(AdministrationTest, metrics_are_well_formed_and_count) {
  auto& subscriber = connect("s");
  EXPECT_EQ(subscriber.subscribe("t/#", 1), 1);
  auto& publisher = connect("p");
  for (mqtt::PacketId id = 1; id <= 3; ++id) publisher.send(bench::Client::publish_packet("t/1", "x", 1, id));
  const Reply reply = ask("GET", "/metrics");
  EXPECT_EQ(reply.type, "text/plain; version=0.0.4; charset=utf-8");
  const ExpositionReader read(reply.body);
  EXPECT_EQ(read.complaint, "");
  EXPECT_EQ(read.value("holdfast_connections"), 2);
  EXPECT_EQ(read.value("holdfast_sessions"), 2);
  EXPECT_EQ(read.value("holdfast_subscriptions"), 1);
  EXPECT_EQ(read.value("holdfast_publishes_total", {{"direction", "in"}, {"qos", "1"}}), 3);
  EXPECT_EQ(read.value("holdfast_acknowledgements_total"), 3);
  EXPECT_EQ(read.value("holdfast_acknowledgement_seconds_count"), 3);
  EXPECT_GE(read.value("holdfast_stable_copies_total", {{"copies", "1"}}), 3);
  EXPECT_EQ(read.value("holdfast_stable_copies_total", {{"copies", "2"}}), 0);
  EXPECT_EQ(read.value("holdfast_messages_dropped_total", {{"reason", "queue_full"}}), 0);
  EXPECT_EQ(read.value("holdfast_ready"), 1);
  EXPECT_EQ(read.value("holdfast_certificate_expiry_timestamp_seconds", {{"name", "listener tls"}}), 2e9);
  EXPECT_EQ(read.value("holdfast_build_info", {{"version", "1.2.3"}, {"cluster", "lab \\\"x\\\""}, {"node", "1"}}), 1);
}

TEST_F(AdministrationTest, traces_a_client) {
  auto& client = connect("t");
  std::vector<std::string> lines;
  EXPECT_EQ(ask("GET", "/api/v1/trace").status, 400U);
  EXPECT_EQ(ask("GET", "/api/v1/trace?client=t").trace, "t");
  ASSERT_FALSE(administration_.begin_trace("t", [&](auto direction, std::string_view text) {
    lines.push_back((direction == node::Inspection::Direction::in ? "< " : "> ") + std::string(text));
  }));
  EXPECT_EQ(administration_.begin_trace("t", [](auto, auto) {})->status, 409U) << "one a client";
  EXPECT_EQ(client.subscribe("x", 0), 0);
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0].substr(0, 2), "< ");
  EXPECT_EQ(lines[1].substr(0, 2), "> ");
  administration_.end_trace("t");
  EXPECT_EQ(client.subscribe("y", 0, 2), 0);
  EXPECT_EQ(lines.size(), 2U);
  for (std::size_t i = 0; i < node::Inspection::traces_max; ++i) EXPECT_FALSE(administration_.begin_trace(std::to_string(i), [](auto, auto) {}));
  EXPECT_EQ(administration_.begin_trace("one more", [](auto, auto) {})->status, 503U);
}

TEST_F(AdministrationTest, the_page_carries_its_policy) {
  const Reply reply = ask("GET", "/");
  EXPECT_EQ(reply.type, "text/html; charset=utf-8");
  EXPECT_EQ(reply.body, status_page());
  EXPECT_NE(page_policy().find("script-src 'sha256-"), std::string::npos);
  EXPECT_EQ(status_page().find("innerHTML"), std::string_view::npos) << "values are put in as text";
  EXPECT_EQ(status_page().find(" style="), std::string_view::npos) << "the policy would not allow it";
}

TEST_F(AdministrationTest, a_node_that_leaves_is_not_ready) {
  bench_.stop();
  const Reply reply = ask("GET", "/health/ready");
  EXPECT_EQ(reply.status, 503U);
  EXPECT_EQ(Json::parse(reply.body)["status"], "draining");
  EXPECT_EQ(ask("GET", "/health/live").status, 200U);
}

TEST_F(AdministrationTest, who_guesses_at_the_token_is_counted_and_logged_once_a_minute) {
  administration_.set_rights({"0123456789abcdef"});
  unsigned status = 0;
  const auto guess = [&](const std::string& authorization) {
    administration_.handle({"GET", "/api/v1/node", "127.0.0.1", authorization, "", "10.0.0.9:1"}, [&](const Reply& reply) { status = reply.status; });
    EXPECT_EQ(status, authorization == "Bearer 0123456789abcdef" ? 200U : 401U);
  };
  for (const char* word : {"", "Bearer x", "Bearer y", "Basic abc", "Bearer 0123456789abcdef"}) guess(word);
  EXPECT_EQ(log_, std::vector<std::string>{": administration: 10.0.0.9:1 refused: wrong token"});
  administration_.set_rights({"", true, true});
  EXPECT_NE(ask("GET", "/metrics").body.find("holdfast_administration_refused_total{reason=\"rights\"} 3\n"), std::string::npos);
}

}  // namespace
}  // namespace hf::admin
