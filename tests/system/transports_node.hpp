// One node of holdfastd that listens on every transport, and bytes spoken to it by hand.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "tests/support/authority.hpp"
#include "tests/system/processes.hpp"

namespace hf::system_tests {

/// A socket of the test's own, to 127.0.0.1 or to a Unix socket.
class RawClient {
 public:
  explicit RawClient(std::uint16_t port);
  explicit RawClient(const std::string& unix_path);
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;
  ~RawClient();
  void say(std::string_view bytes) const;
  /// `size` bytes, fewer when the stream ended or nothing came for `patience`.
  [[nodiscard]] std::string hear(std::size_t size, Seconds patience = Seconds(10)) const;
  /// Whether the stream ended within `patience`; what came before is passed over.
  [[nodiscard]] bool ended(Seconds patience) const;

 private:
  int handle_ = -1;
};

/// A CONNECT of MQTT 3.1.1, clean, and the CONNACK that says yes.
std::string connect_packet(const std::string& client_id);
inline const std::string connack{"\x20\x02\x00\x00", 4};

/// Listeners: plain, secure (TLS), strict (client certificates and a revocation list), ws, wss, proxy, local (Unix).
class TransportsNode {
 public:
  TransportsNode();
  [[nodiscard]] std::uint16_t port(const std::string& listener) const { return ports_.at(listener); }
  [[nodiscard]] std::string unix_path() const { return authority.directory() + "/local.sock"; }
  [[nodiscard]] std::string uri(const std::string& scheme, const std::string& listener) const;
  Cluster& cluster() { return *cluster_; }
  /// SIGHUP, and until the log says `words`.
  [[nodiscard]] bool reload(const std::string& words);
  /// A client on `plain` talks.
  [[nodiscard]] bool alive() const;
  /// What openssl s_client printed, some time after its handshake.
  [[nodiscard]] std::string s_client(const std::string& listener, const std::string& options) const;

  test_support::Authority authority{"Holdfast test authority"};
  test_support::Issued node = authority.issue("node");
  test_support::Issued ann = authority.issue("ann");

 private:
  std::map<std::string, std::uint16_t> ports_;
  std::unique_ptr<Cluster> cluster_;
};

}  // namespace hf::system_tests
