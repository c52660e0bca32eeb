// What the simulated client holds against a server's packets besides their place: properties, aliases, sizes, its window.
#include <gtest/gtest.h>

#include "sim/scenario/parse.hpp"
#include "sim/scenario/run.hpp"
#include "sim/world/message_properties.hpp"
#include "tests/sim_scenario/packet_server.hpp"

namespace hf::sim {
namespace {

enum class Wrong {
  nothing, lost, half_lost, reordered, another_value, added, added_to_plain, alias_above, alias_unknown, alias_of_before, too_large,
  beyond_window, explained
};

/// Answers a SUBSCRIBE with a few messages, one of the ways wrong.
class Publisher final : public PacketServer {
 public:
  Publisher(env::Environment& environment, Wrong wrong) : PacketServer(environment), wrong_(wrong) {}

 private:
  void on_packet(StreamId stream, const mqtt::Packet& packet) override {
    if (const auto* connect = std::get_if<mqtt::Connect>(&packet)) {
      EXPECT_EQ(connect->properties->request_problem_information, false);
      send(stream, mqtt::Connack{});
    }
    if (const auto* subscribe = std::get_if<mqtt::Subscribe>(&packet)) answer(stream, *subscribe);
  }

  void answer(StreamId stream, const mqtt::Subscribe& packet) {
    EXPECT_EQ(packet.properties->subscription_identifiers, (std::vector<std::uint32_t>{5}));
    mqtt::Suback suback;
    suback.packet_id = packet.packet_id;
    suback.codes = {1};
    if (wrong_ == Wrong::explained) suback.properties.edit().reason_string = "it is good";
    send(stream, suback);
    send(stream, message());
    if (wrong_ == Wrong::alias_unknown) send(stream, aliased("", 1));
    if (wrong_ == Wrong::alias_of_before) {
      if (++connections_ == 1) return send(stream, aliased("t", 1)), environment_.close(stream, true);
      return send(stream, aliased("", 1));
    }
    send(stream, aliased("t", 1));
    send(stream, aliased("", wrong_ == Wrong::alias_above ? 2 : 1));
    if (wrong_ != Wrong::beyond_window) return;
    for (const std::uint16_t id : {std::uint16_t{1}, std::uint16_t{2}, std::uint16_t{3}}) {
      mqtt::Publish one = aliased("t", 1);
      one.qos = 1;
      one.packet_id = id;
      send(stream, one);
    }
  }

  mqtt::Publish message() const {
    const bool plain = wrong_ == Wrong::added_to_plain;
    const std::string payload = "somebody 21";
    mqtt::Publish packet;
    packet.topic = "t";
    packet.payload = Bytes(plain ? payload : mark_properties(payload) + (wrong_ == Wrong::too_large ? std::string(400, '.') : ""));
    mqtt::PropertySet& set = packet.properties.edit();
    set = message_properties("somebody", 21);
    set.message_expiry_interval = 7;
    if (wrong_ == Wrong::lost) set = {};
    if (wrong_ == Wrong::half_lost) set.user_properties.pop_back();
    if (wrong_ == Wrong::reordered) std::swap(set.user_properties[0], set.user_properties[2]);
    if (wrong_ == Wrong::another_value) set.correlation_data->back() = '?';
    if (wrong_ == Wrong::added) set.content_type = "text/plain";
    return packet;
  }

  static mqtt::Publish aliased(std::string topic, std::uint16_t alias) {
    mqtt::Publish packet;
    packet.topic = std::move(topic);
    packet.payload = Bytes(std::string("somebody 22"));
    packet.properties.edit().topic_alias = alias;
    return packet;
  }

  Wrong wrong_;
  int connections_ = 0;
};

std::string said(Wrong wrong) {
  const auto scenario = parse_scenario(R"({"duration":"5s","cluster":{"nodes":1},"heal":{"at":"2s","settle":"4s"},"clients":[
    {"receive_maximum":2,"topic_aliases":1,"maximum_packet_size":"400B","problem_information":false,"ack_delay":"50ms",
     "subscribe":[{"filter":"t","qos":1,"identifier":5}]}]})", "x");
  EXPECT_TRUE(scenario) << (scenario ? "" : scenario.error().text);
  if (!scenario) return "";
  Inside inside;
  inside.factory = [&](env::Environment& environment, const node::Config&) { return std::make_unique<Publisher>(environment, wrong); };
  const RunResult result = run_scenario(*scenario, inside);
  for (const Event& event : result.history.events)
    if (event.kind == Event::Kind::protocol_violation) return event.text;
  return "";
}

TEST(Properties, a_client_holds_each_message_against_what_was_published) {
  EXPECT_EQ(said(Wrong::nothing), "");
  const std::pair<Wrong, const char*> rows[] = {
      {Wrong::lost, "response topic is missing"},
      {Wrong::half_lost, "user properties are"},
      {Wrong::reordered, "user properties are"},
      {Wrong::another_value, "correlation data is another"},
      {Wrong::added, "content type was added"},
      {Wrong::added_to_plain, "was added"},
      {Wrong::alias_above, "topic alias 2, the maximum is 1"},
      {Wrong::alias_unknown, "topic alias 1, which means nothing"},
      {Wrong::alias_of_before, "topic alias 1, which means nothing"},
      {Wrong::too_large, "the maximum is 400"},
      {Wrong::beyond_window, "more in flight than receive maximum 2"},
      {Wrong::explained, "no problem information"}};
  for (const auto& [wrong, words] : rows) EXPECT_NE(said(wrong).find(words), std::string::npos) << said(wrong) << " instead of " << words;
}

TEST(Properties, of_messages_differ_by_number_and_have_a_name_twice) {
  for (std::uint64_t number = 1; number < 100; ++number) {
    const mqtt::PropertySet set = message_properties("a", number);
    EXPECT_EQ(property_difference(set, message_properties("a", number)), "");
    EXPECT_NE(property_difference(set, message_properties("a", number + 1)), "");
    EXPECT_NE(property_difference(set, message_properties("b", number)), "");
    EXPECT_EQ(std::count_if(set.user_properties.begin(), set.user_properties.begin() + 3, [](const auto& one) { return one.first == "trace"; }), 2);
    EXPECT_GT(set.user_properties[0].second, set.user_properties[2].second) << "so that sorting is seen";
  }
  EXPECT_TRUE(marks_properties(mark_properties("a 1")));
  EXPECT_FALSE(marks_properties("a 1 ....."));
  EXPECT_FALSE(marks_properties("a"));
}

}  // namespace
}  // namespace hf::sim
