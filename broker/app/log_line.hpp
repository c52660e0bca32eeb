// What a line of the log says: fixed field names, and nothing in it that could pass for another line.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "broker/env/environment.hpp"

namespace hf::app {

/// Bytes of a field; what is longer is cut, and ends in "...".
inline constexpr std::size_t message_max = 4096, client_max = 256, remote_max = 128;

/// `"event":"...","message":"...","client":"...","remote":"..."`; no field for what the line does not have.
std::string json_fields(const env::LogLine& line);
/// `message client=... remote=...`; a value that is no plain word stands between double quotes.
std::string text_fields(const env::LogLine& line);

}  // namespace hf::app
