// SCRAM-SHA-256 (RFC 5802, RFC 7677): keys and messages.
#include "broker/auth/scram.hpp"

#include <algorithm>
#include <charconv>

#include "broker/auth/base64.hpp"
#include "broker/auth/crypto.hpp"

namespace hf::auth {
namespace {

constexpr std::size_t key_size = 32, salt_max = 256;
constexpr std::string_view mark = "SCRAM-SHA-256$";

/// Up to `end`, which is cut off too; nothing where there is none.
std::optional<std::string_view> cut(std::string_view& rest, char end) {
  const auto at = rest.find(end);
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view part = rest.substr(0, at);
  rest.remove_prefix(at + 1);
  return part;
}

/// A user name as it stands in messages: "=2C" is a comma, "=3D" an equals sign, no other '=' may be.
std::optional<std::string> read_name(std::string_view text) {
  std::string name;
  while (!text.empty()) {
    if (text.front() != '=') {
      name += text.front();
      text.remove_prefix(1);
      continue;
    }
    const std::string_view code = text.substr(0, 3);
    if (code != "=2C" && code != "=3D") return std::nullopt;
    name += code == "=2C" ? ',' : '=';
    text.remove_prefix(3);
  }
  if (name.empty() || name.find('\0') != std::string::npos) return std::nullopt;
  return name;
}

bool is_nonce(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~' && c != ','; });
}

}  // namespace

ScramVerifier ScramVerifier::of(std::string_view password, std::string_view salt, unsigned iterations) {
  const std::string salted = stretch(Hash::sha256, password, salt, iterations, key_size);
  return {iterations, std::string(salt), digest(Hash::sha256, hmac(Hash::sha256, salted, "Client Key")),
          hmac(Hash::sha256, salted, "Server Key")};
}

std::optional<ScramVerifier> ScramVerifier::read(std::string_view text) {
  if (!text.starts_with(mark)) return std::nullopt;
  text.remove_prefix(mark.size());
  const auto number = cut(text, ':'), salt_text = cut(text, '$'), stored_text = cut(text, ':');
  if (!number || !salt_text || !stored_text) return std::nullopt;
  ScramVerifier out;
  const auto [end, trouble] = std::from_chars(number->data(), number->data() + number->size(), out.iterations);
  if (trouble != std::errc() || end != number->data() + number->size()) return std::nullopt;
  if (out.iterations < scram_iterations || out.iterations > scram_iterations_max) return std::nullopt;
  const auto salt = from_base64(*salt_text), stored = from_base64(*stored_text), server = from_base64(text);
  if (!salt || salt->empty() || salt->size() > salt_max) return std::nullopt;
  if (!stored || !server || stored->size() != key_size || server->size() != key_size) return std::nullopt;
  out.salt = *salt;
  out.stored_key = *stored;
  out.server_key = *server;
  return out;
}

bool ScramVerifier::fits(std::string_view password) const { return same(of(password, salt, iterations).stored_key, stored_key); }

std::optional<ClientFirst> ClientFirst::read(std::string_view message) {
  if (message.size() > scram_message_max) return std::nullopt;
  std::string_view rest = message;
  const auto binding = cut(rest, ','), identity = cut(rest, ',');
  if (!binding || !identity || (*binding != "n" && *binding != "y")) return std::nullopt;
  ClientFirst out;
  out.bare = rest;
  out.gs2 = message.substr(0, message.size() - rest.size());
  const auto user = cut(rest, ',');  // a mandatory extension ("m=...") would stand before it
  if (!user || !user->starts_with("n=") || !rest.starts_with("r=")) return std::nullopt;
  const auto name = read_name(user->substr(2));
  if (!name) return std::nullopt;
  out.user = *name;
  out.nonce = rest.substr(2, rest.find(',') - 2);  // extensions may follow, and are ignored
  if (!is_nonce(out.nonce)) return std::nullopt;
  if (identity->empty()) return out;
  if (!identity->starts_with("a=") || read_name(identity->substr(2)) != out.user) return std::nullopt;
  return out;
}

std::optional<ClientFinal> ClientFinal::read(std::string_view message) {
  if (message.size() > scram_message_max) return std::nullopt;
  const auto last = message.rfind(",p=");
  if (last == std::string_view::npos) return std::nullopt;
  ClientFinal out;
  out.without_proof = message.substr(0, last);
  const auto proof = from_base64(message.substr(last + 3));
  std::string_view rest = message;
  const auto binding = cut(rest, ','), nonce = cut(rest, ',');
  if (!proof || !binding || !nonce || !binding->starts_with("c=") || !nonce->starts_with("r=")) return std::nullopt;
  const auto bytes = from_base64(binding->substr(2));
  if (!bytes) return std::nullopt;
  out.binding = *bytes;
  out.nonce = nonce->substr(2);
  out.proof = *proof;
  return out;
}

std::optional<std::string> scram_signature(const ScramVerifier& verifier, std::string_view auth_message, std::string_view proof) {
  const std::string signature = hmac(Hash::sha256, verifier.stored_key, auth_message);
  if (proof.size() != signature.size()) return std::nullopt;
  std::string client_key = signature;
  for (std::size_t i = 0; i < client_key.size(); ++i) client_key[i] = static_cast<char>(client_key[i] ^ proof[i]);
  if (!same(digest(Hash::sha256, client_key), verifier.stored_key)) return std::nullopt;
  return hmac(Hash::sha256, verifier.server_key, auth_message);
}

}  // namespace hf::auth
