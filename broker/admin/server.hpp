// The HTTP listener of the administration, on the host's own loop.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "broker/admin/administration.hpp"
#include "broker/admin/limits.hpp"
#include "broker/base/result.hpp"
#include "broker/host/loop.hpp"
#include "broker/wrapping/tls_context.hpp"

namespace hf::admin {

class Server {
 public:
  /// Both must outlive it; the loop must not run any more when it goes.
  Server(host::LoopContext& loop, Administration& administration, Limits limits);
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server();

  /// For connections that begin from now on; those that stand keep theirs. None: plain TCP.
  void set_tls(std::shared_ptr<const wrapping::TlsContext> tls);
  /// The port it got (0: any free one).
  Result<std::uint16_t> listen(const std::string& bind, std::uint16_t port);
  /// Takes over a connected stream socket.
  void adopt(int handle);
  [[nodiscard]] std::size_t connections() const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace hf::admin
