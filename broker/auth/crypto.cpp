// The hashes that logins are made of, by OpenSSL.
#include "broker/auth/crypto.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include "broker/base/assert.hpp"

namespace hf::auth {
namespace {

const EVP_MD* method(Hash hash) { return hash == Hash::sha256 ? EVP_sha256() : EVP_sha512(); }
std::size_t size_of(Hash hash) { return hash == Hash::sha256 ? 32 : 64; }
const unsigned char* bytes(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }
unsigned char* bytes(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

}  // namespace

std::string digest(Hash hash, std::string_view text) {
  std::string out(size_of(hash), '\0');
  const int done = EVP_Digest(text.data(), text.size(), bytes(out), nullptr, method(hash), nullptr);
  HF_ASSERT(done == 1);
  return out;
}

std::string hmac(Hash hash, std::string_view key, std::string_view text) {
  std::string out(size_of(hash), '\0');
  const auto* done = HMAC(method(hash), key.data(), static_cast<int>(key.size()), bytes(text), text.size(), bytes(out), nullptr);
  HF_ASSERT(done != nullptr);
  return out;
}

std::string stretch(Hash hash, std::string_view password, std::string_view salt, unsigned iterations, std::size_t size) {
  std::string out(size, '\0');
  const int done = PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()), bytes(salt),
                                     static_cast<int>(salt.size()), static_cast<int>(iterations), method(hash),
                                     static_cast<int>(size), bytes(out));
  HF_ASSERT(done == 1);
  return out;
}

bool same(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string random_bytes(std::size_t size) {
  std::string out(size, '\0');
  const int done = RAND_bytes(bytes(out), static_cast<int>(size));
  HF_ASSERT(done == 1);
  return out;
}

}  // namespace hf::auth
