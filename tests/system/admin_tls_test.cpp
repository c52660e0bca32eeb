// The administration over TLS, of a real node: holdfast-ctl and openssl s_client at the door, reloads under an open connection.
#include <csignal>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "broker/ctl/client.hpp"
#include "tests/admin/exposition_reader.hpp"
#include "tests/support/authority.hpp"
#include "tests/system/paho_client.hpp"
#include "tests/system/processes.hpp"
#include "tests/system/transports_node.hpp"

namespace hf::system_tests {
namespace {

using test_support::Authority;
using test_support::Issued;

const std::string token = "a-token-of-this-test";

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

struct Said {
  std::string text;
  int status = 0;
};

class AdminTlsSystem : public testing::Test {
 protected:
  /// One node; `tls` beside certificate and key, `more` beside that in admin.
  void start(const std::string& tls, const std::string& more = "") {
    configure(tls, more);
    cluster_ = std::make_unique<Cluster>(1, std::vector<std::string>{"--config", file()});
    cluster_->start_all();
    ASSERT_TRUE(cluster_->wait_joined()) << cluster_->log(0);
    EXPECT_TRUE(has(cluster_->log(0), " port " + port() + " (TLS), data in")) << cluster_->log(0);
  }
  void configure(const std::string& tls, const std::string& more = "") {
    std::ofstream(file()) << R"({"admin": {"tls": {"certificate": ")" << node.certificate << R"(", "key": ")" << node.key << '"' << tls
                          << "}" << more << "}}";
  }
  /// SIGHUP, and until the log says `words`.
  bool reload(const std::string& words) {
    const std::size_t before = cluster_->log(0).size();
    cluster_->signal(0, SIGHUP);
    return eventually([&] { return has(cluster_->log(0).substr(before), words); });
  }
  [[nodiscard]] std::string file() const { return authority.directory() + "/admin.json"; }
  [[nodiscard]] std::string port() const { return std::to_string(cluster_->admin_port(0)); }
  [[nodiscard]] std::string judged(const std::string& wish) const {
    return R"(, "ca": ")" + authority.certificate() + R"(", "client_certificate": ")" + wish + '"';
  }
  [[nodiscard]] std::vector<std::string> ctl_command(std::vector<std::string> words, const std::string& host = "127.0.0.1") const {
    words.insert(words.begin(), {HF_BINARY_DIR "/broker/ctl/holdfast-ctl", "--url", "https://" + host + ":" + port()});
    return words;
  }
  [[nodiscard]] Said ctl(const std::vector<std::string>& words, const std::string& host = "127.0.0.1") const {
    Said said;
    said.text = run_tool(ctl_command(words, host), said.status);
    return said;
  }
  [[nodiscard]] Said ctl_as(const Issued& issued) const {
    return ctl({"--ca", authority.certificate(), "--cert", issued.certificate, "--key", issued.key, "status"});
  }
  /// What openssl s_client printed, some time after its handshake.
  [[nodiscard]] std::string s_client(const std::string& options) const {
    int status = 0;
    return run_tool({"sh", "-c", "sleep 0.5 | openssl s_client -connect 127.0.0.1:" + port() + " -CAfile " + authority.certificate() + " " +
                                     options + " 2>&1"},
                    status);
  }
  [[nodiscard]] ctl::Answer get(const std::string& target, const std::string& with = "", const Issued& ours = {}) const {
    const ctl::Client client({"127.0.0.1", port(), true}, with, {authority.certificate(), ours.certificate, ours.key});
    const auto answer = client.ask("GET", target);
    return answer ? *answer : ctl::Answer{0, answer.error().text};
  }

  Authority authority{"Holdfast test authority"};
  Issued node = authority.issue("node");
  Issued ann = authority.issue("ann");
  std::unique_ptr<Cluster> cluster_;
};

TEST_F(AdminTlsSystem, a_required_certificate_is_all_that_lets_in) {
  authority.revoked();
  start(judged("required") + R"(, "crl": ")" + authority.directory() + R"(/revoked.pem")", R"(, "bind": "0.0.0.0")");
  EXPECT_EQ(ctl_as(ann).status, 0) << ctl_as(ann).text;
  const Said none = ctl({"--ca", authority.certificate(), "status"});
  EXPECT_EQ(none.status, 3);
  EXPECT_TRUE(has(none.text, "alert certificate required")) << none.text;
  Authority other("Another authority");
  const Said stranger = ctl_as(other.issue("ann"));
  EXPECT_TRUE(stranger.status == 3 && has(stranger.text, "alert unknown ca")) << stranger.text;
  const Said late = ctl_as(authority.issue("late", Authority::Valid::not_any_more));
  EXPECT_TRUE(late.status == 3 && has(late.text, "alert certificate expired")) << late.text;

  const Issued gone = authority.issue("gone");
  EXPECT_EQ(ctl_as(gone).status, 0);
  authority.revoke(gone);
  authority.revoked();
  EXPECT_EQ(ctl_as(gone).status, 0) << "until the list is read again";
  ASSERT_TRUE(reload("reloaded")) << cluster_->log(0);
  const Said revoked = ctl_as(gone);
  EXPECT_TRUE(revoked.status == 3 && has(revoked.text, "alert certificate revoked")) << revoked.text;
  EXPECT_EQ(ctl_as(ann).status, 0);

  for (int i = 0; i < 5; ++i) EXPECT_EQ(ctl_as(gone).status, 3);
  const std::string log = cluster_->log(0);
  for (const char* why : {"peer did not return a certificate", "unable to get local issuer certificate", "certificate has expired",
                          "certificate revoked"}) {
    EXPECT_EQ(count(log, std::string(" refused: ") + why), 1U) << why << "\n" << log;
  }
  const admin::ExpositionReader metrics(get("/metrics", "", ann).body);
  EXPECT_GT(metrics.value("holdfast_certificate_expiry_timestamp_seconds", {{"name", "administration"}}), 1.7e9);
}

TEST_F(AdminTlsSystem, a_reload_that_opens_it_to_everybody_is_refused_as_long_as_everybody_reaches_it) {
  start(judged("required"), R"(, "bind": "0.0.0.0")");
  configure("");  // good for loopback, where the next start would listen
  ASSERT_TRUE(reload("reload refused, nothing changes: admin.token is \"\"; expected one as long as this process listens at 0.0.0.0"))
      << cluster_->log(0);
  EXPECT_EQ(get("/api/v1/node").status, 0U);
  EXPECT_EQ(ctl_as(ann).status, 0);
}

TEST_F(AdminTlsSystem, names_may_be_chosen_and_change_at_a_reload) {
  start(judged("required") + R"(, "allowed_names": ["ann"])");
  const Issued bob = authority.issue("bob");
  EXPECT_EQ(ctl_as(ann).status, 0);
  const Said no = ctl_as(bob);
  EXPECT_TRUE(no.status == 3 && has(no.text, "not among admin.tls.allowed_names")) << no.text;
  EXPECT_EQ(get("/health/live", "", bob).status, 200U);
  configure(judged("required") + R"(, "allowed_names": ["bob"])");
  ASSERT_TRUE(reload("now in force: admin.tls.allowed_names")) << cluster_->log(0);
  EXPECT_EQ(ctl_as(ann).status, 3);
  EXPECT_EQ(ctl_as(bob).status, 0);
}

TEST_F(AdminTlsSystem, where_it_is_optional_a_token_does_too) {
  start(judged("optional"), R"(, "token": ")" + token + '"');
  EXPECT_EQ(get("/api/v1/node").status, 401U);
  EXPECT_EQ(get("/health/live").status, 200U);
  EXPECT_EQ(get("/api/v1/node", token).status, 200U);
  EXPECT_EQ(get("/api/v1/node", "", ann).status, 200U);
  EXPECT_EQ(ctl({"--ca", authority.certificate(), "--token", token, "status"}).status, 0);
  EXPECT_EQ(ctl({"--ca", authority.certificate(), "status"}).status, 3);
  EXPECT_EQ(ctl_as(ann).status, 0);

  // To certificates only, and what makes no sense is no reload.
  configure(judged("required"), R"(, "token": ")" + token + '"');
  ASSERT_TRUE(reload("reload refused, nothing changes: admin.token is \"(hidden)\"; expected none")) << cluster_->log(0);
  EXPECT_EQ(get("/api/v1/node", token).status, 200U);
  configure(judged("required"));
  ASSERT_TRUE(reload("now in force: admin.token, admin.tls.client_certificate")) << cluster_->log(0);
  EXPECT_EQ(get("/api/v1/node", token).status, 0U);
  EXPECT_EQ(get("/api/v1/node", "", ann).status, 200U);
}

TEST_F(AdminTlsSystem, versions_1_2_and_1_3_and_no_other) {
  start("");
  EXPECT_TRUE(has(s_client("-alpn http/1.1"), "ALPN protocol: http/1.1"));
  EXPECT_TRUE(has(s_client(""), "TLSv1.3"));
  EXPECT_TRUE(has(s_client("-tls1_2"), "Protocol  : TLSv1.2"));
  const std::string old = s_client("-tls1_1 -cipher DEFAULT@SECLEVEL=0");
  EXPECT_TRUE(has(old, "alert protocol version")) << old;
  configure(R"(, "min_version": "1.3")");
  ASSERT_TRUE(reload("now in force: admin.tls.min_version")) << cluster_->log(0);
  EXPECT_TRUE(has(s_client("-tls1_2"), "alert protocol version"));
}

TEST_F(AdminTlsSystem, certificates_are_read_again_under_an_open_connection) {
  start(judged("required"));
  const std::string as_ann = "-cert " + ann.certificate + " -key " + ann.key;
  PahoClient client("traced", true);
  client.connect(cluster_->port(0));
  const std::string traced = cluster_->data(0) + ".trace";
  Process tracer;
  tracer.start(ctl_command({"--ca", authority.certificate(), "--cert", ann.certificate, "--key", ann.key, "trace", "--client", "traced"}),
               traced);
  ASSERT_TRUE(eventually([&] {
    client.publish("before", "x", 1);
    return has(slurp(traced), "before");
  })) << slurp(traced);
  ASSERT_TRUE(has(s_client(as_ann), "CN = node"));

  const auto replace = [](const std::string& from, const std::string& to) {
    std::filesystem::copy_file(from, to, std::filesystem::copy_options::overwrite_existing);
  };
  const Issued fresh = authority.issue("renewed");
  replace(fresh.certificate, node.certificate);
  replace(fresh.key, node.key);
  ASSERT_TRUE(reload("reloaded")) << cluster_->log(0);
  EXPECT_TRUE(has(s_client(as_ann), "CN = renewed"));
  client.publish("after", "x", 1);
  EXPECT_TRUE(eventually([&] { return has(slurp(traced), "after"); })) << "the open one stays";

  std::filesystem::resize_file(node.key, 10);
  ASSERT_TRUE(reload("reload refused, nothing changes: admin.tls: " + node.key + ": no use as the key")) << cluster_->log(0);
  EXPECT_TRUE(has(s_client(as_ann), "CN = renewed")) << "the old one stays in use";
  EXPECT_EQ(ctl_as(ann).status, 0);
}

TEST_F(AdminTlsSystem, tls_comes_and_goes_by_a_restart_only_and_what_is_said_for_it_waits) {
  start(judged("required"));
  std::ofstream(file()) << R"({"admin": {"tls": {}}})";
  ASSERT_TRUE(reload("in force after a restart only: admin.tls.")) << cluster_->log(0);
  EXPECT_EQ(ctl_as(ann).status, 0);
  EXPECT_EQ(get("/api/v1/node").status, 0U) << "nobody comes in without a certificate";
  EXPECT_EQ(cluster_->stop(0), 0);
  cluster_->start(0);
  EXPECT_TRUE(eventually([&] {
    const auto answer = ctl::Client({"127.0.0.1", port()}, "").ask("GET", "/health/ready");
    return answer && answer->status == 200;
  }));
}

TEST_F(AdminTlsSystem, a_file_that_is_no_use_is_told_at_the_start) {
  std::filesystem::resize_file(node.certificate, 10);
  configure("");
  Cluster cluster(1, {"--config", file()});
  cluster.start_all();
  EXPECT_EQ(cluster.wait(0, Seconds(10)), 2);
  EXPECT_TRUE(has(cluster.log(0), "admin.tls: " + node.certificate + ": no use as a certificate")) << cluster.log(0);
}

TEST_F(AdminTlsSystem, holdfast_ctl_believes_nobody_unseen) {
  start("");
  const Authority other("Another authority");
  EXPECT_EQ(ctl({"--ca", authority.certificate(), "status"}).status, 0);
  EXPECT_EQ(ctl({"--ca", authority.certificate(), "status"}, "localhost").status, 0);
  const Said unknown = ctl({"status"});
  EXPECT_EQ(unknown.status, 3);
  EXPECT_TRUE(has(unknown.text, "its certificate: unable to get local issuer certificate")) << unknown.text;
  const Said stranger = ctl({"--ca", other.certificate(), "status"});
  EXPECT_TRUE(stranger.status == 3 && has(stranger.text, "its certificate: ")) << stranger.text;
  const Said elsewhere = ctl({"--ca", authority.certificate(), "status"}, "127.1");
  EXPECT_TRUE(elsewhere.status == 3 && has(elsewhere.text, "its certificate: hostname mismatch")) << elsewhere.text;
  EXPECT_EQ(ctl({"--insecure", "status"}, "127.1").status, 0) << "asked for";
  EXPECT_EQ(ctl({"--insecure", "--ca", authority.certificate(), "status"}).status, 2);
  EXPECT_EQ(ctl({"--cert", ann.certificate, "status"}).status, 2);
  EXPECT_EQ(ctl({"--ca", node.key, "status"}).status, 2);
  Said plain;
  plain.text = run_tool({HF_BINARY_DIR "/broker/ctl/holdfast-ctl", "--url", "http://127.0.0.1:" + port(), "status"}, plain.status);
  EXPECT_EQ(plain.status, 3) << plain.text;
}

TEST_F(AdminTlsSystem, silence_at_the_door_is_over_in_time) {
  start("", R"(, "max_connections": 3)");
  std::vector<std::unique_ptr<RawClient>> silent;
  for (int i = 0; i < 3; ++i) {
    silent.push_back(std::make_unique<RawClient>(cluster_->admin_port(0)));
    silent.back()->say("\x16\x03\x01\x02");  // the beginning of a ClientHello
  }
  const auto in = [&] { return get("/health/live").status == 200; };
  EXPECT_TRUE(in()) << "they are as many as there may be: one gives way";
  const auto told = [&] { return count(cluster_->log(0), "refused: no TLS handshake in time") == 1; };
  EXPECT_TRUE(eventually(told, Seconds(20))) << "handshakes have 10 s; " << cluster_->log(0);
}

}  // namespace
}  // namespace hf::system_tests
