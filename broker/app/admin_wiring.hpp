// The administration of this process: its settings, its token, and what it may reach.
#pragma once

#include <memory>

#include "broker/admin/administration.hpp"
#include "broker/admin/server.hpp"
#include "broker/app/config_file.hpp"
#include "broker/app/reload.hpp"
#include "broker/host/host.hpp"

namespace hf::app {

/// Reads the token's file, if there is one.
Result<admin::Rights> rights_of(const AdminSettings& settings);

class AdminWiring {
 public:
  /// Listens at once. `host` and `inspection` must outlive it.
  static Result<std::unique_ptr<AdminWiring>> open(host::Host& host, node::Inspection& inspection, const Settings& settings,
                                                   admin::Rights rights);

  [[nodiscard]] std::uint16_t port() const { return port_; }
  /// The token, and what is open without one.
  Reloadable reloadable();

 private:
  AdminWiring(host::Host& host, node::Inspection& inspection, const Settings& settings, admin::Rights rights);

  std::string bind_;
  admin::Administration administration_;
  admin::Server server_;
  std::uint16_t port_ = 0;
};

}  // namespace hf::app
