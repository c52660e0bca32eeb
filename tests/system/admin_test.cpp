// The administration of real nodes: HTTP, holdfast-ctl, and the status page in a browser.
#include <csignal>
#include <cstdio>
#include <fstream>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "broker/ctl/client.hpp"
#include "tests/admin/exposition_reader.hpp"
#include "tests/system/paho_client.hpp"
#include "tests/system/processes.hpp"
#include "tests/system/wire_client.hpp"

namespace hf::system_tests {
namespace {

using Json = nlohmann::json;

std::string url_of(const Cluster& cluster, int node) { return "http://127.0.0.1:" + std::to_string(cluster.admin_port(node)); }

ctl::Answer ask(const Cluster& cluster, int node, const std::string& method, const std::string& target, const std::string& token = "",
                const std::string& body = "") {
  const ctl::Client client(*ctl::parse_url(url_of(cluster, node)), token);
  const auto answer = client.ask(method, target, body);
  return answer ? *answer : ctl::Answer{0, answer.error().text};
}

Json get(const Cluster& cluster, int node, const std::string& target) {
  const auto answer = ask(cluster, node, "GET", target);
  EXPECT_EQ(answer.status, 200U) << target << ": " << answer.body;
  return Json::parse(answer.body, nullptr, false);
}

struct Said {
  std::string text;
  int status = 0;
};
Said ctl_of(const Cluster& cluster, int node, std::vector<std::string> words) {
  words.insert(words.begin(), {HF_BINARY_DIR "/broker/ctl/holdfast-ctl", "--url", url_of(cluster, node)});
  Said said;
  said.text = run_tool(words, said.status);
  return said;
}

/// A connection that begins a request and says no more.
class Loris {
 public:
  explicit Loris(std::uint16_t port, const std::string& beginning = "GET /") : handle_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(handle_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    static_cast<void>(::send(handle_, beginning.data(), beginning.size(), MSG_NOSIGNAL));
  }
  Loris(Loris&& other) noexcept : handle_(std::exchange(other.handle_, -1)) {}
  Loris& operator=(Loris&&) = delete;
  ~Loris() { ::close(handle_); }

 private:
  int handle_;
};

bool ready(const Cluster& cluster, int node) { return ask(cluster, node, "GET", "/health/ready").status == 200; }

TEST(Admin, one_node) {
  Cluster cluster(1);
  cluster.start_all();
  ASSERT_TRUE(eventually([&] { return ready(cluster, 0); }));
  PahoClient client("dev-1", false);
  client.connect(cluster.port(0));
  client.subscribe("a/#", 1);
  client.publish("a/1", "x", 1);
  EXPECT_EQ(get(cluster, 0, "/api/v1/clients/dev-1")["protocol"], "3.1.1");
  const auto metrics = ask(cluster, 0, "GET", "/metrics");
  const admin::ExpositionReader read(metrics.body);
  EXPECT_EQ(read.complaint, "");
  EXPECT_EQ(read.value("holdfast_connections"), 1);
  EXPECT_EQ(read.value("holdfast_acknowledgements_total"), 1);
  EXPECT_GT(read.value("process_resident_memory_bytes"), 1e6);
  EXPECT_GE(read.value("holdfast_storage_commit_seconds_count"), 1);

  EXPECT_NE(ctl_of(cluster, 0, {"status"}).text.find("readiness        ready\n"), std::string::npos) << ctl_of(cluster, 0, {"status"}).text;
  EXPECT_EQ(ctl_of(cluster, 0, {"client", "show", "dev-1"}).status, 0);
  EXPECT_NE(ctl_of(cluster, 0, {"session", "show", "dev-1"}).text.find("a/#"), std::string::npos);
  EXPECT_EQ(Json::parse(ctl_of(cluster, 0, {"clients", "--json"}).text)["items"].size(), 1U);
  EXPECT_EQ(ctl_of(cluster, 0, {"log-level", "warn"}).text, "warn\n");
  EXPECT_EQ(ctl_of(cluster, 0, {"log-level"}).text, "warn\n");
  EXPECT_EQ(ctl_of(cluster, 0, {"log-level", "loud"}).status, 2);
  EXPECT_EQ(ctl_of(cluster, 0, {}).status, 2);
  EXPECT_EQ(ctl_of(cluster, 0, {"disconnect", "nobody"}).status, 1);
  EXPECT_EQ(ctl_of(cluster, 0, {"disconnect", "dev-1"}).status, 0);
  ASSERT_TRUE(eventually([&] { return get(cluster, 0, "/api/v1/clients")["items"].empty(); }));
  EXPECT_EQ(ctl_of(cluster, 0, {"session", "delete", "dev-1"}).status, 0);
  EXPECT_EQ(ctl_of(cluster, 0, {"session", "show", "dev-1"}).status, 1);
  for (const char* lost : {">/dev/full", ">&-"}) {
    const std::string words = HF_BINARY_DIR "/broker/ctl/holdfast-ctl --url " + url_of(cluster, 0) + " status ";
    Said said;
    said.text = run_tool({"sh", "-c", "(" + words + lost + ") 2>&1"}, said.status);
    EXPECT_EQ(said.status, 4) << lost;
    EXPECT_EQ(said.text, "holdfast-ctl: standard output cannot be written to\n") << lost;
  }
  EXPECT_EQ(cluster.stop(0), 0);
  const Said gone = ctl_of(cluster, 0, {"status"});
  EXPECT_EQ(gone.status, 3);
  EXPECT_NE(gone.text.find("Connection refused"), std::string::npos) << gone.text;
}

TEST(Admin, a_token) {
  const std::string token = "a-token-of-this-test";
  Cluster cluster(1, {"--set", "admin.token=" + token});
  cluster.start_all();
  ASSERT_TRUE(eventually([&] { return ready(cluster, 0); }));
  EXPECT_EQ(ask(cluster, 0, "GET", "/api/v1/node").status, 401U);
  EXPECT_EQ(ask(cluster, 0, "GET", "/metrics", "a-token-of-this-tesT").status, 401U);
  EXPECT_EQ(ask(cluster, 0, "GET", "/metrics", token).status, 200U);
  EXPECT_EQ(ctl_of(cluster, 0, {"status"}).status, 3);
  EXPECT_EQ(ctl_of(cluster, 0, {"status", "--token", token}).status, 0);
  EXPECT_EQ(cluster.log(0).find(token), std::string::npos);
}

TEST(Admin, slow_ones_do_not_keep_a_probe_out) {
  Cluster cluster(1);
  cluster.start_all();
  ASSERT_TRUE(eventually([&] { return ready(cluster, 0); }));
  std::vector<Loris> lorises;
  for (int i = 0; i < 100; ++i) lorises.emplace_back(cluster.admin_port(0));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(ask(cluster, 0, "GET", "/health/live").status, 200U);
  EXPECT_TRUE(eventually([&] { return cluster.log(0).find("refused: admin.max_connections is 64") != std::string::npos; }));
}

TEST(Admin, connections_beyond_the_limit_are_told_and_counted) {
  Cluster cluster(1, {"--set", "listen.max_connections=2", "--set", "mqtt.max_pending=3"});
  cluster.start_all();
  ASSERT_TRUE(eventually([&] { return ready(cluster, 0); }));
  const auto value = [&](const char* name, const std::map<std::string, std::string>& labels) {
    const admin::ExpositionReader read(ask(cluster, 0, "GET", "/metrics").body);
    return read.complaint.empty() ? read.value(name, labels) : -1;
  };
  ASSERT_TRUE(serves(cluster.port(0)));
  {
    WireClient one(cluster.port(0)), two(cluster.port(0)), three(cluster.port(0));
    EXPECT_EQ(one.connect("one"), mqtt::Reason::success);
    EXPECT_EQ(two.connect("two"), mqtt::Reason::success);
    EXPECT_EQ(three.connect("three"), mqtt::Reason::quota_exceeded);
    EXPECT_EQ(value("holdfast_connects_refused_total", {}), 1);
  }
  std::vector<Loris> clients;
  for (int i = 0; i < 8; ++i) clients.emplace_back(cluster.port(0), "\x10");
  EXPECT_TRUE(eventually([&] { return value("holdfast_connects_refused_total", {}) == 6; })) << "three may wait to say CONNECT";
}

TEST(Admin, a_token_changes_at_a_reload) {
  const std::string file = testing::TempDir() + "hf-admin-token-" + std::to_string(::getpid());
  std::ofstream(file) << "the-first-token-of-all\n";
  Cluster cluster(1, {"--set", "admin.token_file=" + file, "--set", "admin.open_metrics=true", "--set", "admin.open_health=false"});
  cluster.start_all();
  const auto status = [&](const std::string& token) { return ask(cluster, 0, "GET", "/api/v1/node", token).status; };
  ASSERT_TRUE(eventually([&] { return status("the-first-token-of-all") == 200; }));
  EXPECT_EQ(ask(cluster, 0, "GET", "/metrics").status, 200U);
  EXPECT_EQ(ask(cluster, 0, "GET", "/health/live").status, 401U);
  std::ofstream(file) << "the-second-token-of-all\n";
  ::kill(cluster.pid(0), SIGHUP);
  EXPECT_TRUE(eventually([&] { return status("the-second-token-of-all") == 200; }));
  EXPECT_EQ(status("the-first-token-of-all"), 401U);
  std::ofstream(file) << "short\n";
  ::kill(cluster.pid(0), SIGHUP);
  EXPECT_TRUE(eventually([&] { return cluster.log(0).find("the first line has 5 characters") != std::string::npos; }));
  EXPECT_EQ(status("the-second-token-of-all"), 200U) << "a refused reload changes nothing";
  std::remove(file.c_str());
}

TEST(Admin, three_nodes) {
  Cluster cluster(3);
  cluster.start_all();
  for (int node = 0; node < 3; ++node) ASSERT_TRUE(eventually([&] { return ready(cluster, node); })) << node;
  EXPECT_EQ(ctl_of(cluster, 0, {"safe-to-stop"}).status, 0) << "nothing is stored yet";
  ASSERT_TRUE(cluster.wait_joined());
  PahoClient client("here-and-there", false);
  client.connect(cluster.port(1));
  client.subscribe("x", 1);
  ASSERT_TRUE(eventually([&] { return ask(cluster, 0, "GET", "/api/v1/sessions/here-and-there").status == 200; }));
  const Json session = get(cluster, 0, "/api/v1/sessions/here-and-there");
  EXPECT_EQ(session["replicas"].size(), 3U);
  EXPECT_EQ(session["front"], 2);
  EXPECT_EQ(ask(cluster, 0, "GET", "/api/v1/clients/here-and-there").status, 404U) << "its connection is at another node";
  double served = 0;
  for (int node = 0; node < 3; ++node) {
    served += admin::ExpositionReader(ask(cluster, node, "GET", "/metrics").body).value("holdfast_slots", {{"state", "served"}});
  }
  EXPECT_EQ(served, 64);
  const int coordinator = session["coordinator"].get<int>() - 1, other = (coordinator + 1) % 3;
  EXPECT_EQ(ctl_of(cluster, other, {"session", "delete", "here-and-there"}).status, 1) << "its slot is served elsewhere";

  for (int node = 0; node < 3; ++node)
    EXPECT_TRUE(eventually([&] { return ctl_of(cluster, node, {"safe-to-stop"}).status == 0; })) << node << ": the others have it all";

  cluster.kill(2);
  ASSERT_TRUE(eventually([&] { return get(cluster, 0, "/api/v1/nodes")["items"][2]["reachable"] == false; }));
  EXPECT_TRUE(ready(cluster, 0)) << "another node that is down is no reason";
  EXPECT_TRUE(ready(cluster, 1));
  EXPECT_EQ(ctl_of(cluster, 0, {"safe-to-stop"}).status, 1) << "with two of three nodes, W of 2 needs both";
  EXPECT_NE(ctl_of(cluster, 0, {"nodes"}).text.find("out of reach"), std::string::npos);
}

TEST(Admin, traces_until_the_reader_goes) {
  Cluster cluster(1);
  cluster.start_all();
  ASSERT_TRUE(eventually([&] { return ready(cluster, 0); }));
  PahoClient client("traced", false);
  client.connect(cluster.port(0));
  const std::string file = cluster.data(0) + ".trace";
  Process tracer;
  tracer.start({HF_BINARY_DIR "/broker/ctl/holdfast-ctl", "--url", url_of(cluster, 0), "trace", "--client", "traced"}, file);
  ASSERT_TRUE(eventually([&] {
    client.publish("a", "x", 1);
    return slurp(file).find("PUBLISH") != std::string::npos;
  }));
  ASSERT_TRUE(eventually([&] { return slurp(file).find("PUBACK") != std::string::npos; })) << slurp(file);
  tracer.signal(SIGTERM);
  tracer.wait(Seconds(5));
  ASSERT_TRUE(eventually([&] {  // one trace a client: the next one is let in when the first is over
    Process next;
    next.start({HF_BINARY_DIR "/broker/ctl/holdfast-ctl", "--url", url_of(cluster, 0), "trace", "--client", "traced"}, file + "2");
    return next.wait(Seconds(1)) == -1;
  }));
}

#ifdef HF_CHROMIUM
TEST(Admin, the_page_shows_a_cluster) {
  Cluster cluster(3);
  cluster.start_all();
  ASSERT_TRUE(cluster.wait_joined());
  for (int node = 0; node < 3; ++node) ASSERT_TRUE(eventually([&] { return ready(cluster, node); })) << node;
  PahoClient client("<script>document.title='broken'</script><img src=x>", true);
  client.connect(cluster.port(0));
  cluster.kill(2);
  ASSERT_TRUE(eventually([&] {
    const Json nodes = get(cluster, 0, "/api/v1/nodes")["items"];
    return nodes[2]["reachable"] == false && nodes[1]["links"] == Json::array();
  })) << get(cluster, 0, "/api/v1/nodes");
  int status = 0;
  const std::string page = run_tool({HF_CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=7000",
                                     "--user-data-dir=" + cluster.data(0) + ".browser", "--dump-dom", url_of(cluster, 0) + "/"},
                                    status, Seconds(60));
  EXPECT_EQ(status, 0);
  EXPECT_NE(page.find("&lt;script&gt;document.title='broken'&lt;/script&gt;&lt;img src=x&gt;"), std::string::npos) << page;
  EXPECT_EQ(page.find("<img"), std::string::npos);
  EXPECT_NE(page.find("<title>1: ready – Holdfast</title>"), std::string::npos);
  EXPECT_NE(page.find("Node 1 of holdfast"), std::string::npos);
  EXPECT_NE(page.find("<td class=\"bad\">out of reach</td>"), std::string::npos);
  EXPECT_NE(page.find("<tr><th class=\"from\">2</th><td class=\"good\">✓</td><td></td><td class=\"bad\">✗</td></tr>"), std::string::npos);
  EXPECT_NE(page.find("0 with all copies, 0 with a copy behind, 64 with a replica out of reach"), std::string::npos);
  EXPECT_EQ(page.find(">no answer<"), std::string::npos);
}
#endif

}  // namespace
}  // namespace hf::system_tests
