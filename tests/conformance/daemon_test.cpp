// Every case of cases/ and hostile/, against holdfastd over TCP: one node, and three with the case's connections spread.
#include <atomic>
#include <cstdlib>
#include <iostream>
#include <map>
#include <mutex>
#include <thread>

#include <gtest/gtest.h>

#include "tests/conformance/play.hpp"
#include "tests/conformance/socket_bench.hpp"
#include "tests/system/processes.hpp"

namespace hf::conformance {
namespace {

struct Play {
  Case one;
  int level = 5;
  std::string key;
};

/// Cases with the same settings share their nodes.
std::map<std::map<std::string, std::string>, std::vector<Play>> plays_of(const std::string& folder) {
  std::map<std::map<std::string, std::string>, std::vector<Play>> out;
  std::size_t number = 0;
  const char* only = std::getenv("HF_CASE");
  for (const Case& one : read_cases(folder)) {
    if (only != nullptr && one.name.find(only) == std::string::npos) continue;
    for (const int level : one.levels) out[one.config].push_back({one, level, "r" + std::to_string(++number)});
  }
  return out;
}

std::vector<std::string> options_of(const std::map<std::string, std::string>& config) {
  std::vector<std::string> out;
  for (const auto& [path, value] : config) out.insert(out.end(), {"--set", path + "=" + value});
  return out;
}

/// Several at a time: most of a case is waiting.
std::vector<std::string> play_at_once(const std::vector<Play>& plays, const std::vector<std::uint16_t>& ports) {
  std::vector<std::string> failures;
  std::mutex lock;
  std::atomic<std::size_t> next{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i)
    threads.emplace_back([&] {
      for (std::size_t at = next++; at < plays.size(); at = next++) {
        SocketBench bench(ports);
        const Play& one = plays[at];
        const std::string failure = play(one.one, one.level, one.key, bench);
        const std::lock_guard guard(lock);
        if (!failure.empty()) failures.push_back(failure);
      }
    });
  for (auto& thread : threads) thread.join();
  return failures;
}

/// Every node answers, and a message from each reaches all; without wildcards, which a case's settings may forbid.
bool joined(const std::vector<std::uint16_t>& ports) {
  Case probe;
  for (const char* who : {"a", "b", "c"}) {
    const std::string name(who);
    probe.steps.insert(probe.steps.end(), {name + "> CONNECT id=probe-{}" + name, name + "< CONNACK",
                                           name + "> SUBSCRIBE pid=1 filter=probe/{} qos=0", name + "< SUBACK pid=1 codes=0x00"});
  }
  probe.steps.push_back("patience 500ms");
  for (const char* who : {"a", "b", "c"}) {
    probe.steps.push_back(std::string(who) + "> PUBLISH topic=probe/{} payload=" + who);
    for (const char* other : {"a", "b", "c"}) probe.steps.push_back(std::string(other) + "~ PUBLISH topic=probe/{} payload=" + who);
  }
  int attempt = 0;
  return system_tests::eventually([&] {
    SocketBench bench(ports);
    return play(probe, 4, "p" + std::to_string(++attempt), bench).empty();
  }, system_tests::Seconds(30));
}

void play_all(const std::string& folder, int nodes) {
  std::size_t count = 0;
  std::size_t failed = 0;
  for (const auto& [config, plays] : plays_of(folder)) {
    system_tests::Cluster cluster(nodes, options_of(config));
    cluster.start_all();
    std::vector<std::uint16_t> ports;
    for (int node = 0; node < nodes; ++node) ports.push_back(cluster.port(node));
    ASSERT_TRUE(joined(ports)) << cluster.log(0);
    for (const std::string& failure : play_at_once(plays, ports)) {
      ADD_FAILURE() << failure << "\non " << nodes << " node(s)";
      ++failed;
    }
    count += plays.size();
    for (int node = 0; node < nodes; ++node) EXPECT_EQ(cluster.stop(node), 0) << cluster.log(node);
  }
  EXPECT_GT(count, 0U);
  std::cout << count << " plays on " << nodes << " node(s), " << failed << " failed\n";
}

constexpr const char* cases = HF_SOURCE_DIR "/tests/conformance/cases";
constexpr const char* hostile = HF_BINARY_DIR "/tests/conformance/hostile";  // hostile.py writes them

TEST(ConformanceOfHoldfastd, on_one_node) { play_all(cases, 1); }
TEST(ConformanceOfHoldfastd, across_three_nodes) { play_all(cases, 3); }
TEST(ConformanceOfHoldfastd, hostile_input_is_answered_or_closed) { play_all(hostile, 1); }

}  // namespace
}  // namespace hf::conformance
