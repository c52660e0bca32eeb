// Cuts the stream into packets: fixed header byte by byte, body in one piece.
#include "broker/mqtt/decoder.hpp"

#include <algorithm>
#include <utility>

#include "broker/mqtt/parse.hpp"

namespace hf::mqtt {

Decoder::Decoder(Role role, std::uint32_t max_packet_size)
    : role_(role), max_packet_size_(max_packet_size) {
  if (role == Role::client) version_ = Version::v5;
}

const DecodeError& Decoder::error() const {
  static const DecodeError none;
  return error_ ? *error_ : none;
}

void Decoder::set_version(Version version) { version_ = version; }

void Decoder::feed(const Bytes& bytes) {
  if (error_ || bytes.empty()) return;
  if (at_ == chunk_.size() && waiting_.empty()) {
    chunk_ = bytes;
    at_ = 0;
  } else {
    waiting_.push_back(bytes);
    waiting_bytes_ += bytes.size();
  }
}

std::size_t Decoder::buffered() const {
  return header_size_ + gathered_.size() + (chunk_.size() - at_) + waiting_bytes_;
}

std::size_t Decoder::cost() const {
  constexpr std::size_t chunk_cost = 64;
  return buffered() + waiting_.size() * chunk_cost;
}

/// Moves on to the next chunk when this one is used up; false when there is none. An idle decoder
/// holds no buffer.
bool Decoder::next_chunk() {
  if (at_ < chunk_.size()) return true;
  at_ = 0;
  if (waiting_at_ == waiting_.size()) {
    chunk_ = Bytes();
    return false;
  }
  chunk_ = std::move(waiting_[waiting_at_++]);
  waiting_bytes_ -= chunk_.size();
  if (waiting_at_ == waiting_.size()) {
    waiting_.clear();
    waiting_at_ = 0;
  }
  return true;
}

Decoded Decoder::fail(Reason reason, std::string text) {
  error_ = std::make_unique<DecodeError>(DecodeError{reason, std::move(text), version_});
  chunk_ = Bytes();
  at_ = 0;
  std::vector<Bytes>().swap(waiting_);
  waiting_at_ = waiting_bytes_ = 0;
  std::string().swap(gathered_);
  header_size_ = 0;
  return Decoded::failed;
}

Decoded Decoder::check_first_byte() {
  const auto fault = first_byte_fault(first_, role_, version_);
  if (!fault) return Decoded::packet;
  return fail(fault->reason, fault_text(first_ >> 4U, *fault));
}

Decoded Decoder::check_length() {
  const std::uint64_t size = std::uint64_t{header_size_} + remaining_;
  if (size <= max_packet_size_) return Decoded::packet;
  std::string text(packet_name(first_ >> 4U));
  text.append(": packet of ").append(std::to_string(size)).append(" bytes, the maximum is ");
  text.append(std::to_string(max_packet_size_)).append(" [MQTT-3.1.2-24]");
  return fail(Reason::packet_too_large, std::move(text));
}

/// Reads up to the last byte of the remaining length. `packet` means: go on with the body.
Decoded Decoder::read_header() {
  while (!header_done_) {
    if (!next_chunk()) return Decoded::need_more;
    const auto byte = static_cast<std::uint8_t>(chunk_.view()[at_++]);
    if (header_size_ == 0) {
      first_ = byte;
      remaining_ = 0;
      minimal_ = true;
      header_size_ = 1;
      if (check_first_byte() == Decoded::failed) return Decoded::failed;
      continue;
    }
    remaining_ |= static_cast<std::uint32_t>(byte & 0x7FU) << (7U * (header_size_ - 1U));
    ++header_size_;
    if ((byte & 0x80U) != 0) {
      if (header_size_ == 5)
        return fail(Reason::malformed_packet,
                    std::string(packet_name(first_ >> 4U)) +
                        ": remaining length is longer than four bytes [MQTT-1.5.5-1]");
      continue;
    }
    minimal_ = byte != 0 || header_size_ == 2;
    header_done_ = true;
    if (check_length() == Decoded::failed) return Decoded::failed;
  }
  return Decoded::packet;
}

Decoded Decoder::next(Packet& out) {
  if (error_) return Decoded::failed;
  const Decoded header = read_header();
  return header == Decoded::packet ? body(out) : header;
}

Decoded Decoder::body(Packet& out) {
  if (remaining_ == 0) return decode_body(Bytes(), out);
  while (gathered_.size() < remaining_) {
    if (!next_chunk()) return Decoded::need_more;
    const std::size_t missing = remaining_ - gathered_.size();
    const std::size_t size = std::min(missing, chunk_.size() - at_);
    if (size == remaining_) {
      const Bytes whole = chunk_.slice(at_, size);
      at_ += size;
      return decode_body(whole, out);
    }
    gathered_.append(chunk_.view().substr(at_, size));
    at_ += size;
  }
  return decode_body(Bytes(std::exchange(gathered_, {})), out);
}

Decoded Decoder::decode_body(const Bytes& whole, Packet& out) {
  Parser parser(role_, version_.value_or(Version::v5), whole);
  const bool good = parser.packet(Header{first_, minimal_}, out);
  if (parser.learned()) version_ = parser.learned();
  if (!good) return fail(parser.fault().reason, fault_text(first_ >> 4U, parser.fault()));
  header_done_ = false;
  header_size_ = 0;
  next_chunk();  // lets go of a buffer that is used up
  return Decoded::packet;
}

}  // namespace hf::mqtt
