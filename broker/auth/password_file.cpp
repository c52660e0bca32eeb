// A password file in Mosquitto's format.
#include "broker/auth/password_file.hpp"

#include <charconv>
#include <utility>

#include "broker/auth/base64.hpp"
#include "broker/auth/crypto.hpp"
#include "broker/auth/text_file.hpp"
#include "broker/files/text_file.hpp"

namespace hf::auth {
namespace {

constexpr std::size_t hash_size = 64, salt_max = 64;
constexpr unsigned iterations_max = 1'000'000;  ///< a login is computed on the node's own thread
constexpr std::size_t user_max = 65535;         ///< of an MQTT string

/// Up to the next '$', which is cut off too.
std::string_view next_part(std::string_view& rest) {
  const auto end = rest.find('$');
  const std::string_view part = rest.substr(0, end);
  rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
  return part;
}

}  // namespace

/// Errors do not repeat what stands in the file: it may be a password.
std::string PasswordFile::read_kept(std::string_view text, Kept& kept) {
  if (!text.starts_with("$6$") && !text.starts_with("$7$"))
    return "the password is not hashed; expected $6$ or $7$ after the user (run mosquitto_passwd -U on the file)";
  const bool stretched = text.starts_with("$7$");
  text.remove_prefix(3);
  if (stretched) {
    const std::string_view number = next_part(text);
    const auto [end, trouble] = std::from_chars(number.data(), number.data() + number.size(), kept.iterations);
    if (trouble != std::errc() || end != number.data() + number.size() || kept.iterations == 0 || kept.iterations > iterations_max)
      return "the number of iterations is not good; expected 1 to " + std::to_string(iterations_max);
  }
  auto salt = from_base64(next_part(text));
  if (!salt || salt->empty() || salt->size() > salt_max)
    return "the salt is not good; expected 1 to " + std::to_string(salt_max) + " bytes in base64";
  auto hash = from_base64(text);
  if (!hash || hash->size() != hash_size) return "the hash is not good; expected " + std::to_string(hash_size) + " bytes in base64";
  kept.salt = std::move(*salt);
  kept.hash = std::move(*hash);
  return {};
}

std::string PasswordFile::take(std::string_view line) {
  while (!line.empty() && (line.back() == '\r' || line.back() == ' ' || line.back() == '\t')) line.remove_suffix(1);
  if (line.empty() || line.front() == '#') return {};
  const auto colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0) return "no user and password; expected USER:HASH";
  const std::string_view user = line.substr(0, colon);
  if (user.size() > user_max) return "the user name is too long; expected at most " + std::to_string(user_max) + " bytes";
  Kept kept;
  if (std::string wrong = read_kept(line.substr(colon + 1), kept); !wrong.empty()) return wrong;
  if (!users_.emplace(user, std::move(kept)).second) return "the user '" + std::string(user) + "' is there twice";
  return {};
}

Result<PasswordFile> PasswordFile::parse(std::string_view text, const std::string& source) {
  PasswordFile file;
  if (auto done = for_each_line(text, source, [&](std::string_view line) { return file.take(line); }); !done)
    return tl::make_unexpected(done.error());
  return file;
}

Result<PasswordFile> PasswordFile::read(const std::string& path) {
  auto text = files::read_text_file(path);
  if (!text) return tl::make_unexpected(text.error());
  return parse(*text, path);
}

bool PasswordFile::fits(std::string_view user, std::string_view password) const {
  if (users_.empty()) return false;
  const auto found = users_.find(user);
  const Kept& kept = found != users_.end() ? found->second : users_.begin()->second;
  const std::string hash = kept.iterations == 0
                               ? digest(Hash::sha512, std::string(password) + kept.salt)
                               : stretch(Hash::sha512, password, kept.salt, kept.iterations, hash_size);
  const bool good = same(hash, kept.hash);
  return good && found != users_.end();
}

}  // namespace hf::auth
