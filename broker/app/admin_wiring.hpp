// The administration of this process: its settings, who may come in, and what it may reach.
#pragma once

#include <memory>

#include "broker/admin/administration.hpp"
#include "broker/admin/server.hpp"
#include "broker/app/config_file.hpp"
#include "broker/app/reload.hpp"
#include "broker/host/host.hpp"

namespace hf::app {

/// Who may come in, and by what TLS.
struct AdminAccess {
  admin::Rights rights;
  std::shared_ptr<const wrapping::TlsContext> tls;  ///< none: plain TCP
};
/// Reads the files that the settings name.
Result<AdminAccess> admin_access_of(const AdminSettings& settings);

class AdminWiring {
 public:
  /// Listens at once. `host` and `inspection` must outlive it.
  static Result<std::unique_ptr<AdminWiring>> open(host::Host& host, node::Inspection& inspection, const Settings& settings,
                                                   AdminAccess access);

  [[nodiscard]] std::uint16_t port() const { return port_; }
  /// Who may, what is open to all, and the files of TLS. Whether there is TLS is settled.
  Reloadable reloadable();

 private:
  AdminWiring(host::Host& host, node::Inspection& inspection, const Settings& settings, admin::Rights rights);
  void use_tls(std::shared_ptr<const wrapping::TlsContext> tls);

  std::string bind_;
  std::shared_ptr<const wrapping::TlsContext> tls_;  ///< of new connections
  admin::Administration administration_;
  admin::Server server_;
  std::uint16_t port_ = 0;
};

}  // namespace hf::app
