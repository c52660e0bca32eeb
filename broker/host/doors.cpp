// The host's ports, and the certificates behind them.
#include "broker/host/doors.hpp"

#include <algorithm>
#include <utility>

namespace hf::host {

Result<Doors::Context> Doors::context_of(const ListenerOptions& options) {
  if (!options.tls) return Context();
  auto made = wrapping::TlsContext::server(*options.tls, options.websocket ? "http/1.1" : "mqtt");
  if (!made) return fail(made.error().blame, "listener '" + options.name + "': " + made.error().text);
  return *made;
}

Result<Doors::Peers> Doors::contexts_of(wrapping::TlsSettings settings) {
  settings.client_certificate = wrapping::ClientCertificate::required;
  auto accepting = wrapping::TlsContext::server(settings, "holdfast");
  if (!accepting) return fail(accepting.error().blame, "cluster.tls: " + accepting.error().text);
  auto dialling = wrapping::TlsContext::client(settings);
  if (!dialling) return fail(dialling.error().blame, "cluster.tls: " + dialling.error().text);
  return Peers{*accepting, *dialling};
}

Result<void> Doors::check_tls(const std::vector<ListenerOptions>& listeners, const std::optional<wrapping::TlsSettings>& peer_tls) {
  for (const ListenerOptions& each : listeners) {
    if (auto made = context_of(each); !made) return tl::make_unexpected(made.error());
  }
  if (!peer_tls) return {};
  auto made = contexts_of(*peer_tls);
  if (!made) return tl::make_unexpected(made.error());
  return {};
}

Result<void> Doors::open(const HostOptions& options) {
  for (const ListenerOptions& each : options.listeners) {
    auto tls = context_of(each);
    if (!tls) return tl::make_unexpected(tls.error());
    Listening listening;
    listening.name = each.name;
    listening.host = each.bind;
    listening.port = each.port;
    listening.unix_path = each.unix_path;
    listening.unix_mode = each.unix_mode;
    listening.max_connections = each.max_connections;
    listening.plan.proxy_header = each.proxy_protocol;
    listening.plan.tls = *tls;
    if (each.websocket) listening.plan.websocket_path = each.path;
    const auto port = streams_.listen(std::move(listening));
    if (!port) return tl::make_unexpected(port.error());
    clients_.push_back({each.name, *port, each.websocket, std::move(*tls)});
  }
  Peers peers;
  if (options.peer_tls) {
    auto made = contexts_of(*options.peer_tls);
    if (!made) return tl::make_unexpected(made.error());
    peers = std::move(*made);
  }
  Listening listening;
  listening.kind = env::StreamKind::peer;
  listening.host = options.peer_bind;
  listening.port = options.peer_port;
  const auto port = streams_.listen(std::move(listening));
  if (!port) return tl::make_unexpected(port.error());
  peer_port_ = *port;
  if (options.peer_tls) use(peers);
  return {};
}

void Doors::use(const Peers& peers) {
  peers_ = peers;
  streams_.set_tls(clients_.size(), peers.accepting);
  streams_.set_dial_tls(peers.dialling);
}

Result<std::function<void()>> Doors::prepare_tls(const std::vector<ListenerOptions>& listeners,
                                                 const std::optional<wrapping::TlsSettings>& peer_tls) {
  std::vector<std::pair<std::size_t, Context>> fresh;
  for (std::size_t i = 0; i < clients_.size(); ++i) {
    const auto same = std::find_if(listeners.begin(), listeners.end(), [&](const ListenerOptions& each) {
      return each.name == clients_[i].name && each.websocket == clients_[i].websocket && each.tls;
    });
    if (!clients_[i].tls || same == listeners.end()) continue;
    auto made = context_of(*same);
    if (!made) return tl::make_unexpected(made.error());
    fresh.emplace_back(i, std::move(*made));
  }
  std::optional<Peers> peers;
  if (peers_.accepting && peer_tls) {
    auto made = contexts_of(*peer_tls);
    if (!made) return tl::make_unexpected(made.error());
    peers = std::move(*made);
  }
  return [this, fresh = std::move(fresh), peers = std::move(peers)] {
    for (const auto& [index, context] : fresh) {
      clients_[index].tls = context;
      streams_.set_tls(index, context);
    }
    if (peers) use(*peers);
  };
}

std::vector<CertificateEnd> Doors::certificate_ends() const {
  std::vector<CertificateEnd> ends;
  for (const Client& client : clients_) {
    if (client.tls) ends.push_back({client.name, client.tls->expires()});
  }
  if (peers_.accepting) ends.push_back({"cluster", peers_.accepting->expires()});
  return ends;
}

}  // namespace hf::host
