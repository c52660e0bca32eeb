// Frames: cut anywhere they come out whole; hostile bytes end in an error, not in a crash.
#include "broker/cluster/frame.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "broker/cluster/frame.pb.h"

namespace hf::cluster {
namespace {

TEST(Frame, crc_is_castagnoli) {
  EXPECT_EQ(crc32c("123456789"), 0xe3069283U);
  // RFC 3720, B.4: 32 bytes, each one more than the one before.
  std::string rising;
  for (char c = 0; c < 32; ++c) rising += c;
  EXPECT_EQ(crc32c(rising), 0x46dd794eU);
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8a9136aaU);
}

TEST(Frame, survives_any_cut) {
  EXPECT_TRUE(rc::check([](const std::vector<std::string>& bodies) {
    std::string wire;
    for (const auto& body : bodies) wire += encode_frame(std::string_view(body));
    FrameDecoder decoder;
    std::vector<std::string> got;
    for (std::size_t at = 0; at < wire.size();) {
      const auto n = *rc::gen::inRange<std::size_t>(1, 20);
      decoder.feed(std::string_view(wire).substr(at, n));
      at += n;
      for (;;) {
        const auto next = decoder.next();
        RC_ASSERT(next.has_value());
        if (!*next) break;
        got.emplace_back(**next);
      }
    }
    RC_ASSERT(got == bodies);
    RC_ASSERT(decoder.buffered() == 0U);
  }));
}

TEST(Frame, too_long_or_damaged_breaks_for_good) {
  FrameDecoder decoder(10);
  decoder.feed(encode_frame(std::string(11, 'x')));
  EXPECT_FALSE(decoder.next().has_value());
  EXPECT_FALSE(decoder.next().has_value());
  std::string frame = encode_frame(std::string_view("hello"));
  frame.back() = '!';
  FrameDecoder other;
  other.feed(frame);
  EXPECT_FALSE(other.next().has_value());
}

TEST(Frame, a_body_of_empty_parts_is_refused_before_it_costs_memory) {
  std::string body;
  for (std::uint32_t i = 0; i <= frame_max_channels; ++i) body.append("\x1a\0", 2);
  wire::Body parsed;
  EXPECT_FALSE(parse_body(body, parsed));
  EXPECT_TRUE(parse_body(body.substr(2), parsed));
}

TEST(Frame, random_bytes_never_crash) {
  EXPECT_TRUE(rc::check([](const std::string& junk) {
    FrameDecoder decoder;
    decoder.feed(junk);
    while (true) {
      const auto next = decoder.next();
      if (!next || !*next) break;
    }
    wire::Body body;
    (void)parse_body(junk, body);
  }));
}

}  // namespace
}  // namespace hf::cluster
