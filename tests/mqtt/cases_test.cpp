// Runs cases/*.json: one packet (or its malformed twin) each, named by the statement it is about.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "broker/mqtt/decoder.hpp"
#include "broker/mqtt/encoder.hpp"

namespace hf::mqtt {
namespace {

std::string unhex(const std::string& hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes.push_back(static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  return bytes;
}

struct Answer {
  std::vector<Packet> packets;
  Decoded last = Decoded::need_more;
  DecodeError error;
};

/// `step` bytes a feed; 0: all at once.
Answer decode(const nlohmann::json& c, std::size_t step) {
  const Role role = c.at("role") == "server" ? Role::server : Role::client;
  Decoder decoder(role, c.value("max_packet_size", packet_size_limit));
  if (!c.at("version").is_null())
    decoder.set_version(static_cast<Version>(c.at("version").get<int>()));
  const std::string bytes = unhex(c.at("hex"));
  if (step == 0) step = bytes.size();
  Answer answer;
  for (std::size_t i = 0; i < bytes.size(); i += step) {
    decoder.feed(Bytes(bytes.substr(i, step)));
    Packet packet;
    while ((answer.last = decoder.next(packet)) == Decoded::packet) answer.packets.push_back(packet);
  }
  answer.error = decoder.error();
  return answer;
}

void check(const nlohmann::json& c, std::size_t step) {
  const Answer answer = decode(c, step);
  if (c.at("expect") == "error") {
    ASSERT_EQ(answer.last, Decoded::failed);
    EXPECT_EQ(answer.packets.size(), c.value("packets", 0U));
    EXPECT_EQ(code(answer.error.reason), std::stoi(c.at("reason").get<std::string>(), nullptr, 16))
        << answer.error.text;
    return;
  }
  ASSERT_EQ(answer.packets.size(), 1U) << answer.error.text;
  EXPECT_EQ(answer.last, Decoded::need_more);
  EXPECT_EQ(packet_name(answer.packets[0]), c.at("type").get<std::string>());
  if (c.value("canonical", true)) {
    // The bytes were not written by our encoder: what it says must be the same.
    std::string again;
    encode(answer.packets[0], c.at("version").is_null() ? Version::v5 : static_cast<Version>(c.at("version").get<int>()), again);
    EXPECT_EQ(again, unhex(c.at("hex")));
  }
  if (const auto* publish = std::get_if<Publish>(&answer.packets[0])) {
    if (c.contains("topic")) {
      EXPECT_EQ(publish->topic, c.at("topic").get<std::string>());
    }
    if (c.contains("payload")) {
      EXPECT_EQ(publish->payload.view(), unhex(c.at("payload")));
    }
  }
}

TEST(MqttCases, Files) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(HF_SOURCE_DIR "/tests/mqtt/cases"))
    files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  std::size_t count = 0;
  for (const auto& file : files) {
    const auto cases = nlohmann::json::parse(std::ifstream(file));
    for (const auto& c : cases) {
      SCOPED_TRACE(file.filename().string() + ": " + c.dump());
      check(c, 0);
      check(c, 1);
      check(c, 3);
      ++count;
    }
  }
  EXPECT_GE(count, 120U);
}

}  // namespace
}  // namespace hf::mqtt
