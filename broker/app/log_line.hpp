// What a line of the log says: fixed field names, and nothing in it that could pass for another line.
#pragma once

#include <string>
#include <string_view>

namespace hf::app {

/// The inside of a JSON string: quotes, control characters, and what is not UTF-8 are escaped.
std::string json_escaped(std::string_view text);
/// For a terminal or a file: control characters as \xNN. The rest stays as it is.
std::string text_escaped(std::string_view text);

/// `"message":"...","client":"..."`; no client, no field.
std::string json_fields(std::string_view message, std::string_view client);
/// `message` or `message client=...`.
std::string text_fields(std::string_view message, std::string_view client);

}  // namespace hf::app
