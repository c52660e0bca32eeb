// Where the token comes from when it is not given itself.
#include "broker/ctl/token.hpp"

#include <fstream>

namespace hf::ctl {

Result<std::string> token_in(const std::string& file) {
  std::ifstream stream(file);
  std::string token;
  if (!std::getline(stream, token)) return fail(Blame::user, file + ": cannot be read, or is empty");
  if (!token.empty() && token.back() == '\r') token.pop_back();
  return token;
}

std::string token_of_machine(const Url& url, const Security& security, const std::string& file) {
  const bool known = url.is_loopback() || (url.tls && !security.insecure);
  return known ? token_in(file).value_or("") : "";
}

}  // namespace hf::ctl
