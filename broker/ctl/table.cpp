// Aligned columns for a terminal.
#include "broker/ctl/table.hpp"

#include <algorithm>

#include "broker/base/escaped.hpp"

namespace hf::ctl {
namespace {

/// Characters, not bytes: continuation bytes of UTF-8 take no place.
std::size_t width(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80; }));
}

std::string padded(const std::string& text, std::size_t to, bool right) {
  const std::string space(to - std::min(to, width(text)), ' ');
  return right ? space + text : text + space;
}

}  // namespace

std::string Table::text() const {
  std::vector<bool> right;
  std::vector<std::string> names;
  for (const auto& column : columns_) {
    right.push_back(column.back() == '>');
    names.push_back(right.back() ? column.substr(0, column.size() - 1) : column);
  }
  std::vector<std::vector<std::string>> lines{names};
  for (const auto& row : rows_) {
    lines.emplace_back();
    for (const auto& cell : row) lines.back().push_back(shown(cell));
  }
  std::vector<std::size_t> widths(names.size());
  for (const auto& line : lines) {
    for (std::size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], width(line[i]));
  }
  std::string out;
  for (const auto& line : lines) {
    std::string text;
    for (std::size_t i = 0; i < line.size(); ++i) text += (i > 0 ? "  " : "") + padded(line[i], widths[i], right[i]);
    text.erase(text.find_last_not_of(' ') + 1);
    out += text + "\n";
  }
  return out;
}

std::string pairs(const std::vector<std::pair<std::string, std::string>>& all) {
  std::size_t widest = 0;
  for (const auto& [name, value] : all) widest = std::max(widest, width(name));
  std::string out;
  for (const auto& [name, value] : all) out += padded(name, widest, false) + "  " + shown(value) + "\n";
  return out;
}

std::string shown(const std::string& text) { return text_escaped(text); }

}  // namespace hf::ctl
