// The player itself, on a bench that says what the test tells it: what must fail, fails.
#include <gtest/gtest.h>

#include "tests/conformance/notation.hpp"
#include "tests/conformance/play.hpp"

namespace hf::conformance {
namespace {

/// A connection has heard `said` at once, and perhaps its end behind it.
class Parrot final : public Bench {
 public:
  explicit Parrot(std::string said, bool ended = false) : ear_{std::move(said), ended} {}
  std::size_t open(std::size_t /*which*/) override { return 0; }
  void send(std::size_t /*connection*/, const std::string& /*bytes*/) override {}
  void close(std::size_t /*connection*/) override {}
  void reset(std::size_t /*connection*/) override {}
  void pause(std::size_t /*connection*/, bool /*paused*/) override {}
  Ear& ear(std::size_t /*connection*/) override { return ear_; }
  void listen(std::size_t /*connection*/, Millis /*patience*/) override {}
  void wait(Millis /*time*/) override {}

 private:
  Ear ear_;
};

/// What the player finds wrong with `said`, packets in words.
std::string found(const std::vector<std::string>& said, const std::vector<std::string>& steps, int level = 5) {
  Case one;
  one.steps = {"a> open"};
  one.steps.insert(one.steps.end(), steps.begin(), steps.end());
  std::string bytes;
  for (const std::string& packet : said) bytes += encode(read_words(packet, ""), level);
  Parrot parrot(bytes);
  return play(one, level, "k", parrot);
}

void takes(const std::string& said, const std::string& expected) { EXPECT_EQ(found({said}, {"a< " + expected}), ""); }
void refuses(const std::string& said, const std::string& expected, const std::string& why) {
  const std::string failure = found({said}, {"a< " + expected});
  EXPECT_NE(failure.find(why), std::string::npos) << said << " against " << expected << ": " << failure;
}

TEST(Player, no_property_is_there_unasked_or_missing_unnoticed) {
  refuses("CONNACK", "CONNACK wildcard_available=0 ...", "wildcard_available differs");
  takes("CONNACK wildcard_available=0", "CONNACK wildcard_available=0 ...");
  refuses("DISCONNECT reason=0x82 session_expiry=0", "DISCONNECT reason=0x82", "session_expiry was not expected");
  refuses("DISCONNECT reason=0x82 reason_string=", "DISCONNECT reason=0x82", "reason_string was not expected");
  refuses("DISCONNECT reason=0x82 session_expiry=0", "DISCONNECT reason=0x82 session_expiry=! ...", "must not be there");
}

TEST(Player, what_a_packet_has_of_itself_need_not_be_named) {
  takes("PUBLISH topic=t payload=", "PUBLISH topic=t");
  takes("PUBACK pid=1", "PUBACK pid=1 reason=0x00");
  takes("PUBACK pid=1 reason=0x00", "PUBACK pid=1");
  takes("PUBACK pid=1", "PUBACK pid=1 reason=*");
  refuses("PUBLISH topic=t payload=x retain=1", "PUBLISH topic=t payload=x", "retain was not expected");
}

TEST(Player, a_reason_is_named_or_is_success) {
  refuses("CONNACK reason=0x87", "CONNACK ...", "reason was not expected");
  refuses("CONNACK reason=0x87", "CONNACK present=0 ...", "reason was not expected");
  refuses("DISCONNECT reason=0x81", "DISCONNECT ...", "reason was not expected");
  takes("CONNACK reason=0x87", "CONNACK reason=* ...");
  takes("CONNACK present=1 max_qos=1", "CONNACK ...");
}

TEST(Player, reserved_bits_of_connack_are_zero) { refuses("CONNACK present=254", "CONNACK ...", "reserved flags"); }

TEST(Player, every_subscription_identifier_counts_in_any_order) {
  refuses("PUBLISH topic=t payload=x subid=1", "PUBLISH topic=t payload=x subid=1 subid=2", "subid differs");
  refuses("PUBLISH topic=t payload=x subid=1 subid=2", "PUBLISH topic=t payload=x subid=*", "there too often");
  refuses("PUBLISH topic=t payload=x subid=1", "PUBLISH topic=t payload=x subid=* subid=*", "is missing");
  takes("PUBLISH topic=t payload=x subid=2 subid=1", "PUBLISH topic=t payload=x subid=1 subid=2");
  refuses("PUBLISH topic=t payload=x user=b:2 user=a:1", "PUBLISH topic=t payload=x user=a:1 user=b:2", "user differs");
}

TEST(Player, a_packet_id_is_not_zero) {
  refuses("PUBLISH topic=t payload=x qos=1 pid=0", "PUBLISH topic=t payload=x qos=1 pid=*", "packet id 0");
  refuses("PUBLISH topic=t payload=x qos=1 pid=0", "PUBLISH topic=t payload=x qos=1 ...", "packet id 0");
  refuses("PUBACK pid=0", "PUBACK pid=$p", "packet id 0");
}

TEST(Player, a_packet_id_is_unused_until_its_flow_has_ended) {
  const std::vector<std::string> same{"PUBLISH topic=t payload=1 qos=1 pid=5", "PUBLISH topic=t payload=2 qos=1 pid=5"};
  const std::string one = "a< PUBLISH topic=t payload=1 qos=1 pid=$p";
  const std::string two = "a< PUBLISH topic=t payload=2 qos=1 pid=$q";
  EXPECT_NE(found(same, {one, two}).find("still in use"), std::string::npos);
  EXPECT_EQ(found(same, {one, "a> PUBACK pid=$p", two}), "");

  const std::vector<std::string> exactly{"PUBLISH topic=t payload=1 qos=2 pid=5", "PUBREL pid=5", "PUBLISH topic=t payload=2 qos=1 pid=5"};
  const std::vector<std::string> begun{"a< PUBLISH topic=t payload=1 qos=2 pid=$p", "a> PUBREC pid=$p", "a< PUBREL pid=$p"};
  std::vector<std::string> steps = begun;
  steps.push_back(two);
  EXPECT_NE(found(exactly, steps).find("still in use"), std::string::npos);
  steps = begun;
  steps.insert(steps.end(), {"a> PUBCOMP pid=$p", two});
  EXPECT_EQ(found(exactly, steps), "");
  EXPECT_EQ(found({exactly[0], exactly[2]}, {begun[0], "a> PUBREC pid=$p reason=0x97", two}), "") << "a refusal ends the flow";
  EXPECT_NE(found({"PUBREL pid=5", exactly[2]}, {"a< PUBREL pid=5", two}).find("still in use"), std::string::npos) << "resumed";
}

TEST(Player, a_bound_packet_id_stays) {
  const std::vector<std::string> steps{"a< PUBLISH topic=t payload=1 qos=2 pid=$p", "a> PUBREC pid=$p", "a< PUBREL pid=$p"};
  EXPECT_NE(found({"PUBLISH topic=t payload=1 qos=2 pid=5", "PUBREL pid=6"}, steps).find("pid is not 5"), std::string::npos);
}

TEST(Player, nothing_and_the_end_have_nothing_before_them) {
  const auto last = [](const std::string& bytes, bool ended, const std::string& step) {
    Case one;
    one.steps = {"a> open", step};
    Parrot parrot(bytes, ended);
    return play(one, 5, "k", parrot);
  };
  const std::string ping("\xD0\0", 2);
  EXPECT_EQ(last("", true, "a< close"), "");
  EXPECT_NE(last("", false, "a< close").find("still open"), std::string::npos);
  EXPECT_NE(last(ping, true, "a< close").find("got PINGRESP"), std::string::npos) << "though the end has come, too";
  EXPECT_NE(last(ping.substr(0, 1), true, "a< close").find("a part of a packet"), std::string::npos);
  EXPECT_EQ(last("", false, "a< nothing"), "");
  EXPECT_NE(last("", true, "a< nothing").find("was closed"), std::string::npos);
  EXPECT_NE(last(ping, false, "a< nothing").find("got PINGRESP"), std::string::npos);
  EXPECT_NE(last(ping.substr(0, 1), false, "a< nothing").find("a part of a packet"), std::string::npos);
}

TEST(Player, knows_the_names_of_fields) {
  refuses("CONNACK", "CONNACK retain_availble=! ...", "no field is called retain_availble");
}

}  // namespace
}  // namespace hf::conformance
