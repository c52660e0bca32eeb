// One connection of the administration: requests in, answers out, one after the other; or a trace. Shows Asio and Beast.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/serializer.hpp>
#include <boost/beast/http/string_body.hpp>

#include "broker/admin/administration.hpp"
#include "broker/admin/limits.hpp"
#include "broker/admin/places.hpp"
#include "broker/wrapping/tls_context.hpp"

namespace hf::admin {

/// Any stream socket: TCP, and Unix sockets in tests.
using Executor = boost::asio::io_context::executor_type;
using Socket = boost::asio::basic_stream_socket<boost::asio::generic::stream_protocol, Executor>;

/// What connections share. `places` outlives the server: connections may go after it.
struct Shared {
  Administration& administration;
  Limits limits;
  std::shared_ptr<Places> places;
  std::shared_ptr<const wrapping::TlsContext> tls;  ///< a connection keeps the one that it began with; none: plain TCP
};

/// A trace under way.
struct Tracing {
  std::string client;
  std::string waiting, going;  ///< lines to be written; being written
  std::uint64_t lost = 0;
  bool writing = false;
};

/// Keeps itself alive as long as something is asked of the socket. Invariants:
///  1. One of these is under way at a time: the handshake, reading a request, waiting for its answer, writing, a trace, the farewell.
///  2. An answer that comes after its time is not written.
///  3. It has a place from its beginning to its end, or until it gives way.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(Socket socket, const Shared& shared);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();
  void begin();
  [[nodiscard]] Stage stage() const;
  /// At once, without a word to the other end: a newcomer needs the place.
  void give_way();

 private:
  using Stream = boost::beast::basic_stream<boost::asio::generic::stream_protocol, Executor>;
  using Secure = boost::asio::ssl::stream<Stream&>;
  using Timer = boost::asio::basic_waitable_timer<std::chrono::steady_clock, boost::asio::wait_traits<std::chrono::steady_clock>, Executor>;
  using Code = boost::system::error_code;

  /// `use` with the stream that requests and answers go over.
  template <class Use>
  void over_stream(Use use) {
    secure_ ? use(*secure_) : use(stream_);
  }
  // connection_tls.cpp
  void shake_hands();
  void on_handshake(Code error);
  void say_goodbye();
  void read();
  void on_read(Code error);
  void ask();
  void answer(Reply reply);
  void farewell();
  void hang_up();
  void drain();
  // connection_trace.cpp
  void begin_trace(const std::string& client);
  void on_packet(node::Inspection::Direction direction, std::string_view text);
  void write_trace();
  void end_trace();

  Stream stream_;
  std::optional<Secure> secure_;  ///< over stream_, if there is TLS
  Timer patience_;
  Shared shared_;
  std::string remote_;                      ///< the other end's address
  std::optional<std::string> certificate_;  ///< as in Request
  boost::beast::flat_buffer buffer_;
  std::optional<boost::beast::http::request_parser<boost::beast::http::string_body>> parser_;
  std::optional<boost::beast::http::response<boost::beast::http::string_body>> response_;
  std::optional<boost::beast::http::response_serializer<boost::beast::http::string_body>> serializer_;
  unsigned version_ = 11;
  bool keep_ = false, head_ = false;
  std::uint64_t asked_ = 0;  ///< requests so far: tells a late answer
  std::size_t drained_ = 0;
  Stage stage_ = Stage::fresh;
  const std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();

  std::optional<Tracing> tracing_;
};

}  // namespace hf::admin
