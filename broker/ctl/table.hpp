// Aligned columns for a terminal.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace hf::ctl {

class Table {
 public:
  /// A name that ends with '>' is of a column of numbers: aligned to the right.
  explicit Table(std::vector<std::string> columns) : columns_(std::move(columns)) {}
  void row(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  [[nodiscard]] std::string text() const;

 private:
  std::vector<std::string> columns_;
  std::vector<std::vector<std::string>> rows_;
};

/// Names and values, one a line.
std::string pairs(const std::vector<std::pair<std::string, std::string>>& all);
/// Control characters, which clients may put into their ids, cannot reach the terminal.
std::string shown(const std::string& text);

}  // namespace hf::ctl
