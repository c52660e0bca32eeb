// Text of others, for a terminal or a file: what could pass for something else than text is escaped.
#pragma once

#include <string>
#include <string_view>

namespace hf {

/// The inside of a JSON string. Quotes, control characters (also those above U+007F), what turns the direction of writing and
/// what separates lines are escaped; what is no UTF-8 is U+FFFD.
std::string json_escaped(std::string_view text);
/// A whole JSON document: the same characters, but for quotes and the ends of lines. They stand within strings only, so it stays what it is.
std::string document_escaped(std::string_view json);
/// For a terminal or a file: the same characters as \xNN or \uNNNN, what is no UTF-8 as \xNN. The rest stays as it is.
std::string text_escaped(std::string_view text);
/// The same between double quotes.
std::string quotes_escaped(std::string_view text);

}  // namespace hf
