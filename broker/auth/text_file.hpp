// Lines of an operator's files, and what is wrong with one.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "broker/base/result.hpp"

namespace hf::auth {

/// "file:12: the user is named twice".
[[nodiscard]] tl::unexpected<Error> at_line(const std::string& source, std::size_t line, const std::string& what);

/// Calls `take(line)` for each line, until that says what is wrong with one.
template <class Take>
[[nodiscard]] Result<void> for_each_line(std::string_view text, const std::string& source, Take&& take) {
  for (std::size_t number = 1; !text.empty(); ++number) {
    const auto end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    if (const std::string wrong = take(line); !wrong.empty()) return at_line(source, number, wrong);
  }
  return {};
}

}  // namespace hf::auth
