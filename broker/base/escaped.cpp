// Text of others, for a terminal or a file: what could pass for something else than text is escaped.
#include "broker/base/escaped.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace hf {
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
  return code < 0x20 || (code >= 0x7F && code < 0xA0) || code == 0x061C || code == 0x200E || code == 0x200F || (code >= 0x2028 && code <= 0x202E) ||
         (code >= 0x2066 && code <= 0x2069) || code == 0xFEFF;
}

void put_hex(std::string& out, std::string_view mark, std::uint32_t code, unsigned digits) {
  out += mark;
  for (unsigned i = digits; i-- > 0;) out += hex[(code >> 4U * i) & 15U];
}

enum class For { json, document, terminal, quotes };

std::string escaped(std::string_view text, For reader) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const char front = text.front();
    const Character next = character(text);
    const std::size_t size = std::max<std::size_t>(next.size, 1);
    const bool json = reader == For::json || reader == For::document;
    const bool short_form = !json && next.code < 0x80;
    if (reader == For::document && front == '\n') {
      out += front;
    } else if (next.size == 0 && json) {
      out += "\\ufffd";
    } else if (next.size == 0) {
      put_hex(out, "\\x", static_cast<unsigned char>(front), 2);
    } else if (is_treacherous(next.code)) {
      put_hex(out, short_form ? "\\x" : "\\u", next.code, short_form ? 2 : 4);
    } else if ((reader == For::json || reader == For::quotes) && (front == '"' || front == '\\')) {
      out += '\\';
      out += front;
    } else {
      out += text.substr(0, size);
    }
    text.remove_prefix(size);
  }
  return out;
}

}  // namespace

std::string json_escaped(std::string_view text) { return escaped(text, For::json); }
std::string document_escaped(std::string_view json) { return escaped(json, For::document); }
std::string text_escaped(std::string_view text) { return escaped(text, For::terminal); }
std::string quotes_escaped(std::string_view text) { return escaped(text, For::quotes); }

}  // namespace hf
