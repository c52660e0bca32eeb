// Bytes of one connection in, control packets out: incremental, strict, never quadratic.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "broker/base/bytes.hpp"
#include "broker/mqtt/packet.hpp"

namespace hf::mqtt {

/// Which end of the connection decodes. A server takes what clients send, and the reverse.
enum class Role : std::uint8_t { server, client };

/// The largest packet MQTT can express: 268,435,455 bytes and a fixed header of five.
inline constexpr std::uint32_t packet_size_limit = 268'435'460;

struct DecodeError {
  Reason reason = Reason::malformed_packet;  ///< what DISCONNECT or CONNACK should say
  std::string text;                          ///< for a person, ends with "[MQTT-x.y.z-n]"
  /// The version the peer may understand an answer in; absent before its CONNECT could be read.
  std::optional<Version> version;
};

enum class Decoded : std::uint8_t {
  packet,     ///< `out` is a packet
  need_more,  ///< feed first
  failed      ///< see error(); from now on always
};

/// One decoder a connection.
///
/// Invariants: 1. how the bytes are cut into feeds changes neither packets nor error. 2. memory is
/// bounded by the bytes fed, not by the lengths announced. 3. a failed decoder stays failed.
/// 4. a payload shares the fed buffer when its packet lay in one feed, and so keeps all of it
/// alive: whoever stores a small payload for long copies it (Bytes::copy).
///
/// A server's decoder learns the version from CONNECT, requires CONNECT first and only once.
class Decoder {
 public:
  /// `max_packet_size` counts the whole packet, fixed header included.
  explicit Decoder(Role role, std::uint32_t max_packet_size = packet_size_limit);

  /// A client says what it spoke in its CONNECT (until then: 5). In a server: as if a CONNECT of
  /// this version had been decoded.
  void set_version(Version version);
  /// The version in force; absent in a server before CONNECT.
  [[nodiscard]] std::optional<Version> version() const { return version_; }

  /// From the next packet on.
  void set_max_packet_size(std::uint32_t size) { max_packet_size_ = size; }

  /// Takes bytes; work is done in next(). Feeding again before next() said need_more is fine.
  void feed(const Bytes& bytes);
  /// The next packet into `out`, which is left alone otherwise. Call until not `packet`.
  Decoded next(Packet& out);

  /// Why it failed; says nothing before it has.
  [[nodiscard]] const DecodeError& error() const;
  /// Bytes fed and not yet decoded.
  [[nodiscard]] std::size_t buffered() const;
  /// What that costs, in bytes: a chunk that waits takes more than what it holds.
  [[nodiscard]] std::size_t cost() const;

 private:
  Decoded read_header();
  Decoded check_first_byte();
  Decoded check_length();
  bool next_chunk();
  Decoded body(Packet& out);
  Decoded decode_body(const Bytes& whole, Packet& out);
  Decoded fail(Reason reason, std::string text);

  Role role_;
  std::optional<Version> version_;
  std::uint32_t max_packet_size_;

  // The fixed header read so far.
  std::uint8_t first_ = 0;
  std::uint8_t header_size_ = 0;  ///< bytes of it seen; 0: between packets
  bool header_done_ = false;
  bool minimal_ = true;           ///< the length took no more bytes than it needs
  std::uint32_t remaining_ = 0;   ///< the remaining length

  Bytes chunk_;                   ///< being read, from at_ on
  std::size_t at_ = 0;
  std::vector<Bytes> waiting_;    ///< fed behind it, from waiting_at_ on
  std::size_t waiting_at_ = 0;
  std::size_t waiting_bytes_ = 0; ///< of them
  std::string gathered_;          ///< the body so far of a packet that spans feeds

  std::unique_ptr<DecodeError> error_;  ///< from when it has failed
};

}  // namespace hf::mqtt
