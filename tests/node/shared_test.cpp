// Shared subscriptions as their members see them: one node, bytes in, bytes out.
#include <gtest/gtest.h>

#include <vector>

#include "tests/node/bench_node.hpp"

namespace hf {
namespace {

using bench::Client;
using mqtt::Reason;

struct Group : testing::Test {
  bench::Node node;
  Client first{node}, second{node}, writer{node};

  void SetUp() override {
    ASSERT_TRUE(first.connect("first"));
    ASSERT_TRUE(second.connect("second"));
    ASSERT_TRUE(writer.connect("writer"));
  }
  /// What both have got, of QoS 1 and 2 without answering it.
  std::vector<mqtt::Publish> all(Client& client) {
    std::vector<mqtt::Publish> got;
    node.advance(1s);
    while (auto packet = client.next())
      if (const auto* publish = std::get_if<mqtt::Publish>(&*packet)) got.push_back(*publish);
    return got;
  }
  void publish(std::uint8_t qos, mqtt::PacketId id) { writer.send(Client::publish_packet("t", std::to_string(id), qos, id)); }
};

TEST_F(Group, gives_each_member_the_qos_it_was_granted) {  // [MQTT-4.8.2-3]
  EXPECT_EQ(first.subscribe("$share/g/t", 0), 0);
  EXPECT_EQ(second.subscribe("$share/g/t", 1), 1);
  for (mqtt::PacketId id = 1; id <= 10; ++id) publish(2, id);
  const auto at_first = all(first), at_second = all(second);
  EXPECT_EQ(at_first.size() + at_second.size(), 10U);
  EXPECT_FALSE(at_first.empty());
  EXPECT_FALSE(at_second.empty());
  for (const auto& one : at_first) EXPECT_EQ(one.qos, 0);
  for (const auto& one : at_second) EXPECT_EQ(one.qos, 1);
}

TEST_F(Group, does_not_send_what_a_member_refused_to_another) {  // [MQTT-4.8.2-6]
  for (const std::uint8_t qos : {std::uint8_t{1}, std::uint8_t{2}}) {
    EXPECT_EQ(first.subscribe("$share/g/t", qos), qos);
    publish(qos, static_cast<mqtt::PacketId>(100 + qos));
    const auto got = all(first);
    ASSERT_EQ(got.size(), 1U);
    EXPECT_EQ(second.subscribe("$share/g/t", qos), qos);
    const mqtt::Acknowledgement no{.packet_id = got[0].packet_id, .reason = Reason::quota_exceeded, .properties = {}};
    if (qos == 1)
      first.send(mqtt::Puback{no});
    else
      first.send(mqtt::Pubrec{no});
    EXPECT_TRUE(all(second).empty()) << "at QoS " << int{qos};
    node.advance(60s);
    EXPECT_TRUE(all(second).empty()) << "at QoS " << int{qos};
    EXPECT_TRUE(all(first).empty());
    mqtt::Unsubscribe leave;
    leave.packet_id = 7;
    leave.filters.push_back("$share/g/t");
    second.send(leave);
    (void)all(second);
  }
}

}  // namespace
}  // namespace hf
