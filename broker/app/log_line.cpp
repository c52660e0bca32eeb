// What a line of the log says: fixed field names, and nothing in it that could pass for another line.
#include "broker/app/log_line.hpp"

#include <algorithm>

namespace hf::app {
namespace {

constexpr char hex[] = "0123456789abcdef";

struct Character {
  std::size_t size = 0;    ///< bytes; 0: it is no UTF-8
  std::uint32_t code = 0;  ///< code point
};

/// The character that begins `text`.
Character character(std::string_view text) {
  const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(text[at]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return {1, first};
  const std::size_t size = first >= 0xC2 && first < 0xE0 ? 2 : first >= 0xE0 && first < 0xF0 ? 3 : first >= 0xF0 && first < 0xF5 ? 4 : 0;
  if (size == 0 || text.size() < size) return {};
  std::uint32_t code = first & (0xFFU >> (size + 1));
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xC0U) != 0x80) return {};
    code = code << 6U | (byte(i) & 0x3FU);
  }
  const bool longer_than_need_be = (size == 3 && code < 0x800) || (size == 4 && code < 0x10000);
  const bool surrogate = code >= 0xD800 && code < 0xE000;
  if (longer_than_need_be || surrogate || code > 0x10FFFF) return {};
  return {size, code};
}

/// Control characters, line and paragraph separators, marks and overrides of the direction of writing, the byte order mark:
/// a viewer may take them for something else than text.
bool is_treacherous(std::uint32_t code) {
  return code < 0x20 || (code >= 0x7F && code < 0xA0) || code == 0x200E || code == 0x200F || (code >= 0x2028 && code <= 0x202E) ||
         (code >= 0x2066 && code <= 0x2069) || code == 0xFEFF;
}

void put_hex(std::string& out, std::string_view mark, std::uint32_t code, unsigned digits) {
  out += mark;
  for (unsigned i = digits; i-- > 0;) out += hex[(code >> 4U * i) & 15U];
}

enum class For { json, terminal, quotes };

std::string escaped(std::string_view text, For reader) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const char front = text.front();
    const Character next = character(text);
    const std::size_t size = std::max<std::size_t>(next.size, 1);
    const bool short_form = reader != For::json && next.code < 0x80;
    if (next.size == 0 && reader == For::json) {
      out += "\\ufffd";
    } else if (next.size == 0) {
      put_hex(out, "\\x", static_cast<unsigned char>(front), 2);
    } else if (is_treacherous(next.code)) {
      put_hex(out, short_form ? "\\x" : "\\u", next.code, short_form ? 2 : 4);
    } else if (reader != For::terminal && (front == '"' || front == '\\')) {
      out += '\\';
      out += front;
    } else {
      out += text.substr(0, size);
    }
    text.remove_prefix(size);
  }
  return out;
}

/// At the border of a character.
std::string cut(std::string_view text, std::size_t most) {
  if (text.size() <= most) return std::string(text);
  std::size_t end = most;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80) --end;
  return std::string(text.substr(0, end)) + "...";
}

void put_json(std::string& out, std::string_view name, std::string_view value, std::size_t most) {
  if (value.empty()) return;
  if (!out.empty()) out += ',';
  out.append("\"").append(name).append("\":\"").append(json_escaped(cut(value, most))).append("\"");
}

/// A client id with blanks in it could pass for more fields.
void put_word(std::string& out, std::string_view name, std::string_view value, std::size_t most) {
  if (value.empty()) return;
  out.append(" ").append(name).append("=");
  const auto plain = [](char c) { return static_cast<unsigned char>(c) > 0x20 && static_cast<unsigned char>(c) < 0x7F && c != '"' && c != '\\' && c != '='; };
  if (value.size() <= most && std::all_of(value.begin(), value.end(), plain)) {
    out += value;
  } else {
    out.append("\"").append(escaped(cut(value, most), For::quotes)).append("\"");
  }
}

}  // namespace

std::string json_escaped(std::string_view text) { return escaped(text, For::json); }
std::string text_escaped(std::string_view text) { return escaped(text, For::terminal); }

std::string json_fields(const env::LogLine& line) {
  std::string out;
  put_json(out, "event", line.event, message_max);
  out.append(out.empty() ? "" : ",").append("\"message\":\"").append(json_escaped(cut(line.text, message_max))).append("\"");
  put_json(out, "client", line.client, client_max);
  put_json(out, "remote", line.remote, remote_max);
  return out;
}

std::string text_fields(const env::LogLine& line) {
  std::string out = text_escaped(cut(line.text, message_max));
  put_word(out, "client", line.client, client_max);
  put_word(out, "remote", line.remote, remote_max);
  return out;
}

}  // namespace hf::app
