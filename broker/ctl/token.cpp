// Where the token comes from when it is not given itself.
#include "broker/ctl/token.hpp"

#include "broker/files/text_file.hpp"

namespace hf::ctl {

Result<std::string> token_in(const std::string& file) { return files::first_line_of(file); }

std::string token_of_machine(const Url& url, const Security& security, const std::string& file) {
  const bool known = url.is_loopback() || (url.tls && !security.insecure);
  return known ? token_in(file).value_or("") : "";
}

}  // namespace hf::ctl
