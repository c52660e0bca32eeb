// Files of an operator that are read whole.
#pragma once

#include <cstddef>
#include <string>

#include "broker/base/result.hpp"

namespace hf::files {

inline constexpr std::size_t file_max = std::size_t{256} << 20U;  ///< bytes: a million users take 200 MB

/// Names the file in its error. A pipe may be one: it is waited for a second, and no longer.
[[nodiscard]] Result<std::string> read_text_file(const std::string& path);
/// Its first line, without what ends it; there must be one.
[[nodiscard]] Result<std::string> first_line_of(const std::string& path);

}  // namespace hf::files
