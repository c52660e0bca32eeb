// Ten thousand connections that open, say something or nothing, and vanish: the node is as it was.
#include <malloc.h>

#include <gtest/gtest.h>

#include "tests/node/bench_node.hpp"

namespace hf {
namespace {

constexpr int connections = 10'000;

std::string bytes_of(const mqtt::Packet& packet) {
  std::string out;
  mqtt::encode(packet, mqtt::Version::v5, out);
  return out;
}

/// What the one numbered `i` says before it vanishes: nothing, half a CONNECT, a CONNECT, and more.
std::string last_words(int i) {
  mqtt::Connect connect;
  connect.client_id = "vanishing-" + std::to_string(i);
  if (i % 7 == 0) connect.will = mqtt::Will{.topic = "will/t", .payload = Bytes("gone"), .qos = 1, .retain = false, .properties = {}};
  const std::string whole = bytes_of(connect);
  mqtt::Subscribe subscribe;
  subscribe.packet_id = 1;
  subscribe.subscriptions.push_back({.filter = "some/" + std::to_string(i), .qos = 2});
  mqtt::Publish publish;
  publish.topic = "some/" + std::to_string(i);
  publish.payload = Bytes("hello");
  publish.qos = 2;
  publish.packet_id = 1;
  switch (i % 6) {
    case 0: return "";
    case 1: return whole.substr(0, 9);
    case 2: return whole;
    case 3: return whole + bytes_of(subscribe);
    case 4: return whole + bytes_of(subscribe) + bytes_of(publish);
    default: return whole + std::string("\x30\x7f half of a publish", 18);
  }
}

void come_and_go(bench::Node& node) {
  for (int i = 0; i < connections; ++i) {
    const StreamId stream = node.open();
    node.feed(stream, last_words(i));
    node.vanish(stream, i % 2 == 0 ? env::CloseReason::reset : env::CloseReason::ended);
    node.forget(stream);
  }
  node.advance(60s);
}

std::uint64_t left_over(const node::Shard& shard) {
  std::uint64_t out = 0;
  for (const auto& slot : shard.report()) out += slot.log_tail + slot.tombstones + slot.hints;
  return out;
}

std::string rows(const node::Shard& shard) {
  std::string out;
  for (const auto& slot : shard.report()) out += slot.text;
  return out;
}

TEST(Vanishing, ten_thousand_connections_leave_nothing_behind) {
  bench::Node node;
  come_and_go(node);  // what is allocated once and kept is allocated now
  node.forget_lines();
  EXPECT_EQ(node.shard().counters().connections, 0U);
  EXPECT_EQ(left_over(node.shard()), 0U);
  const std::size_t before = rows(node.shard()).size();
  const std::size_t used = mallinfo2().uordblks;
  come_and_go(node);
  come_and_go(node);
  node.forget_lines();  // the log is not the node's
  EXPECT_EQ(node.shard().counters().connections, 0U);
  EXPECT_EQ(left_over(node.shard()), 0U);
  EXPECT_LT(rows(node.shard()).size(), before + 1000) << rows(node.shard()).substr(0, 2000);
  const std::size_t now = mallinfo2().uordblks;
  // Less than four bytes a connection; what varies is the fill of containers.
  EXPECT_LT(now, used + 2 * connections * 4) << used << " bytes before, " << now << " after";
}

}  // namespace
}  // namespace hf
