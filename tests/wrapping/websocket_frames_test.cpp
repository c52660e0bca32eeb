// Frames of WebSocket from a client: what goes up, what is answered, what ends the connection; whole and byte by byte.
#include "broker/wrapping/websocket_frames.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace hf::wrapping {
namespace {

using namespace std::string_literals;

/// A client's frame, masked; `bits`: FIN and opcode.
std::string frame(unsigned bits, const std::string& payload) {
  std::string bytes(1, static_cast<char>(bits));
  const std::size_t size = payload.size();
  if (size < 126) {
    bytes.push_back(static_cast<char>(0x80U | size));
  } else if (size <= 0xFFFF) {
    bytes += {static_cast<char>(0xFE), static_cast<char>(size >> 8U), static_cast<char>(size)};
  } else {
    bytes.push_back(static_cast<char>(0xFF));
    for (int shift = 56; shift >= 0; shift -= 8) bytes.push_back(static_cast<char>(size >> static_cast<unsigned>(shift)));
  }
  const std::string mask = "\x12\x34\xAB\xCD";
  bytes += mask;
  for (std::size_t i = 0; i < size; ++i) bytes.push_back(static_cast<char>(payload[i] ^ mask[i % 4]));
  return bytes;
}

std::string close_frame(unsigned code) { return "\x88\x02"s + static_cast<char>(code >> 8U) + static_cast<char>(code); }

struct Case {
  const char* name;
  std::string bytes;
  std::string up;
  std::string down;
  bool over;
  const char* breach;
};

const std::vector<Case>& cases() {
  static const std::vector<Case> all{
      {"a_message", frame(0x82, "mqtt"), "mqtt", "", false, ""},
      {"empty_messages", frame(0x82, "") + frame(0x82, "x") + frame(0x02, "") + frame(0x80, ""), "x", "", false, ""},
      {"fragments", frame(0x02, "one ") + frame(0x00, "two ") + frame(0x80, "three"), "one two three", "", false, ""},
      {"a_ping_within_a_message", frame(0x02, "a") + frame(0x89, "hi") + frame(0x80, "b"), "ab", "\x8A\x02hi", false, ""},
      {"a_pong", frame(0x8A, "unasked") + frame(0x82, "x"), "x", "", false, ""},
      {"the_longest_ping", frame(0x89, std::string(125, 'p')), "", "\x8A\x7D" + std::string(125, 'p'), false, ""},
      {"a_medium_message", frame(0x82, std::string(300, 'm')), std::string(300, 'm'), "", false, ""},
      {"a_close", frame(0x82, "x") + frame(0x88, "\x03\xE8"s + "bye") + "garbage", "x", close_frame(1000), true, ""},
      {"a_close_without_a_code", frame(0x88, ""), "", close_frame(1000), true, ""},
      {"a_close_of_one_byte", frame(0x88, "x"), "", close_frame(1002), true, "a close frame of one byte"},
      {"a_close_code_that_is_none", frame(0x88, "\x03\xED"s), "", close_frame(1002), true, "a close code that is none"},
      {"a_text_frame_ends_the_connection", frame(0x81, "text"), "", close_frame(1003), true, "a text frame"},
      {"no_mask", "\x82\x01x", "", close_frame(1002), true, "a frame without a mask"},
      {"a_reserved_bit", frame(0xC2, "x"), "", close_frame(1002), true, "a reserved bit is set"},
      {"a_reserved_opcode", frame(0x83, "x"), "", close_frame(1002), true, "an unknown opcode"},
      {"a_reserved_control_opcode", frame(0x8B, "x"), "", close_frame(1002), true, "an unknown opcode"},
      {"a_continuation_of_nothing", frame(0x80, "x"), "", close_frame(1002), true, "a continuation of nothing"},
      {"a_message_within_a_message", frame(0x02, "x") + frame(0x82, "y"), "x", close_frame(1002), true,
       "a new message within another"},
      {"a_ping_in_fragments", frame(0x09, "x"), "", close_frame(1002), true, "a control frame in fragments"},
      {"a_ping_too_long", frame(0x89, std::string(126, 'p')), "", close_frame(1002), true, "a control frame too long"},
      {"a_length_that_is_not_the_shortest", "\x82\xFE\x00\x7D\x00\x00\x00\x00"s, "", close_frame(1002), true,
       "a length in a form too long"},
      {"a_long_length_that_is_not_the_shortest", "\x82\xFF\x00\x00\x00\x00\x00\x00\xFF\xFF\x00\x00\x00\x00"s, "",
       close_frame(1002), true, "a length in a form too long"},
      {"a_negative_length", "\x82\xFF\x80\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"s, "", close_frame(1002), true,
       "a length in a form too long"},
      {"a_message_too_big", "\x82\xFF\x00\x00\x00\x00\x00\x01\x86\xA1\x00\x00\x00\x00"s, "", close_frame(1009), true,
       "a message too big"},
      {"fragments_too_big", frame(0x02, std::string(60'000, 'a')) + frame(0x00, std::string(40'001, 'b')),
       std::string(60'000, 'a'), close_frame(1009), true, "a message too big"},
      {"fragments_just_not_too_big", frame(0x02, std::string(60'000, 'a')) + frame(0x80, std::string(40'000, 'b')),
       std::string(60'000, 'a') + std::string(40'000, 'b'), "", false, ""},
  };
  return all;
}

class Frames : public testing::TestWithParam<Case> {};
INSTANTIATE_TEST_SUITE_P(WebSocket, Frames, testing::ValuesIn(cases()), [](const auto& each) { return each.param.name; });

TEST_P(Frames, whole_and_in_parts_of_any_size) {
  const Case& each = GetParam();
  for (const std::size_t step : {each.bytes.size(), std::size_t{1}, std::size_t{3}, std::size_t{7}}) {
    WebSocketFrames frames(100'000);
    std::string up, down;
    bool goes_on = true;
    for (std::size_t at = 0; goes_on && at < each.bytes.size(); at += step) {
      goes_on = frames.receive(std::string_view(each.bytes).substr(at, step), up, down);
    }
    EXPECT_EQ(up, each.up) << step;
    EXPECT_EQ(down, each.down) << step;
    EXPECT_EQ(goes_on, !each.over) << step;
    EXPECT_STREQ(frames.breach(), each.breach) << step;
  }
}

TEST(WebSocket, what_we_send_has_the_shortest_length_and_no_mask) {
  for (const std::size_t size : {0U, 1U, 125U, 126U, 65'535U, 65'536U}) {
    std::string down;
    WebSocketFrames(1).send(std::string(size, 's'), 0, down);
    std::string expected = "\x82";
    if (size < 126) {
      expected.push_back(static_cast<char>(size));
    } else if (size < 65'536) {
      expected += {'\x7E', static_cast<char>(size >> 8U), static_cast<char>(size)};
    } else {
      expected += "\x7F\x00\x00\x00\x00\x00\x01\x00\x00"s;
    }
    EXPECT_EQ(down, expected + std::string(size, 's')) << size;
  }
}

TEST(WebSocket, a_pong_waits_for_the_end_of_our_frame) {
  WebSocketFrames frames(100);
  std::string up, down;
  frames.send("abc", 5, down);
  EXPECT_TRUE(frames.receive(frame(0x89, "one") + frame(0x89, "two"), up, down));
  frames.send("de", 3, down);
  frames.send("fgh", 0, down);
  EXPECT_EQ(down, "\x82\x08" "abcdefgh\x8A\x03two");
  down.clear();
  EXPECT_TRUE(frames.receive(frame(0x89, "now"), up, down));
  EXPECT_EQ(down, "\x8A\x03now");
  frames.send("half", 4, down);
  down.clear();
  EXPECT_FALSE(frames.receive(frame(0x81, "text"), up, down));
  EXPECT_EQ(down, "") << "within a frame nothing can be said";
}

TEST(WebSocket, closes_once_and_answers_no_ping_afterwards) {
  WebSocketFrames frames(100);
  std::string up, down;
  frames.close(1001, down);
  EXPECT_TRUE(frames.receive(frame(0x89, "ping"), up, down));
  EXPECT_FALSE(frames.receive(frame(0x88, "\x03\xE9"s), up, down));
  EXPECT_EQ(down, close_frame(1001));
}

}  // namespace
}  // namespace hf::wrapping
