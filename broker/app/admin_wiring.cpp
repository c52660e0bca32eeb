// The administration of this process: its settings, who may come in, and what it may reach.
#include "broker/app/admin_wiring.hpp"

#include <string>
#include <utility>

#include "broker/app/config_admin.hpp"
#include "broker/app/logging.hpp"
#include "broker/files/text_file.hpp"
#include "broker/host/sockets.hpp"

namespace hf::app {
namespace {

constexpr std::size_t token_min = 16, token_max = 4096;

/// `tls`: what the administration itself works with, from time to time.
admin::Surroundings surroundings(host::Host& host, const Settings& settings, const std::shared_ptr<const wrapping::TlsContext>& tls) {
  admin::Surroundings around;
  around.version = HF_VERSION;
  around.cluster = settings.node.cluster_name;
  around.log_level = log_level;
  around.set_log_level = set_log_level;
  around.log = log_client;
  around.log_lines_lost = log_lines_lost;
  around.turned_away = [&host] { return host.turned_away(); };
  around.certificates = [&host, &tls] {
    std::vector<admin::Certificate> all;
    for (const auto& each : host.certificate_ends()) all.push_back({each.listener, static_cast<double>(each.seconds)});
    if (tls) all.push_back({"administration", static_cast<double>(tls->expires())});
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

Result<admin::Rights> rights_of(const AdminSettings& settings) {
  admin::Rights rights{settings.token, settings.open_health, settings.open_metrics, settings.tls.client_certificate, settings.allowed_names};
  if (settings.token_file.empty()) return rights;
  auto token = files::first_line_of(settings.token_file);
  if (!token) return fail(Blame::user, "admin.token_file: " + token.error().text);
  rights.token = std::move(*token);
  if (rights.token.size() < token_min || rights.token.size() > token_max) {
    return fail(Blame::user, "admin.token_file: " + settings.token_file + ": the first line has " + std::to_string(rights.token.size()) +
                                 " characters; expected " + std::to_string(token_min) + " to " + std::to_string(token_max));
  }
  return rights;
}

/// Whoever reaches the listener may do everything.
bool is_open(const admin::Rights& rights) {
  return rights.token.empty() && rights.certificates != wrapping::ClientCertificate::required;
}

}  // namespace

Result<AdminAccess> admin_access_of(const AdminSettings& settings) {
  auto rights = rights_of(settings);
  if (!rights) return tl::make_unexpected(rights.error());
  const auto tls = admin_tls_of(settings);
  if (!tls) return AdminAccess{std::move(*rights), nullptr};
  auto context = wrapping::TlsContext::server(*tls, "http/1.1");
  if (!context) return fail(context.error().blame, "admin.tls: " + context.error().text);
  return AdminAccess{std::move(*rights), std::move(*context)};
}

AdminWiring::AdminWiring(host::Host& host, node::Inspection& inspection, const Settings& settings, admin::Rights rights)
    : bind_(settings.admin.bind), administration_(inspection, surroundings(host, settings, tls_), std::move(rights)),
      server_(host.loop_context(), administration_, limits_of(settings.admin)) {}

Result<std::unique_ptr<AdminWiring>> AdminWiring::open(host::Host& host, node::Inspection& inspection, const Settings& settings,
                                                       AdminAccess access) {
  std::unique_ptr<AdminWiring> wiring(new AdminWiring(host, inspection, settings, std::move(access.rights)));
  wiring->use_tls(std::move(access.tls));
  const auto port = wiring->server_.listen(settings.admin.bind, settings.admin.port);
  if (!port) return fail(port.error().blame, "administration: " + port.error().text);
  wiring->port_ = *port;
  return wiring;
}

void AdminWiring::use_tls(std::shared_ptr<const wrapping::TlsContext> tls) {
  tls_ = std::move(tls);
  server_.set_tls(tls_);
}

Reloadable AdminWiring::reloadable() {
  return [this](const Settings& fresh) -> Result<TakeOver> {
    // What is meant for a listener with TLS, or for none at all, is not for this one: it waits for the restart too.
    const bool waits = !fresh.admin.enabled || admin_tls_of(fresh.admin).has_value() != (tls_ != nullptr);
    if (waits) return [](Settings&) {};
    auto access = admin_access_of(fresh.admin);
    if (!access) return tl::make_unexpected(access.error());
    if (is_open(access->rights) && !host::is_loopback(*host::numeric_endpoint(bind_, 1))) {
      return fail(Blame::user, "admin.token is \"\"; expected one as long as this process listens at " + bind_);
    }
    return [this, access = std::move(*access), admin = fresh.admin](Settings& running) {
      administration_.set_rights(access.rights);
      use_tls(access.tls);
      running.admin.token = admin.token;
      running.admin.token_file = admin.token_file;
      running.admin.open_health = admin.open_health;
      running.admin.open_metrics = admin.open_metrics;
      running.admin.tls = admin.tls;
      running.admin.allowed_names = admin.allowed_names;
    };
  };
}

}  // namespace hf::app
