// The HTTP listener of the administration, on the host's own loop.
#include "broker/admin/server.hpp"

#include <cerrno>
#include <optional>
#include <utility>

#include <boost/asio/posix/basic_stream_descriptor.hpp>

#include "broker/admin/connection.hpp"
#include "broker/host/sockets.hpp"

namespace hf::admin {
namespace {

namespace asio = boost::asio;
using Listener = asio::posix::basic_stream_descriptor<Executor>;
using Timer = asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>, Executor>;
constexpr Duration accept_pause = 1s;

}  // namespace

struct Server::Parts {
  Parts(asio::io_context& context, Administration& administration, const Limits& limits)
      : loop(context), pause(context.get_executor()), shared{administration, limits, std::make_shared<Places>(limits.connections), nullptr} {}

  void wait() {
    listener->async_wait(Listener::wait_read, [this](const boost::system::error_code& error) {
      if (!error) accept();
    });
  }

  void accept() {
    const auto accepted = host::accept_on(listener->native_handle());
    if (accepted.handle >= 0) {
      adopt(accepted.handle);
      return wait();
    }
    const int error = accepted.error;
    if (error == EAGAIN || error == EWOULDBLOCK || error == EINTR || error == ECONNABORTED) return wait();
    // Out of descriptors or memory: asking again at once would spin.
    pause.expires_after(accept_pause);
    pause.async_wait([this](const boost::system::error_code& aborted) {
      if (!aborted) wait();
    });
  }

  void adopt(int handle) {
    Socket socket(loop.get_executor(), asio::generic::stream_protocol(AF_UNSPEC, 0), handle);
    if (Connection* other = shared.places->in_the_way(); other != nullptr) other->give_way();
    if (!shared.places->has_room()) return;  // the socket closes
    std::make_shared<Connection>(std::move(socket), shared)->begin();
  }

  asio::io_context& loop;
  std::optional<Listener> listener;
  Timer pause;
  Shared shared;
};

Server::Server(host::LoopContext& loop, Administration& administration, Limits limits)
    : parts_(std::make_unique<Parts>(loop, administration, limits)) {}
Server::~Server() = default;

Result<std::uint16_t> Server::listen(const std::string& bind, std::uint16_t port) {
  const auto handle = host::listen_on(bind, port);
  if (!handle) return tl::make_unexpected(handle.error());
  parts_->listener.emplace(parts_->loop.get_executor(), *handle);
  parts_->wait();
  return host::port_of(*handle);
}

void Server::set_tls(std::shared_ptr<const wrapping::TlsContext> tls) { parts_->shared.tls = std::move(tls); }
void Server::adopt(int handle) { parts_->adopt(handle); }
std::size_t Server::connections() const { return parts_->shared.places->size(); }

}  // namespace hf::admin
