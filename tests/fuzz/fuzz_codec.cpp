// The codec: any bytes, cut anywhere, in either role. What decodes must encode to bytes that decode to the same packet.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "broker/mqtt/decoder.hpp"
#include "broker/mqtt/encoder.hpp"

namespace {

using namespace hf::mqtt;  // NOLINT: a program of one file

void must(bool condition) {
  if (!condition) std::abort();
}

/// The version that a packet of this stream is written in.
Version version_of(const Packet& packet, const Decoder& decoder) {
  if (const auto* connect = std::get_if<Connect>(&packet)) return connect->version;
  return decoder.version().value_or(Version::v5);
}

void comes_back(const Packet& packet, Version version, Role role) {
  std::string bytes;
  encode(packet, version, bytes);
  must(bytes.size() == encoded_size(packet, version));
  Decoder again(role);
  if (!std::holds_alternative<Connect>(packet)) again.set_version(version);
  again.feed(hf::Bytes(bytes));
  Packet other;
  must(again.next(other) == Decoded::packet);
  must(other == packet);
  must(again.buffered() == 0);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const unsigned choice = data[0];
  const std::size_t step = data[1] % 16 == 0 ? size : data[1] % 16;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
  const Role role = (choice & 1U) != 0 ? Role::server : Role::client;
  Decoder decoder(role, (choice & 2U) != 0 ? 100 : packet_size_limit);
  if ((choice & 4U) != 0) decoder.set_version((choice & 8U) != 0 ? Version::v5 : Version::v311);
  for (std::size_t at = 0; at < bytes.size(); at += step) {
    decoder.feed(hf::Bytes::copy(bytes.substr(at, step)));
    Packet packet;
    Decoded decoded = Decoded::need_more;
    while ((decoded = decoder.next(packet)) == Decoded::packet) comes_back(packet, version_of(packet, decoder), role);
    must(decoder.buffered() <= bytes.size());
    if (decoded == Decoded::failed) {
      must(!decoder.error().text.empty());
      must(is_error(decoder.error().reason));
      break;
    }
  }
  return 0;
}
