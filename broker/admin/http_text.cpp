// One request and one answer, as the pages of the administration see them: no sockets, no parser.
#include "broker/admin/http_text.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace hf::admin {
namespace {

int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::optional<std::string> decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    if (i + 2 >= text.size()) return std::nullopt;
    const int high = digit(text[i + 1]), low = digit(text[i + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

/// Calls `part` with what stands between separators.
template <class Part>
bool split(std::string_view text, char separator, Part part) {
  while (true) {
    const auto end = std::min(text.find(separator), text.size());
    if (!part(text.substr(0, end))) return false;
    if (end == text.size()) return true;
    text.remove_prefix(end + 1);
  }
}

}  // namespace

std::optional<Target> parse_target(std::string_view target) {
  if (target.empty() || target.front() != '/') return std::nullopt;
  const auto question = std::min(target.find('?'), target.size());
  Target out;
  const auto path = target.substr(1, question - 1);
  if (!path.empty()) {
    const bool good = split(path, '/', [&](std::string_view part) {
      auto text = decoded(part);
      if (text) out.path.push_back(std::move(*text));
      return text.has_value();
    });
    if (!good) return std::nullopt;
  }
  if (question + 1 >= target.size()) return out;
  const bool good = split(target.substr(question + 1), '&', [&](std::string_view part) {
    const auto equals = std::min(part.find('='), part.size());
    auto name = decoded(part.substr(0, equals));
    auto value = decoded(equals < part.size() ? part.substr(equals + 1) : std::string_view());
    return name && value && out.query.emplace(std::move(*name), std::move(*value)).second;
  });
  if (!good) return std::nullopt;
  return out;
}

Reply error_reply(unsigned status, std::string_view code, std::string_view message) {
  const nlohmann::ordered_json body{{"error", {{"code", code}, {"message", message}}}};
  Reply reply;
  reply.status = status;
  reply.body = body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  return reply;
}

}  // namespace hf::admin
