// TLS of holdfastd seen by openssl s_client; reload under live connections; peers over mutual TLS.
#include <filesystem>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "tests/system/paho_client.hpp"
#include "tests/system/transports_node.hpp"

namespace hf::system_tests {
namespace {

using test_support::Authority;
using test_support::Issued;

std::string with(const Issued& issued) { return "-cert " + issued.certificate + " -key " + issued.key; }

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

class TlsSystemTest : public testing::Test {
 protected:
  TransportsNode node_;
};

TEST_F(TlsSystemTest, versions_1_2_and_1_3_and_no_other) {
  const std::string newest = node_.s_client("secure", "-alpn mqtt");
  EXPECT_TRUE(has(newest, "TLSv1.3")) << newest;
  EXPECT_TRUE(has(newest, "Verify return code: 0 (ok)")) << newest;
  EXPECT_TRUE(has(newest, "ALPN protocol: mqtt")) << newest;
  const std::string older = node_.s_client("secure", "-tls1_2 -alpn x-unknown");
  EXPECT_TRUE(has(older, "Protocol  : TLSv1.2") && has(older, "ECDHE")) << older;
  EXPECT_TRUE(has(older, "No ALPN negotiated")) << older;
  const std::string old = node_.s_client("secure", "-tls1_1 -cipher DEFAULT@SECLEVEL=0");
  EXPECT_TRUE(has(old, "alert protocol version")) << old;
  const std::string weak = node_.s_client("secure", "-tls1_2 -cipher AES128-SHA");
  EXPECT_TRUE(has(weak, "alert handshake failure")) << weak;
}

TEST_F(TlsSystemTest, bad_client_certificates_are_told_what_is_wrong) {
  Authority other("Another authority");
  const Issued gone = node_.authority.issue("gone");
  for (const std::string version : {"-tls1_2 ", "-tls1_3 "}) {
    EXPECT_FALSE(has(node_.s_client("strict", version + with(node_.ann)), "alert"));
    const std::string none = node_.s_client("strict", version);
    EXPECT_TRUE(has(none, version == "-tls1_3 " ? "alert certificate required" : "alert handshake failure")) << none;
    const std::string stranger = node_.s_client("strict", version + with(other.issue("ann")));
    EXPECT_TRUE(has(stranger, "alert unknown ca")) << stranger;
    const std::string late = node_.s_client("strict", version + with(node_.authority.issue("late", Authority::Valid::not_any_more)));
    EXPECT_TRUE(has(late, "alert certificate expired")) << late;
  }
  EXPECT_FALSE(has(node_.s_client("strict", with(gone)), "alert"));
  node_.authority.revoke(gone);
  node_.authority.revoked();
  EXPECT_FALSE(has(node_.s_client("strict", with(gone)), "alert")) << "until the list is read again";
  ASSERT_TRUE(node_.reload("reloaded")) << node_.cluster().log(0);
  const std::string revoked = node_.s_client("strict", with(gone));
  EXPECT_TRUE(has(revoked, "alert certificate revoked")) << revoked;
  EXPECT_EQ(count(node_.cluster().log(0), " refused: "), 1U) << "one line a minute for an address";
}

TEST_F(TlsSystemTest, certificates_are_read_again_under_a_live_connection) {
  const PahoClient::Tls known{node_.authority.certificate(), node_.ann.certificate, node_.ann.key};
  PahoClient client("lasting", true);
  client.connect(node_.uri("ssl", "strict"), known);
  client.subscribe("t", 1);
  ASSERT_TRUE(has(node_.s_client("secure", ""), "CN = node"));

  const auto replace = [](const std::string& from, const std::string& to) {
    std::filesystem::copy_file(from, to, std::filesystem::copy_options::overwrite_existing);
  };
  const Issued fresh = node_.authority.issue("renewed");
  replace(fresh.certificate, node_.node.certificate);
  replace(fresh.key, node_.node.key);
  ASSERT_TRUE(node_.reload("reloaded")) << node_.cluster().log(0);
  EXPECT_TRUE(has(node_.s_client("secure", ""), "CN = renewed"));
  client.publish("t", "still here", 1);
  EXPECT_TRUE(eventually([&] { return client.count("still here") == 1; }));

  std::filesystem::resize_file(node_.node.key, 10);
  ASSERT_TRUE(node_.reload("reload refused, nothing changes: listener 'secure': " + node_.node.key + ": no use as the key"))
      << node_.cluster().log(0);
  EXPECT_TRUE(has(node_.s_client("secure", ""), "CN = renewed")) << "the old one stays in use";
  client.publish("t", "and still", 1);
  EXPECT_TRUE(eventually([&] { return client.count("and still") == 1; }));
  EXPECT_TRUE(client.connected());
}

TEST(PeerTls, three_nodes_talk_over_mutual_tls_and_an_outsider_is_refused_and_logged_once) {
  Authority authority("Cluster authority"), other("Another authority");
  const Issued node = authority.issue("node"), outsider = other.issue("node");
  Cluster cluster(3, {"--set", "cluster.tls.certificate=" + node.certificate, "--set", "cluster.tls.key=" + node.key, "--set",
                      "cluster.tls.ca=" + authority.certificate()});
  cluster.start_all();
  ASSERT_TRUE(cluster.wait_joined()) << cluster.log(0);
  PahoClient subscriber("subscriber", true), publisher("publisher", true);
  subscriber.connect(cluster.port(0));
  publisher.connect(cluster.port(2));
  subscriber.subscribe("over/tls", 2);
  for (int i = 0; i < 50; ++i) publisher.publish("over/tls", std::to_string(i), i % 3);
  EXPECT_TRUE(eventually([&] { return subscriber.total() >= 50; }));

  const std::string port = std::to_string(cluster.peer_port(0));
  for (int i = 0; i < 10; ++i) {
    int status = 0;
    const std::string said = run_tool({"sh", "-c", "sleep 0.2 | openssl s_client -connect 127.0.0.1:" + port + " " + with(outsider)}, status);
    EXPECT_TRUE(has(said, "alert unknown ca")) << said;
    const RawClient plain(cluster.peer_port(0));
    plain.say("\x01\x02\x03\x04 this is no TLS");
    EXPECT_TRUE(plain.ended(Seconds(10)));
  }
  EXPECT_EQ(count(cluster.log(0), "peer from 127.0.0.1"), 1U) << cluster.log(0);
  publisher.publish("over/tls", "after", 1);
  EXPECT_TRUE(eventually([&] { return subscriber.count("after") == 1; }));
}

TEST(PeerTls, a_node_of_another_cluster_is_refused_and_logged_once) {
  Cluster ours(2);
  ours.start(0);
  // The second member's place, taken by a node that belongs elsewhere.
  Process stranger;
  const std::string data = ours.data(1) + "-stranger";
  stranger.start({HF_BINARY_DIR "/broker/app/holdfastd", "--node-id", "2", "--cluster", "elsewhere", "--bind", "127.0.0.1", "--port",
                  std::to_string(ours.port(1)), "--peer-bind", "127.0.0.1", "--peer-port", std::to_string(ours.peer_port(1)),
                  "--data-dir", data, "--member", "id=1,address=127.0.0.1:" + std::to_string(ours.peer_port(0)), "--member",
                  "id=2,address=127.0.0.1:" + std::to_string(ours.peer_port(1))},
                 data + ".log");
  EXPECT_TRUE(eventually([&] { return has(ours.log(0) + slurp(data + ".log"), "belongs to another cluster"); })) << ours.log(0);
  std::this_thread::sleep_for(Seconds(3));
  EXPECT_LE(count(ours.log(0), "belongs to another cluster"), 1U);
  EXPECT_LE(count(slurp(data + ".log"), "belongs to another cluster"), 1U);
}

}  // namespace
}  // namespace hf::system_tests
