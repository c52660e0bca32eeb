// Storage that is corrupt or full: holdfastd says so and ends with status 3, and what it acknowledged is there afterwards.
#include <csignal>
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include <sys/resource.h>

#include <gtest/gtest.h>

#include "tests/system/paho_client.hpp"
#include "tests/system/processes.hpp"

namespace hf::system_tests {
namespace {

constexpr int exit_no_storage = 3;

std::string message(int number) { return std::to_string(number) + " " + std::string(1000, 'x'); }

/// A session that is away, with so many messages in its queue.
void fill_queue(Cluster& cluster, int count) {
  PahoClient subscriber("away", false);
  subscriber.connect(cluster.port(0));
  subscriber.subscribe("queue/t", 1);
  subscriber.disconnect();
  PahoClient publisher("publisher", true);
  publisher.connect(cluster.port(0));
  for (int i = 0; i < count; ++i) publisher.publish("queue/t", message(i), 1);
}

/// The largest file of this ending in the data directory.
std::filesystem::path largest(const std::string& folder, const std::string& ending) {
  std::filesystem::path best;
  std::uintmax_t size = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ending || entry.file_size() <= size) continue;
    best = entry.path();
    size = entry.file_size();
  }
  return best;
}

/// Bits flip in the middle of it.
void damage(const std::filesystem::path& path) {
  const auto middle = static_cast<std::streamoff>(std::filesystem::file_size(path) / 2);
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  char bytes[64] = {};
  file.seekg(middle);
  file.read(bytes, sizeof bytes);
  for (char& byte : bytes) byte = static_cast<char>(byte ^ 0x5A);
  file.seekp(middle);
  file.write(bytes, sizeof bytes);
}

TEST(Storage, of_another_node_or_with_other_slots_is_refused) {
  const auto refusal = [](std::vector<std::string> first, std::vector<std::string> then) {
    Cluster one(1, std::move(first));
    one.start_all();
    EXPECT_TRUE(one.wait_joined()) << one.log(0);
    EXPECT_EQ(one.stop(0), 0);
    Cluster other(1, std::move(then));
    std::filesystem::copy(one.data(0), other.data(0), std::filesystem::copy_options::recursive);
    other.start(0);
    EXPECT_EQ(other.wait(0, Seconds(20)), exit_no_storage) << other.log(0);
    return other.log(0);
  };
  EXPECT_NE(refusal({}, {"--set", "cluster.slots=128"})
                .find("the data folder belongs to node 1 of cluster \"holdfast\" with 64 slots; expected one of node 1 of cluster "
                      "\"holdfast\" with 128 slots"),
            std::string::npos);
  EXPECT_NE(refusal({"--set", "cluster.name=theirs"}, {}).find("of cluster \"theirs\""), std::string::npos);
}

TEST(Storage, a_damaged_log_is_refused_with_status_3) {
  Cluster cluster(1);
  cluster.start_all();
  ASSERT_TRUE(cluster.wait_joined()) << cluster.log(0);
  fill_queue(cluster, 200);
  cluster.kill(0);
  const auto log = largest(cluster.data(0), ".log");
  ASSERT_FALSE(log.empty());
  damage(log);
  cluster.start(0);
  EXPECT_EQ(cluster.wait(0, Seconds(20)), exit_no_storage) << cluster.log(0);
  EXPECT_NE(cluster.log(0).find("is corrupt"), std::string::npos) << cluster.log(0);
  EXPECT_NE(cluster.log(0).find(cluster.data(0)), std::string::npos) << "the place is not named: " << cluster.log(0);
}

TEST(Storage, a_damaged_table_is_refused_with_status_3) {
  Cluster cluster(1);
  cluster.start_all();
  ASSERT_TRUE(cluster.wait_joined()) << cluster.log(0);
  fill_queue(cluster, 200);
  ASSERT_EQ(cluster.stop(0), 0);
  for (int i = 0; i < 2; ++i) {  // what the log held goes to a table when it is opened again
    cluster.start(0);
    ASSERT_TRUE(cluster.wait_joined()) << cluster.log(0);
    ASSERT_EQ(cluster.stop(0), 0);
  }
  const auto table = largest(cluster.data(0), ".sst");
  ASSERT_FALSE(table.empty());
  damage(table);
  cluster.start(0);
  EXPECT_EQ(cluster.wait(0, Seconds(20)), exit_no_storage) << cluster.log(0);
  EXPECT_NE(cluster.log(0).find("corrupt"), std::string::npos) << cluster.log(0);
}

TEST(Storage, a_full_disk_ends_the_node_and_what_was_acknowledged_is_there) {
  // A limit on file sizes is the full disk: writes fail, for the signal is ignored (children inherit that).
  std::signal(SIGXFSZ, SIG_IGN);
  Cluster cluster(1);
  cluster.start_all();
  ASSERT_TRUE(cluster.wait_joined()) << cluster.log(0);
  fill_queue(cluster, 50);
  const rlimit small{512 * 1024, 512 * 1024};
  ASSERT_EQ(::prlimit(cluster.pid(0), RLIMIT_FSIZE, &small, nullptr), 0);
  int acknowledged = 50;
  try {
    PahoClient publisher("publisher", true);
    publisher.connect(cluster.port(0));
    for (; acknowledged < 5000; ++acknowledged) publisher.publish("queue/t", message(acknowledged), 1);
  } catch (const std::exception&) {  // this one was not acknowledged
  }
  EXPECT_LT(acknowledged, 5000);
  EXPECT_EQ(cluster.wait(0, Seconds(20)), exit_no_storage) << cluster.log(0);
  EXPECT_NE(cluster.log(0).find("nothing more can be promised"), std::string::npos) << cluster.log(0);
  cluster.start(0);
  ASSERT_TRUE(cluster.wait_joined()) << cluster.log(0);
  PahoClient subscriber("away", false);
  EXPECT_TRUE(subscriber.connect(cluster.port(0)));
  EXPECT_TRUE(eventually([&] { return subscriber.total() >= static_cast<std::size_t>(acknowledged); }));
  for (int i = 0; i < acknowledged; ++i) EXPECT_EQ(subscriber.count(message(i)), 1U) << i << " of " << acknowledged;
}

}  // namespace
}  // namespace hf::system_tests
