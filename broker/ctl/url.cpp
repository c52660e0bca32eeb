// Where a node's administration is: http://HOST:PORT or https://HOST:PORT.
#include "broker/ctl/url.hpp"

#include <algorithm>

namespace hf::ctl {
namespace {

tl::unexpected<Error> wrong(std::string_view text) {
  return fail(Blame::user, "--url is \"" + std::string(text) + "\"; expected http://HOST:PORT or https://HOST:PORT, such as http://127.0.0.1:8081");
}

}  // namespace

std::string Url::authority() const { return (host.find(':') == std::string::npos ? host : "[" + host + "]") + ":" + port; }

bool Url::is_loopback() const {
  const bool digits = host.find_first_not_of("0123456789.") == std::string::npos;
  return host == "localhost" || host == "::1" || (digits && host.substr(0, 4) == "127.");
}

Result<Url> parse_url(std::string_view text) {
  constexpr std::string_view plain = "http://", secure = "https://";
  Url url{"", "8081", text.substr(0, secure.size()) == secure};
  if (!url.tls && text.substr(0, plain.size()) != plain) return wrong(text);
  std::string_view rest = text.substr(url.tls ? secure.size() : plain.size());
  if (!rest.empty() && rest.back() == '/') rest.remove_suffix(1);
  if (!rest.empty() && rest.front() == '[') {
    const auto end = rest.find(']');
    if (end == std::string_view::npos) return wrong(text);
    url.host = rest.substr(1, end - 1);
    rest.remove_prefix(end + 1);
  } else {
    const auto colon = std::min(rest.find(':'), rest.size());
    url.host = rest.substr(0, colon);
    rest.remove_prefix(colon);
  }
  if (!rest.empty()) {
    url.port = rest.substr(1);
    const bool digits = std::all_of(url.port.begin(), url.port.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (rest.front() != ':' || url.port.empty() || url.port.size() > 5 || !digits) return wrong(text);
  }
  if (url.host.empty() || url.host.find_first_of("/?#@ ") != std::string::npos) return wrong(text);
  return url;
}

}  // namespace hf::ctl
