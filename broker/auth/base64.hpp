// Base64 of RFC 4648, strict: padded with the common alphabet, unpadded with that for URLs.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace hf::auth {

[[nodiscard]] std::string to_base64(std::string_view bytes);
/// Nothing where it is not what to_base64() writes: other characters, missing padding, bits set that are not used.
[[nodiscard]] std::optional<std::string> from_base64(std::string_view text);
[[nodiscard]] std::optional<std::string> from_base64url(std::string_view text);

}  // namespace hf::auth
