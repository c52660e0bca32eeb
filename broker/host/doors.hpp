// The host's ports, and the certificates behind them: opened once, certificates renewed while they are in use.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "broker/base/result.hpp"
#include "broker/host/host.hpp"
#include "broker/host/streams.hpp"

namespace hf::host {

class Doors {
 public:
  explicit Doors(Streams& streams) : streams_(streams) {}

  Result<void> open(const HostOptions& options);
  static Result<void> check_tls(const std::vector<ListenerOptions>& listeners, const std::optional<wrapping::TlsSettings>& peer_tls);
  [[nodiscard]] std::uint16_t client_port(std::size_t listener) const { return clients_.at(listener).port; }
  [[nodiscard]] std::uint16_t peer_port() const { return peer_port_; }
  /// See Host.
  Result<std::function<void()>> prepare_tls(const std::vector<ListenerOptions>& listeners,
                                            const std::optional<wrapping::TlsSettings>& peer_tls);
  [[nodiscard]] std::vector<CertificateEnd> certificate_ends() const;

 private:
  using Context = std::shared_ptr<const wrapping::TlsContext>;
  struct Client {
    std::string name;
    std::uint16_t port = 0;
    bool websocket = false;
    Context tls;
  };
  struct Peers {
    Context accepting;
    Context dialling;
  };
  static Result<Context> context_of(const ListenerOptions& options);
  static Result<Peers> contexts_of(wrapping::TlsSettings settings);
  void use(const Peers& peers);

  Streams& streams_;
  std::vector<Client> clients_;  ///< in the order of the listeners in Streams; the peers' is the last there
  std::uint16_t peer_port_ = 0;
  Peers peers_;
};

}  // namespace hf::host
