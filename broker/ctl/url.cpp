// Where a node's administration is: http://HOST:PORT.
#include "broker/ctl/url.hpp"

#include <algorithm>

namespace hf::ctl {
namespace {

tl::unexpected<Error> wrong(std::string_view text) {
  return fail(Blame::user, "--url is \"" + std::string(text) + "\"; expected http://HOST:PORT, such as http://127.0.0.1:8081");
}

}  // namespace

std::string Url::authority() const { return (host.find(':') == std::string::npos ? host : "[" + host + "]") + ":" + port; }

Result<Url> parse_url(std::string_view text) {
  constexpr std::string_view scheme = "http://";
  if (text.substr(0, scheme.size()) != scheme) return wrong(text);
  std::string_view rest = text.substr(scheme.size());
  if (!rest.empty() && rest.back() == '/') rest.remove_suffix(1);
  Url url{"", "8081"};
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
