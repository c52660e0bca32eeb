// One handler on one thread in the real world: listeners, turns of the loop, stopping in good order.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "broker/base/result.hpp"
#include "broker/base/time.hpp"
#include "broker/env/environment.hpp"
#include "broker/host/storage_port.hpp"

namespace hf::host {

struct HostOptions {
  std::string client_bind = "0.0.0.0";
  std::uint16_t client_port = 1883;  ///< 0: any free port
  std::string peer_bind = "0.0.0.0";
  std::uint16_t peer_port = 7946;
  std::size_t max_connections = 100'000;
  Duration dial_timeout = 2s;
  Duration close_timeout = 5s;
  Duration stop_timeout = 10s;  ///< from the first signal until the handler is left alone
  std::function<void(env::Level, std::string_view)> log;
  std::function<void(std::string_view)> die;  ///< must end the process
  std::function<void()> reload;  ///< SIGHUP; called in a turn, so that it may speak to the handler
};

/// Everything but committed(), rows() and ask_stop() is for one thread. A turn is: wait, handle what is
/// ready (at most some hundred events), end_turn(), hand commits to the store, write each stream once.
class Host {
 public:
  /// Binds both ports.
  static Result<std::unique_ptr<Host>> open(HostOptions options);
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;
  /// Every stream ends; what is unsent is lost.
  ~Host();

  [[nodiscard]] env::Environment& environment();
  [[nodiscard]] std::uint16_t client_port() const;
  [[nodiscard]] std::uint16_t peer_port() const;

  void attach(StoragePort storage);
  /// on_start(), as the first turn. The handler must outlive the calls to turn() and run().
  void start(env::Handler& handler);
  /// One turn, or `max_wait` without any event.
  void turn(Duration max_wait);
  /// Turns until the handler has stopped; then lets closing streams finish. SIGTERM and SIGINT ask the
  /// handler to stop; after stop_timeout, or at a second signal, it is not waited for. SIGHUP reloads.
  void run();

  /// From any thread.
  void committed(std::vector<env::CommitId> ids, env::CommitStatus status);
  void rows(env::ReadId id, std::vector<env::Row> rows, env::ReadStatus status);
  void ask_stop();
  /// What SIGHUP does.
  void ask_reload();

 private:
  class Loop;
  explicit Host(std::unique_ptr<Loop> loop);
  std::unique_ptr<Loop> loop_;
};

}  // namespace hf::host
