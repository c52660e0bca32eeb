// One handler on one thread in the real world: listeners, turns of the loop, stopping in good order.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/base/result.hpp"
#include "broker/base/time.hpp"
#include "broker/env/environment.hpp"
#include "broker/host/loop.hpp"
#include "broker/host/storage_port.hpp"
#include "broker/wrapping/tls_context.hpp"

namespace hf::host {

/// Where clients come in, and what they speak there.
struct ListenerOptions {
  std::string name;              ///< each once
  std::string bind = "0.0.0.0";
  std::uint16_t port = 1883;     ///< 0: any free port
  std::string unix_path;         ///< a Unix socket, instead of bind and port
  unsigned unix_mode = 0660;     ///< its permissions
  bool websocket = false;
  std::string path = "/mqtt";    ///< of the WebSocket
  bool proxy_protocol = false;   ///< each connection begins with a PROXY header
  std::optional<wrapping::TlsSettings> tls;
  std::size_t max_connections = 0;  ///< 0: only HostOptions::max_connections counts
};

/// When a certificate in use ends.
struct CertificateEnd {
  std::string listener;      ///< its name; "cluster" for the peers'
  std::int64_t seconds = 0;  ///< since 1970
};

/// Connections that the handler never saw, or lost to their wrapping; since the beginning.
struct TurnedAway {
  std::uint64_t full = 0;                ///< clients beyond max_connections
  std::uint64_t clients = 0, peers = 0;  ///< PROXY header, TLS or WebSocket were not what they must be, or late
};

struct HostOptions {
  std::vector<ListenerOptions> listeners{ListenerOptions{}};
  std::string peer_bind = "0.0.0.0";
  std::uint16_t peer_port = 7946;
  std::optional<wrapping::TlsSettings> peer_tls;  ///< both directions; none: plain TCP
  std::size_t max_connections = 100'000;
  std::size_t max_handshakes = 1000;  ///< under way at one listener
  Duration dial_timeout = 2s;
  Duration handshake_timeout = 10s;   ///< for PROXY header, TLS and WebSocket together
  Duration close_timeout = 5s;
  Duration stop_timeout = 10s;  ///< from the first signal until the handler is left alone
  std::function<bool(env::Level)> logs;  ///< whether lines of a level are written; none: all of them
  std::function<void(const env::LogLine&)> log;
  std::function<void(std::string_view)> die;  ///< must end the process
  std::function<void()> reload;  ///< SIGHUP; called in a turn, so that it may speak to the handler
  std::function<bool()> announce;  ///< asked by run() after each turn, until the answer is that it is done
  std::function<void()> each_second;  ///< by the loop, in a turn
  std::uint64_t each_bytes = 0;       ///< also when so many have been read since the last time; 0: by time only
  std::function<void()> stopping;  ///< called once, when the handler is about to be asked to stop
  std::function<void()> alive;     ///< called by the loop every `alive_every`: one that hangs calls no more
  std::optional<Duration> alive_every;
};

/// Everything but committed(), rows() and ask_stop() is for one thread. A turn is: wait, handle what is
/// ready (at most some hundred events, or some hundred KiB), end_turn(), hand commits to the store, write each stream once.
class Host {
 public:
  /// Reads the certificates and binds all ports.
  static Result<std::unique_ptr<Host>> open(HostOptions options);
  /// Reads what open() would read, and opens nothing: certificates, keys, authorities, revocation lists, ciphers.
  static Result<void> check_tls(const std::vector<ListenerOptions>& listeners, const std::optional<wrapping::TlsSettings>& peer_tls);
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;
  /// Every stream ends; what is unsent is lost.
  ~Host();

  [[nodiscard]] env::Environment& environment();
  /// Of the n-th listener; 0 for a Unix socket.
  [[nodiscard]] std::uint16_t client_port(std::size_t listener = 0) const;
  [[nodiscard]] std::uint16_t peer_port() const;

  /// Reads certificates, keys, authorities and revocation lists anew, for listeners of the same name that
  /// have TLS, and for peers. Nothing changes until the answer is called; connections that stand never change.
  Result<std::function<void()>> prepare_tls(const std::vector<ListenerOptions>& listeners,
                                            const std::optional<wrapping::TlsSettings>& peer_tls);
  [[nodiscard]] std::vector<CertificateEnd> certificate_ends() const;
  [[nodiscard]] TurnedAway turned_away() const;

  void attach(StoragePort storage);
  /// on_start(), as the first turn. The handler must outlive the calls to turn() and run().
  void start(env::Handler& handler);
  /// One turn, or `max_wait` without any event.
  void turn(Duration max_wait);
  /// Turns until the handler has stopped; then lets closing streams finish. SIGTERM and SIGINT ask the
  /// handler to stop; after stop_timeout, or at a second signal, it is not waited for. SIGHUP reloads.
  void run();

  /// For another service on the thread of run(): what it posts there runs within turns. It may read the handler, but
  /// makes it do something in in_turn() only, so that end_turn() follows; a job is dropped when the handler has stopped.
  [[nodiscard]] LoopContext& loop_context();
  void in_turn(const std::function<void()>& job);

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
