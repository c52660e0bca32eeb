// A client's side of SCRAM-SHA-256, for tests.
#include "tests/auth/scram_client.hpp"

#include <array>
#include <utility>

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

namespace hf::auth {
namespace {

using Key = std::array<unsigned char, 32>;

const unsigned char* bytes(const std::string& text) { return reinterpret_cast<const unsigned char*>(text.data()); }

Key hmac_of(const Key& key, const std::string& text) {
  Key out{};
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), bytes(text), text.size(), out.data(), nullptr);
  return out;
}

std::string encoded(const unsigned char* data, std::size_t size) {
  std::string out(4 * ((size + 2) / 3) + 1, '\0');
  const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()), data, static_cast<int>(size));
  out.resize(static_cast<std::size_t>(length));
  return out;
}

std::string decoded(const std::string& text) {
  std::string out(text.size(), '\0');
  const int length = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()), bytes(text), static_cast<int>(text.size()));
  std::size_t size = length < 0 ? 0 : static_cast<std::size_t>(length);
  for (auto at = text.rbegin(); size != 0 && at != text.rend() && *at == '='; ++at) --size;
  out.resize(size);
  return out;
}

}  // namespace

ScramClient::ScramClient(std::string user, std::string password, std::string nonce, std::string gs2)
    : user_(std::move(user)), password_(std::move(password)), nonce_(std::move(nonce)), gs2_(std::move(gs2)) {}

std::optional<std::string> ScramClient::last(const std::string& server_first) {
  const auto salt_at = server_first.find(",s="), count_at = server_first.find(",i=");
  if (!server_first.starts_with("r=" + nonce_) || salt_at == std::string::npos || count_at == std::string::npos) return std::nullopt;
  const std::string nonce = server_first.substr(2, salt_at - 2);
  const std::string salt = decoded(server_first.substr(salt_at + 3, count_at - salt_at - 3));
  Key salted{};
  PKCS5_PBKDF2_HMAC(password_.data(), static_cast<int>(password_.size()), bytes(salt), static_cast<int>(salt.size()),
                    std::stoi(server_first.substr(count_at + 3)), EVP_sha256(), 32, salted.data());
  const std::string without_proof = "c=" + encoded(bytes(gs2_), gs2_.size()) + ",r=" + nonce;
  const std::string auth_message = bare() + "," + server_first + "," + without_proof;
  Key proof = hmac_of(salted, "Client Key"), stored{};
  SHA256(proof.data(), proof.size(), stored.data());
  const Key signature = hmac_of(stored, auth_message);
  for (std::size_t i = 0; i < proof.size(); ++i) proof[i] = static_cast<unsigned char>(proof[i] ^ signature[i]);
  const Key expected = hmac_of(hmac_of(salted, "Server Key"), auth_message);
  signature_ = encoded(expected.data(), expected.size());
  return without_proof + ",p=" + encoded(proof.data(), proof.size());
}

bool ScramClient::trusts(const std::string& server_final) const { return server_final == "v=" + signature_; }

}  // namespace hf::auth
