// holdfastd: one node. Settings, ports, storage, then the shard on its loop until asked to stop.
#include <csignal>
#include <exception>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <sys/resource.h>
#ifdef HF_MIMALLOC
#include <mimalloc.h>
#else
#include <malloc.h>
#endif

#include <google/protobuf/stubs/logging.h>

#include "broker/app/access_wiring.hpp"
#include "broker/app/admin_wiring.hpp"
#include "broker/app/command_line.hpp"
#include "broker/app/config_admin.hpp"
#include "broker/app/config_listeners.hpp"
#include "broker/app/logging.hpp"
#include "broker/app/memory.hpp"
#include "broker/app/reload.hpp"
#include "broker/app/storage_wiring.hpp"
#include "broker/app/systemd.hpp"
#include "broker/files/standard_streams.hpp"
#include "broker/host/host.hpp"
#include "broker/node/shard.hpp"

namespace hf::app {
namespace {

enum ExitStatus { exit_fine = 0, exit_no_port = 1, exit_bad_config = 2, exit_no_storage = 3, exit_no_output = 5 };

/// A connection is a descriptor: take all that the system grants.
void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  static_cast<void>(::setrlimit(RLIMIT_NOFILE, &limit));
}

host::HostOptions host_options(const Settings& settings, const Systemd& systemd) {
  host::HostOptions options;
  options.listeners = listeners_of(settings);
  options.peer_bind = settings.peer_bind;
  options.peer_port = settings.peer_port;
  options.stop_timeout += settings.node.drain;
  options.peer_tls = peer_tls_of(settings);
  // Who says CONNECT beyond the limit is told so by the node; beyond this there is no time for that.
  options.max_connections = settings.node.max_connections + settings.node.max_pending;
  options.logs = logs;
  options.log = log_line;
  options.die = die;
  options.stopping = [&systemd] { systemd.stopping(); };
  options.alive = [&systemd] { systemd.alive(); };
  options.alive_every = systemd.alive_every();
  return options;
}

Reloadable certificates(host::Host& host) {
  return [&host](const Settings& fresh) -> Result<TakeOver> {
    auto use = host.prepare_tls(listeners_of(fresh), peer_tls_of(fresh));
    if (!use) return tl::make_unexpected(use.error());
    return [use = std::move(*use), fresh](Settings& running) {
      use();
      take_over_tls(running, fresh);
    };
  };
}

/// "0.0.0.0 port 1883", "'secure' at 0.0.0.0 port 8883 (TLS)", "'local' at /run/holdfast.sock".
std::string listeners_text(const std::vector<host::ListenerOptions>& listeners) {
  std::string text;
  for (const auto& each : listeners) {
    if (!text.empty()) text += ", ";
    if (!each.name.empty()) text += "'" + each.name + "' ";
    text += each.unix_path.empty() ? each.bind + " port " + std::to_string(each.port) : each.unix_path;
    if (each.tls || each.websocket || each.proxy_protocol) {
      text += std::string(" (") + (each.proxy_protocol ? "PROXY " : "") + (each.tls ? "TLS " : "") +
              (each.websocket ? "WebSocket " : "");
      text.back() = ')';
    }
  }
  return text;
}

/// What it has to say of bytes that peers sent: a line of the log like any other, of a kind that is bounded.
void take_from_protobuf(google::protobuf::LogLevel level, const char*, int, const std::string& text) {
  log_line({.level = level < google::protobuf::LOGLEVEL_WARNING ? env::Level::info : env::Level::warn, .text = text, .event = "protobuf"});
}

void give_memory_back() {
#ifdef HF_MIMALLOC
  ::mi_collect(true);
#else
  ::malloc_trim(0);
#endif
}

Reloadable reload_log_level() {
  return [](const Settings& fresh) -> Result<TakeOver> {
    return [level = fresh.log_level](Settings& running) {
      set_log_level(level);
      running.log_level = level;
    };
  };
}

/// What the settings name is read as a start reads it, before anything is opened. Answers who may connect.
Result<std::shared_ptr<const access::Guard>> read_all_files(const Settings& settings) {
  auto guard = make_guard(settings);
  if (!guard) return guard;
  if (auto good = host::Host::check_tls(listeners_of(settings), peer_tls_of(settings)); !good) return tl::make_unexpected(good.error());
  if (!settings.admin.enabled) return guard;
  if (auto access = admin_access_of(settings.admin); !access) return tl::make_unexpected(access.error());
  return guard;
}

/// The status to exit with, after what was to be printed.
int printed(int status) {
  if (std::cout.flush()) return status;
  std::cerr << "holdfastd: standard output cannot be written to\n";
  return exit_no_output;
}

int serve(const Order& order, std::shared_ptr<const access::Guard> guard) {
  const Settings& settings = order.settings;
  set_up_logging(settings.log_level, settings.log_format, settings.node.id);
  google::protobuf::SetLogHandler(take_from_protobuf);
  raise_descriptor_limit();
  static_cast<void>(std::signal(SIGPIPE, SIG_IGN));
  static_cast<void>(std::signal(SIGHUP, SIG_IGN));  // until there is something to reload
  const Systemd systemd = Systemd::of_environment();

  Reload reload(settings, order.read_again, log);
  reload.add(reload_log_level());
  auto options = host_options(settings, systemd);
  options.reload = [&] {
    systemd.reloading();
    reload.run();
    systemd.reloaded();
  };
  node::Shard* running = nullptr;
  // Ready is who takes connections: its disk has been read back.
  options.announce = [&] {
    if (running->inspection().readiness() == node::Readiness::starting) return false;
    systemd.ready("node " + std::to_string(settings.node.id) + " of " + std::to_string(settings.node.members.size()) +
                  " in cluster '" + settings.node.cluster_name + "'");
    return true;
  };
  const std::uint64_t memory_limit = resolved(settings.memory);
  MemoryWatch memory(memory_limit, log, [&](node::Pressure pressure) { running->set_pressure(pressure); }, give_memory_back);
  options.each_bytes = memory_limit / 64;  // who writes fast fills much in a second
  options.each_second = [&] {
    log_held_back();
    if (settings.memory != MemoryLimit{}) memory.look();
  };
  auto host = host::Host::open(std::move(options));
  if (!host) {
    log(env::Level::error, host.error().text);
    return exit_no_port;
  }
  reload.add(certificates(**host));
  auto storage = open_storage(**host, settings.data_dir);
  if (!storage) {
    log(env::Level::error, storage.error().text);
    return exit_no_storage;
  }
  node::Config config = settings.node;
  config.version = "holdfast " HF_VERSION;
  node::Shard shard((*host)->environment(), config, std::move(guard));
  reload.add(access_of(shard));
  std::unique_ptr<AdminWiring> administration;
  if (settings.admin.enabled) {
    auto access = admin_access_of(settings.admin);
    if (!access) {
      log(env::Level::error, access.error().text);
      return exit_bad_config;
    }
    auto opened = AdminWiring::open(**host, shard.inspection(), settings, std::move(*access));
    if (!opened) {
      log(env::Level::error, opened.error().text);
      return exit_no_port;
    }
    administration = std::move(*opened);
    reload.add(administration->reloadable());
  }
  log(env::Level::info, "holdfastd " HF_VERSION ": node " + std::to_string(settings.node.id) + " of " +
                            std::to_string(settings.node.members.size()) + " in cluster '" +
                            settings.node.cluster_name + "', clients at " +
                            listeners_text(listeners_of(settings)) + ", peers at " +
                            settings.peer_bind + " port " + std::to_string((*host)->peer_port()) +
                            (peer_tls_of(settings) ? " (TLS)" : "") +
                            ", administration at " +
                            (administration ? settings.admin.bind + " port " + std::to_string(administration->port()) : "no port") +
                            (administration && admin_tls_of(settings.admin) ? " (TLS)" : "") +
                            ", data in " + settings.data_dir);
  running = &shard;
  (*host)->start(shard);
  (*host)->run();
  storage->reset();  // calls the host: ends before it, and before the shard
  log_held_back(true);
  log(env::Level::info, "stopped");
  return exit_fine;
}

}  // namespace
}  // namespace hf::app

int main(int argc, char** argv) {
  hf::files::hold_standard_streams();
  try {
    const auto command = hf::app::read_command_line(argc, argv);
    if (!command.order) return hf::app::printed(command.exit_status);
    const auto& order = *command.order;
    if (order.print_only) std::cout << hf::app::print(order.settings) << "\n";
    if (order.print_only && !order.check_only) return hf::app::printed(0);
    auto guard = hf::app::read_all_files(order.settings);
    if (!guard) {
      std::cerr << "holdfastd: " << guard.error().text << "\n";
      return hf::app::exit_bad_config;
    }
    if (order.check_only && !order.print_only) std::cout << "the configuration is good\n";
    if (order.check_only) return hf::app::printed(0);
    const int status = hf::app::serve(order, std::move(*guard));
    hf::app::finish_logging();
    return status;
  } catch (const std::exception& error) {
    hf::app::finish_logging();
    std::cerr << "holdfastd: " << error.what() << "\n";
    return 4;
  }
}
