// Topic names and topic filters: what is well formed, what `$share/` means, what matches what.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace hf::topic {

/// Longest name or filter in bytes [MQTT-4.7.3-3]; for a shared subscription, prefix included.
inline constexpr std::size_t length_max = 65535;
/// Most levels of a name or filter. MQTT sets no limit; this one bounds the nodes a filter can
/// cost.
inline constexpr std::size_t levels_max = 8192;

// That the bytes are UTF-8 is the decoder's business (broker/mqtt), not checked here.

/// A name one may publish to: 1..length_max bytes, no wildcard, no U+0000.
[[nodiscard]] bool valid_name(std::string_view name);

/// A filter one may subscribe to, `$share/` not being special: `#` alone in the last level, `+`
/// alone in its level, 1..length_max bytes, no U+0000.
[[nodiscard]] bool valid_filter(std::string_view filter);

/// A subscription taken apart. `group` is empty unless it is shared. Both are views of the input.
struct ParsedFilter {
  std::string_view group;
  std::string_view filter;
  [[nodiscard]] bool shared() const { return !group.empty(); }
  friend bool operator==(const ParsedFilter&, const ParsedFilter&) = default;
};

/// Takes `$share/GROUP/FILTER` or a plain filter apart; nothing if either part is malformed.
[[nodiscard]] std::optional<ParsedFilter> parse_filter(std::string_view text);

/// Whether a valid filter (without `$share/`) matches a valid name. A filter that begins with a
/// wildcard matches no name that begins with `$` [MQTT-4.7.2-1].
[[nodiscard]] bool matches(std::string_view filter, std::string_view name);

}  // namespace hf::topic
