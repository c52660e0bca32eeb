// What a line of the log says: fixed field names, and nothing in it that could pass for another line.
#include "broker/app/log_line.hpp"

#include <algorithm>

#include "broker/base/escaped.hpp"

namespace hf::app {
namespace {

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
    out.append("\"").append(quotes_escaped(cut(value, most))).append("\"");
  }
}

}  // namespace

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
