// The log of real nodes, as JSON: what clients do stands in it, each line with its client, and few of a kind.
#include <csignal>
#include <filesystem>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/system/processes.hpp"
#include "tests/system/wire_client.hpp"

namespace hf::system_tests {
namespace {

using Json = nlohmann::json;
using mqtt::Reason;

const std::vector<std::string> options{"--log-format", "json", "--set", R"(access.users=[{"name": "ann", "password": "s3cret-of-ann"}])"};

/// Every complete line; one that is no JSON fails the test.
std::vector<Json> lines_of(const Cluster& cluster, int node) {
  std::vector<Json> all;
  std::istringstream log(cluster.log(node));
  for (std::string line; std::getline(log, line) && !log.eof();) {
    Json read = Json::parse(line, nullptr, false);
    if (!read.is_object()) {
      ADD_FAILURE() << line;
      continue;
    }
    for (const char* field : {"time", "level", "node", "message"}) EXPECT_TRUE(read.contains(field)) << line;
    EXPECT_EQ(read.value("node", 0), node + 1) << line;
    for (const auto& [name, value] : read.items())
      EXPECT_TRUE(name == "time" || name == "level" || name == "node" || name == "message" || name == "event" || name == "client" || name == "remote") << line;
    all.push_back(std::move(read));
  }
  return all;
}

std::vector<Json> lines_of(const Cluster& cluster, int node, const std::string& event, const std::string& client) {
  std::vector<Json> out;
  for (auto& line : lines_of(cluster, node))
    if (line.value("event", "") == event && line.value("client", "") == client) out.push_back(std::move(line));
  return out;
}

TEST(Log, of_a_node_whose_clients_are_mosquitto_pub) {
  Cluster cluster(1, options);
  cluster.start_all();
  ASSERT_TRUE(serves(cluster.port(0))) << cluster.log(0);
  const std::string odd = "dev \"1\" node=2 \\n \xc3\xa4", forger = "dev\n{\"level\":\"error\"}";
  int status = 0;
  const auto publish = [&](const std::string& id, const std::string& password) {
    return run_tool({"/usr/bin/mosquitto_pub", "-p", std::to_string(cluster.port(0)), "-i", id, "-u", "ann", "-P", password, "-t", "t", "-m", "s3cret-payload", "-q", "1"}, status);
  };
  publish(odd, "s3cret-of-ann");
  EXPECT_EQ(status, 0);
  EXPECT_EQ(WireClient(cluster.port(0)).connect(forger), Reason::success) << "mosquitto_pub would not send this";
  publish("intruder", "s3cret-guess");
  EXPECT_NE(status, 0);
  ASSERT_TRUE(eventually([&] { return lines_of(cluster, 0, "disconnected", odd).size() == 1; })) << cluster.log(0);
  const auto connected = lines_of(cluster, 0, "connected", odd);
  ASSERT_EQ(connected.size(), 1U);
  EXPECT_EQ(connected[0]["level"], "info");
  EXPECT_EQ(connected[0]["message"], "connected: MQTT 3.1.1, new session, clean start, keep alive 60 s, user 'ann'");
  EXPECT_EQ(connected[0]["remote"].get<std::string>().substr(0, 10), "127.0.0.1:");
  EXPECT_EQ(lines_of(cluster, 0, "disconnected", odd)[0]["message"], "disconnected by the client, after 0 s");
  EXPECT_EQ(lines_of(cluster, 0, "connected", forger).size(), 1U) << cluster.log(0);
  const auto refused = lines_of(cluster, 0, "refused", "intruder");
  ASSERT_EQ(refused.size(), 1U);
  EXPECT_EQ(refused[0]["level"], "warning");
  EXPECT_EQ(refused[0]["message"], "refused: bad user name or password (0x86), user 'ann'");
  EXPECT_EQ(cluster.stop(0), 0);
  EXPECT_EQ(cluster.log(0).find("s3cret"), std::string::npos) << cluster.log(0);
}

TEST(Log, is_not_filled_by_one_who_tries_passwords) {
  Cluster cluster(1, options);
  cluster.start_all();
  ASSERT_TRUE(serves(cluster.port(0))) << cluster.log(0);
  for (int i = 0; i < 60; ++i) EXPECT_EQ(WireClient(cluster.port(0)).connect("intruder", "ann", std::to_string(i)), Reason::bad_user_name_or_password);
  EXPECT_EQ(cluster.stop(0), 0);
  const std::size_t written = lines_of(cluster, 0, "refused", "intruder").size();
  EXPECT_GE(written, 1U);
  EXPECT_LE(written, 30U) << "ten in ten seconds";
  std::uint64_t told = 0;
  for (const auto& line : lines_of(cluster, 0, "suppressed", "")) {
    const auto text = line["message"].get<std::string>();
    if (text.ends_with(": refused")) told += std::stoull(text.substr(std::string("suppressed ").size()));
  }
  EXPECT_EQ(written + told, 60U) << "none is forgotten: " << cluster.log(0);
}

TEST(Log, tells_of_a_takeover_across_nodes) {
  Cluster cluster(3, options);
  cluster.start_all();
  ASSERT_TRUE(cluster.wait_joined()) << cluster.log(0);
  WireClient here(cluster.port(0)), there(cluster.port(1));
  ASSERT_EQ(here.connect("roaming"), Reason::success);
  ASSERT_EQ(there.connect("roaming"), Reason::success);
  ASSERT_TRUE(eventually([&] { return lines_of(cluster, 0, "disconnected", "roaming").size() == 1; })) << cluster.log(0);
  EXPECT_EQ(lines_of(cluster, 0, "disconnected", "roaming")[0]["message"].get<std::string>().substr(0, 41), "disconnected: session taken over (0x8E), ");
  // Of another node, whose lines come when its writer gets to them.
  EXPECT_TRUE(eventually([&] { return lines_of(cluster, 1, "connected", "roaming").size() == 1; })) << cluster.log(1);
  std::vector<Json> told;
  ASSERT_TRUE(eventually([&] {
    told.clear();
    for (int node = 0; node < 3; ++node)
      for (auto& line : lines_of(cluster, node, "taken_over", "roaming")) told.push_back(std::move(line));
    return told.size() == 1;
  }));
  EXPECT_EQ(told[0]["message"], "taken over: the connection at node 1 gives way to one at node 2");
}

TEST(Log, that_nobody_reads_holds_up_nothing) {
  const auto ports = free_ports(3);
  std::string pattern = testing::TempDir() + "hf-log-XXXXXX";
  const std::string directory = ::mkdtemp(pattern.data());
  const std::string pipe = directory + "/log";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const int reader = ::open(pipe.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC);
  const std::string filler(4096, '.');
  while (::write(reader, filler.data(), filler.size()) > 0) continue;
  Process node;
  node.start({HF_BINARY_DIR "/broker/app/holdfastd", "--bind", "127.0.0.1", "--peer-bind", "127.0.0.1", "--port", std::to_string(ports[0]),
              "--peer-port", std::to_string(ports[1]), "--admin-port", std::to_string(ports[2]), "--data-dir", directory + "/data",
              "--log-level", "debug"},
             pipe);
  EXPECT_TRUE(eventually([&] { return serves(ports[0]); })) << "it starts";
  for (int i = 0; i < 50; ++i) EXPECT_EQ(WireClient(ports[0]).connect("c" + std::to_string(i)), Reason::success) << i;
  node.signal(SIGTERM);
  EXPECT_EQ(node.wait(Seconds(5)), 0) << "and stops";
  ::close(reader);
  std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace hf::system_tests
