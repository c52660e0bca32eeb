// Fields of the configuration from the environment: HOLDFAST_LISTEN_PORT=1884 is listen.port.
#include "broker/app/config_environment.hpp"

#include <algorithm>
#include <cctype>
#include <regex>
#include <string_view>

#include <unistd.h>

#include "broker/app/config_fields.hpp"

namespace hf::app {
namespace {

constexpr std::string_view prefix = "HOLDFAST_";

/// Pods get these for each service of their namespace: HOLDFAST_SERVICE_HOST, HOLDFAST_PORT_1883_TCP_ADDR and so on.
bool of_kubernetes(const std::string& name, const std::string& value) {
  static const std::regex service("HOLDFAST_(.*_)?(SERVICE_HOST|SERVICE_PORT(_.*)?|PORT_[0-9]+_(TCP|UDP|SCTP)(_.*)?)");
  static const std::regex link("(tcp|udp|sctp)://.*");
  if (std::regex_match(name, service)) return true;
  return name.size() > 5 && name.compare(name.size() - 5, 5, "_PORT") == 0 && std::regex_match(value, link);
}

bool passed_over(const std::string& name) { return name == "HOLDFAST_CONFIG" || name.rfind("HOLDFAST_CTL_", 0) == 0; }

}  // namespace

Variables variables_of_process() {
  Variables found;
  for (char** each = ::environ; each != nullptr && *each != nullptr; ++each) {
    const std::string_view text = *each;
    const auto equals = text.find('=');
    if (text.substr(0, prefix.size()) != prefix || equals == std::string_view::npos) continue;
    found.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  }
  std::sort(found.begin(), found.end());
  return found;
}

std::string variable_of(const std::string& path) {
  std::string name(prefix);
  for (const char c : path) name += c == '.' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return name;
}

Result<void> apply_variables(Settings& settings, const Variables& variables) {
  std::vector<std::string> paths{"cluster.members", "listeners"};
  for (const Field& field : fields()) paths.push_back(field.path);
  std::vector<std::string> names;
  for (const auto& path : paths) names.push_back(variable_of(path));
  for (const auto& [name, value] : variables) {
    if (passed_over(name)) continue;
    const auto known = std::find(names.begin(), names.end(), name);
    if (known != names.end()) {
      const auto& path = paths[static_cast<std::size_t>(known - names.begin())];
      if (auto done = apply_value(settings, path, value, "the environment: " + name); !done) return done;
      continue;
    }
    if (of_kubernetes(name, value)) continue;
    const std::string near = nearest(name, names);
    return fail(Blame::user, "the environment: " + name + " is no field; expected " +
                                 (near.empty() ? "HOLDFAST_ and a field (--print-config lists all)" : near + ", the nearest known"));
  }
  return {};
}

}  // namespace hf::app
