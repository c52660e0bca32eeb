// The hashes that logins are made of, by OpenSSL.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace hf::auth {

enum class Hash { sha256, sha512 };

[[nodiscard]] std::string digest(Hash hash, std::string_view text);
[[nodiscard]] std::string hmac(Hash hash, std::string_view key, std::string_view text);
/// PBKDF2 with HMAC over `hash`. Takes time in proportion to `iterations`.
[[nodiscard]] std::string stretch(Hash hash, std::string_view password, std::string_view salt, unsigned iterations,
                                  std::size_t size);
/// In a time that does not tell where they differ.
[[nodiscard]] bool same(std::string_view a, std::string_view b);
/// Of the system's random device.
[[nodiscard]] std::string random_bytes(std::size_t size);

}  // namespace hf::auth
