// A server's side of one SCRAM-SHA-256 exchange.
#include "broker/auth/scram_exchange.hpp"

#include <cstdint>

#include "broker/auth/base64.hpp"
#include "broker/auth/crypto.hpp"

namespace hf::auth {

namespace {
constexpr std::size_t salt_size = 16;
}  // namespace

std::string ScramUsers::derived(std::string_view what, std::string_view from) const {
  return hmac(Hash::sha256, secret_, std::string(what) + '\0' + std::string(from));
}

void ScramUsers::add(const std::string& user, ScramVerifier verifier) {
  shapes_.emplace_back(verifier.iterations, verifier.salt.size());
  users_.insert_or_assign(user, std::move(verifier));
}

void ScramUsers::add_password(const std::string& user, std::string_view password) {
  add(user, ScramVerifier::of(password, derived("salt", user).substr(0, salt_size)));
}

ScramVerifier ScramUsers::find(std::string_view user) const {
  if (const auto found = users_.find(user); found != users_.end()) return found->second;
  const std::string stored = derived("stored", user), salt = derived("salt", user);
  std::pair<unsigned, std::size_t> shape{scram_iterations, salt_size};
  if (!shapes_.empty()) {
    std::uint64_t which = 0;
    for (const char c : derived("shape", user).substr(0, 8)) which = which << 8U | static_cast<unsigned char>(c);
    shape = shapes_[which % shapes_.size()];
  }
  std::string long_salt = salt;
  while (long_salt.size() < shape.second) long_salt += derived("salt", long_salt);
  // Nobody knows a key with that hash.
  return {shape.first, long_salt.substr(0, shape.second), stored, derived("server", user)};
}

std::string ScramUsers::nonce(const access::Draw& draw) const {
  std::string bytes;
  for (const std::uint64_t word : draw)
    for (unsigned shift = 0; shift < 64; shift += 8) bytes += static_cast<char>(word >> shift & 0xFFU);
  return to_base64(derived("nonce", bytes).substr(0, 24));
}

access::Exchange::Step ScramExchange::step(std::string_view data) {
  if (first_) return last(data);
  if (!data.empty() || asked_) return first(data);
  asked_ = true;  // it left the word to the server
  return {Next::client, {}, {}};
}

access::Exchange::Step ScramExchange::first(std::string_view message) {
  first_ = ClientFirst::read(message);
  if (!first_) return {};
  verifier_ = users_->find(first_->user);
  nonce_ = first_->nonce + nonce_;
  server_first_ = "r=" + nonce_ + ",s=" + to_base64(verifier_.salt) + ",i=" + std::to_string(verifier_.iterations);
  return {Next::client, server_first_, {}};
}

access::Exchange::Step ScramExchange::last(std::string_view message) {
  const auto final = ClientFinal::read(message);
  if (!final || final->binding != first_->gs2 || final->nonce != nonce_) return {};
  const auto signature =
      scram_signature(verifier_, first_->bare + "," + server_first_ + "," + final->without_proof, final->proof);
  if (!signature || !users_->knows(first_->user)) return {};
  access::Grant grant;
  grant.user = first_->user;
  grant.listed = true;
  return {Next::done, "v=" + to_base64(*signature), std::move(grant)};
}

}  // namespace hf::auth
