// The key that signatures of tokens are checked with, by OpenSSL.
#include "broker/auth/jwt_key.hpp"

#include <cstddef>

#include <openssl/bio.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "broker/auth/crypto.hpp"

namespace hf::auth {
namespace {

constexpr std::size_t secret_min = 32;  ///< RFC 7518, 3.2
constexpr int rsa_bits_min = 2048;      ///< RFC 7518, 3.3
constexpr std::size_t half = 32;        ///< of an ES256 signature: r, then s

const unsigned char* bytes(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

bool on_p256(const EVP_PKEY* key) {
  char name[64] = {};
  return EVP_PKEY_get_group_name(key, name, sizeof name, nullptr) == 1 &&
         (std::string_view(name) == "prime256v1" || std::string_view(name) == "P-256");
}

/// OpenSSL wants the two numbers as ASN.1.
std::string as_der(std::string_view signature) {
  const std::unique_ptr<ECDSA_SIG, decltype(&ECDSA_SIG_free)> both(ECDSA_SIG_new(), ECDSA_SIG_free);
  BIGNUM* r = BN_bin2bn(bytes(signature), half, nullptr);
  BIGNUM* s = BN_bin2bn(bytes(signature.substr(half)), half, nullptr);
  if (both == nullptr || r == nullptr || s == nullptr || ECDSA_SIG_set0(both.get(), r, s) != 1) {
    BN_free(r);
    BN_free(s);
    return {};
  }
  unsigned char* out = nullptr;
  const int size = i2d_ECDSA_SIG(both.get(), &out);
  if (size <= 0) return {};
  std::string der(reinterpret_cast<const char*>(out), static_cast<std::size_t>(size));
  OPENSSL_free(out);
  return der;
}

}  // namespace

Result<JwtKey> JwtKey::shared(std::string secret, const std::string& source) {
  if (secret.size() < secret_min)
    return fail(Blame::user, source + ": the secret has " + std::to_string(secret.size()) + " bytes; expected at least " +
                                 std::to_string(secret_min));
  JwtKey out("HS256");
  out.secret_ = std::move(secret);
  return out;
}

Result<JwtKey> JwtKey::of_public(const std::string& algorithm, const std::string& pem, const std::string& source) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), BIO_free);
  JwtKey out(algorithm);
  if (bio != nullptr) out.key_.reset(PEM_read_bio_PUBKEY(bio.get(), nullptr, nullptr, nullptr), EVP_PKEY_free);
  ERR_clear_error();
  if (out.key_ == nullptr) return fail(Blame::user, source + ": is no public key; expected PEM, \"-----BEGIN PUBLIC KEY-----\"");
  EVP_PKEY* key = out.key_.get();
  const bool rsa = algorithm == "RS256";
  const bool good = rsa ? EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA && EVP_PKEY_get_bits(key) >= rsa_bits_min
                        : EVP_PKEY_get_base_id(key) == EVP_PKEY_EC && on_p256(key);
  if (!good)
    return fail(Blame::user, source + ": is no key for " + algorithm + "; expected " +
                                 (rsa ? "RSA of at least " + std::to_string(rsa_bits_min) + " bits" : "an elliptic curve key on P-256"));
  return out;
}

bool JwtKey::signed_by(std::string_view text, std::string_view signature) const {
  if (algorithm_ == "HS256") return same(hmac(Hash::sha256, secret_, text), signature);
  std::string der(signature);
  if (algorithm_ == "ES256") {
    if (signature.size() != 2 * half) return false;
    der = as_der(signature);
  }
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  const bool good = context != nullptr &&
                    EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key_.get()) == 1 &&
                    EVP_DigestVerify(context.get(), bytes(der), der.size(), bytes(text), text.size()) == 1;
  ERR_clear_error();  // the thread's queue is shared with others
  return good;
}

}  // namespace hf::auth
