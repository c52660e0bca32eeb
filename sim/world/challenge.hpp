// CHALLENGE, the authentication method of simulated clusters: what each end says, made from a nonce and a password.
#pragma once

#include <string>
#include <string_view>

#include "broker/base/hash.hpp"

namespace hf::sim {

constexpr std::string_view challenge_method = "CHALLENGE";

/// What the client answers the nonce with. Nobody attacks a simulation: a hash that is the same everywhere will do.
inline std::string challenge_answer(std::string_view nonce, std::string_view password) {
  return "answer " + std::to_string(hash64(nonce, hash64(password)));
}

/// The server's last word: it knows the password, too.
inline std::string challenge_proof(std::string_view nonce, std::string_view password) {
  return "proof " + std::to_string(hash64(nonce, hash64(password, 1)));
}

}  // namespace hf::sim
