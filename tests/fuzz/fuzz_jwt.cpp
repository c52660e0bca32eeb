// Tokens: what nobody signed lets nobody in; what is signed lets a named user in or nobody, whatever its claims are.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "broker/auth/base64.hpp"
#include "broker/auth/crypto.hpp"
#include "broker/auth/jwt.hpp"

namespace {

using namespace hf::auth;  // NOLINT: a program of one file

const std::string secret = "0123456789abcdef0123456789abcdef";

std::string url(std::string_view bytes) {
  std::string text = to_base64(bytes);
  for (char& c : text) c = c == '+' ? '-' : c == '/' ? '_' : c;
  while (text.ends_with('=')) text.pop_back();
  return text;
}

}  // namespace

/// The first byte: 0 a token, 1 claims, 2 a header.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Jwt jwt({.algorithm = "HS256"}, *JwtKey::shared(secret, "fuzz"));
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
  const hf::access::Applicant applicant{.client = "c", .wall_ms = 1'800'000'000'000, .name = "ann"};
  if (data[0] % 3 == 0) {
    if (jwt.check(text, applicant)) std::abort();
    return 0;
  }
  const bool claims = data[0] % 3 == 1;
  const std::string token = url(claims ? R"({"alg":"HS256"})" : text) + "." + url(claims ? text : R"({"sub":"ann"})");
  const auto grant = jwt.check(token + "." + url(hmac(Hash::sha256, secret, token)), applicant);
  if (grant && (grant->user.empty() || grant->listed)) std::abort();
  return 0;
}
