// Encoding and cutting of frames; the CRC; the guard against bodies that blow up when parsed.
#include "broker/cluster/frame.hpp"

#include <array>

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>

#include "broker/cluster/frame.pb.h"

namespace hf::cluster {

namespace {

/// Eight bytes a step ("slicing by 8", Kounavis and Berry 2005): table k is of a byte that k bytes follow.
constexpr std::size_t slices = 8;
constexpr std::array<std::array<std::uint32_t, 256>, slices> make_crc_tables() {
  std::array<std::array<std::uint32_t, 256>, slices> tables{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t c = i;
    for (int k = 0; k < 8; ++k) c = (c & 1U) != 0 ? 0x82f63b78U ^ (c >> 1U) : c >> 1U;
    tables[0][i] = c;
  }
  for (std::size_t k = 1; k < slices; ++k)
    for (std::size_t i = 0; i < 256; ++i)
      tables[k][i] = tables[0][tables[k - 1][i] & 0xffU] ^ (tables[k - 1][i] >> 8U);
  return tables;
}
constexpr auto crc_tables = make_crc_tables();

std::uint32_t read_u32(std::string_view at) {
  std::uint32_t v = 0;
  for (std::size_t i = 4; i-- > 0;) v = (v << 8U) | static_cast<unsigned char>(at[i]);
  return v;
}

void write_u32(std::string& out, std::size_t at, std::uint32_t v) {
  for (std::size_t i = 0; i < 4; ++i) out[at + i] = static_cast<char>((v >> (8U * i)) & 0xffU);
}

void write_header(std::string& frame) {
  const std::string_view body = std::string_view(frame).substr(frame_header_size);
  write_u32(frame, 0, static_cast<std::uint32_t>(body.size()));
  write_u32(frame, 4, crc32c(body));
}

/// An empty part costs two bytes on the wire and a hundred in memory: count before parsing.
bool few_parts(std::string_view bytes) {
  using google::protobuf::internal::WireFormatLite;
  google::protobuf::io::CodedInputStream in(
      reinterpret_cast<const std::uint8_t*>(bytes.data()), static_cast<int>(bytes.size()));
  std::uint32_t channels = 0;
  while (const std::uint32_t tag = in.ReadTag()) {
    if (WireFormatLite::GetTagFieldNumber(tag) == wire::Body::kChannelsFieldNumber &&
        ++channels > frame_max_channels) {
      return false;
    }
    if (!WireFormatLite::SkipField(&in, tag)) return false;
  }
  return true;
}

}  // namespace

std::uint32_t crc32c(std::string_view bytes) {
  std::uint32_t crc = 0xffffffffU;
  for (; bytes.size() >= slices; bytes.remove_prefix(slices)) {
    std::uint32_t next = 0;
    for (std::size_t i = 0; i < slices; ++i) {
      std::uint32_t byte = static_cast<unsigned char>(bytes[i]);
      if (i < 4) byte ^= (crc >> (8U * i)) & 0xffU;
      next ^= crc_tables[slices - 1 - i][byte];
    }
    crc = next;
  }
  for (const char c : bytes)
    crc = crc_tables[0][(crc ^ static_cast<unsigned char>(c)) & 0xffU] ^ (crc >> 8U);
  return ~crc;
}

std::string encode_frame(const wire::Body& body) {
  std::string frame;
  frame.reserve(frame_header_size + body.ByteSizeLong());
  frame.resize(frame_header_size);
  body.AppendToString(&frame);
  write_header(frame);
  return frame;
}

std::string encode_frame(std::string_view body) {
  std::string frame(frame_header_size, '\0');
  frame.append(body);
  write_header(frame);
  return frame;
}

bool parse_body(std::string_view bytes, wire::Body& body) {
  if (bytes.size() > frame_max_member || !few_parts(bytes)) return false;
  return body.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
}

void FrameDecoder::feed(std::string_view bytes) {
  if (broken_) return;
  if (taken_ == buffer_.size()) {
    buffer_.clear();
    if (buffer_.capacity() > 1024 * 1024) buffer_.shrink_to_fit();  // one large frame is no habit
    taken_ = 0;
  } else if (taken_ > buffer_.size() / 2) {
    buffer_.erase(0, taken_);
    taken_ = 0;
  }
  buffer_.append(bytes);
}

Result<std::optional<std::string_view>> FrameDecoder::next() {
  if (broken_) return fail(Blame::peer, "the stream was broken before");
  const std::string_view rest = std::string_view(buffer_).substr(taken_);
  if (rest.size() < 4) return std::nullopt;
  const std::uint32_t size = read_u32(rest);
  if (size > max_) {
    broken_ = true;
    return fail(Blame::peer, "frame of " + std::to_string(size) + " bytes, limit " +
                                 std::to_string(max_));
  }
  if (rest.size() < frame_header_size || rest.size() - frame_header_size < size) {
    return std::nullopt;
  }
  const std::string_view body = rest.substr(frame_header_size, size);
  if (crc32c(body) != read_u32(rest.substr(4))) {
    broken_ = true;
    return fail(Blame::peer, "checksum of a frame does not match");
  }
  taken_ += frame_header_size + size;
  return body;
}

}  // namespace hf::cluster
