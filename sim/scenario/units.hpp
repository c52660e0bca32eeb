// "250ms", "20/s", "64KiB", "10gbit": quantities with units, read into integers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hf::sim {

/// Nanoseconds: ns us ms s m (min) h d; decimals and a sign are allowed ("1.5s", "-50ms", "0").
std::optional<std::int64_t> parse_duration(std::string_view text);
/// The nanoseconds between two of "20/s", "0.5/s", "6/m", "100/h".
std::optional<std::int64_t> parse_rate(std::string_view text);
/// Bytes: B, KB, MB, GB, KiB, MiB, GiB; a bare number is bytes.
std::optional<std::int64_t> parse_size(std::string_view text);
/// Bits a second: bit, kbit, mbit, gbit (tc), or a size with "/s" ("500MB/s").
std::optional<std::int64_t> parse_bandwidth(std::string_view text);

/// The shortest exact spelling that parse_duration takes.
std::string show_duration(std::int64_t nanoseconds);

}  // namespace hf::sim
