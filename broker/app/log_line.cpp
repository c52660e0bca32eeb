// What a line of the log says: fixed field names, and nothing in it that could pass for another line.
#include "broker/app/log_line.hpp"

#include <cstddef>

namespace hf::app {
namespace {

constexpr char hex[] = "0123456789abcdef";

bool is_control(unsigned char byte) { return byte < 0x20 || byte == 0x7F; }

/// Bytes of the UTF-8 character that begins `text`; 0: none does.
std::size_t character(std::string_view text) {
  const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(text[at]); };
  const unsigned char first = byte(0);
  const std::size_t size = first < 0x80 ? 1 : first >= 0xC2 && first < 0xE0 ? 2 : first >= 0xE0 && first < 0xF0 ? 3 : first >= 0xF0 && first < 0xF5 ? 4 : 0;
  if (size == 0 || text.size() < size) return 0;
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xC0U) != 0x80) return 0;
  }
  if (first == 0xE0 && byte(1) < 0xA0) return 0;  // longer than need be
  if (first == 0xF0 && byte(1) < 0x90) return 0;
  if (first == 0xED && byte(1) > 0x9F) return 0;  // a surrogate
  if (first == 0xF4 && byte(1) > 0x8F) return 0;
  return size;
}

}  // namespace

std::string json_escaped(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const auto byte = static_cast<unsigned char>(text.front());
    std::size_t size = 1;
    if (byte == '"' || byte == '\\') {
      out += '\\';
      out += text.front();
    } else if (is_control(byte)) {
      out += std::string("\\u00") + hex[byte >> 4U] + hex[byte & 15U];
    } else if (size = character(text); size == 0) {
      out += "\\ufffd";
      size = 1;
    } else {
      out += text.substr(0, size);
    }
    text.remove_prefix(size);
  }
  return out;
}

std::string text_escaped(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (is_control(byte)) {
      out += std::string("\\x") + hex[byte >> 4U] + hex[byte & 15U];
    } else {
      out += c;
    }
  }
  return out;
}

std::string json_fields(std::string_view message, std::string_view client) {
  std::string out = "\"message\":\"" + json_escaped(message) + "\"";
  if (!client.empty()) out += ",\"client\":\"" + json_escaped(client) + "\"";
  return out;
}

std::string text_fields(std::string_view message, std::string_view client) {
  std::string out = text_escaped(message);
  if (!client.empty()) out += " client=" + text_escaped(client);
  return out;
}

}  // namespace hf::app
