// The administration of this process: its settings, its token, and what it may reach.
#include "broker/app/admin_wiring.hpp"

#include <fstream>
#include <string>
#include <utility>

#include "broker/app/logging.hpp"
#include "broker/host/sockets.hpp"

namespace hf::app {
namespace {

constexpr std::size_t token_min = 16, token_max = 4096;

admin::Surroundings surroundings(host::Host& host, const Settings& settings) {
  admin::Surroundings around;
  around.version = HF_VERSION;
  around.cluster = settings.node.cluster_name;
  around.log_level = log_level;
  around.set_log_level = set_log_level;
  around.log = log_client;
  around.certificates = [&host] {
    std::vector<admin::Certificate> all;
    for (const auto& each : host.certificate_ends()) all.push_back({each.listener, static_cast<double>(each.seconds)});
    return all;
  };
  around.in_turn = [&host](const std::function<void()>& job) { host.in_turn(job); };
  return around;
}

admin::Limits limits_of(const AdminSettings& settings) {
  admin::Limits limits;
  limits.connections = settings.max_connections;
  return limits;
}

}  // namespace

Result<admin::Rights> rights_of(const AdminSettings& settings) {
  admin::Rights rights{settings.token, settings.open_health, settings.open_metrics};
  if (settings.token_file.empty()) return rights;
  std::ifstream file(settings.token_file);
  if (!std::getline(file, rights.token)) return fail(Blame::user, "admin.token_file: " + settings.token_file + ": cannot be read, or is empty");
  if (!rights.token.empty() && rights.token.back() == '\r') rights.token.pop_back();
  if (rights.token.size() < token_min || rights.token.size() > token_max) {
    return fail(Blame::user, "admin.token_file: " + settings.token_file + ": the first line has " + std::to_string(rights.token.size()) +
                                 " characters; expected " + std::to_string(token_min) + " to " + std::to_string(token_max));
  }
  return rights;
}

AdminWiring::AdminWiring(host::Host& host, node::Inspection& inspection, const Settings& settings, admin::Rights rights)
    : bind_(settings.admin.bind), administration_(inspection, surroundings(host, settings), std::move(rights)),
      server_(host.loop_context(), administration_, limits_of(settings.admin)) {}

Result<std::unique_ptr<AdminWiring>> AdminWiring::open(host::Host& host, node::Inspection& inspection, const Settings& settings,
                                                       admin::Rights rights) {
  std::unique_ptr<AdminWiring> wiring(new AdminWiring(host, inspection, settings, std::move(rights)));
  const auto port = wiring->server_.listen(settings.admin.bind, settings.admin.port);
  if (!port) return fail(port.error().blame, "administration: " + port.error().text);
  wiring->port_ = *port;
  return wiring;
}

Reloadable AdminWiring::reloadable() {
  return [this](const Settings& fresh) -> Result<TakeOver> {
    auto rights = rights_of(fresh.admin);
    if (!rights) return tl::make_unexpected(rights.error());
    if (rights->token.empty() && !host::is_loopback(*host::numeric_endpoint(bind_, 1))) {
      return fail(Blame::user, "admin.token is \"\"; expected one as long as this process listens at " + bind_);
    }
    return [this, rights = std::move(*rights), admin = fresh.admin](Settings& running) {
      administration_.set_rights(rights);
      running.admin.token = admin.token;
      running.admin.token_file = admin.token_file;
      running.admin.open_health = admin.open_health;
      running.admin.open_metrics = admin.open_metrics;
    };
  };
}

}  // namespace hf::app
