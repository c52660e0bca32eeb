// The status page: one file, embedded by CMake from page/status.html.
#pragma once

#include <string>
#include <string_view>

namespace hf::admin {

std::string_view status_page();
/// Allows the page's own script and style by their digests, connections to where it came from, and nothing else.
const std::string& page_policy();

}  // namespace hf::admin
