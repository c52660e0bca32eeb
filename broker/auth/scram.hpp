// SCRAM-SHA-256 (RFC 5802, RFC 7677): what a server keeps of a password, and the messages. No state.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace hf::auth {

inline constexpr unsigned scram_iterations = 4096;         ///< for passwords in the configuration
inline constexpr unsigned scram_iterations_max = 1'000'000;
inline constexpr std::size_t scram_message_max = 4096;     ///< bytes of one message

/// Proves a password without telling it. As text: `SCRAM-SHA-256$ITERATIONS:SALT$STOREDKEY:SERVERKEY`, the form that
/// PostgreSQL keeps too.
struct ScramVerifier {
  unsigned iterations = scram_iterations;
  std::string salt, stored_key, server_key;  ///< bytes

  /// Passwords are taken as they stand: SASLprep changes nothing in ASCII, and is not done beyond.
  static ScramVerifier of(std::string_view password, std::string_view salt, unsigned iterations = scram_iterations);
  static std::optional<ScramVerifier> read(std::string_view text);
  /// Takes as long as the client took.
  [[nodiscard]] bool fits(std::string_view password) const;
  friend bool operator==(const ScramVerifier&, const ScramVerifier&) = default;
};

/// `n,,n=USER,r=NONCE`
struct ClientFirst {
  std::string gs2;   ///< header, with its last comma
  std::string bare;  ///< what follows it
  std::string user;
  std::string nonce;
  /// Nothing: not well formed, channel binding asked for ('p'), a mandatory extension, or an identity to act as that
  /// is another than the user.
  static std::optional<ClientFirst> read(std::string_view message);
};

/// `c=BASE64,r=NONCE,p=PROOF`
struct ClientFinal {
  std::string binding;        ///< bytes
  std::string nonce;
  std::string proof;          ///< bytes
  std::string without_proof;
  static std::optional<ClientFinal> read(std::string_view message);
};

/// The signature to answer with; nothing where the proof is not one of the verifier's password.
[[nodiscard]] std::optional<std::string> scram_signature(const ScramVerifier& verifier, std::string_view auth_message,
                                                         std::string_view proof);

}  // namespace hf::auth
