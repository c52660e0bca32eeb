// One connection to a node, plain or by TLS: operations of Asio one after the other, each of which can be given up.
#pragma once

#include <optional>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>

#include "broker/base/result.hpp"
#include "broker/base/time.hpp"
#include "broker/ctl/security.hpp"
#include "broker/ctl/url.hpp"

namespace hf::ctl {

class Session {
 public:
  using Code = boost::system::error_code;

  explicit Session(Duration patience) : patience_(patience) {}

  /// Until the node may be asked: with https:// it is the one of that name then, unless `security` does not care.
  Result<void> connect(const Url& url, const Security& security);
  /// Runs to its end what `begin(stream, done)` has begun; `forever`: without the patience.
  template <class Begin>
  Code run(Begin begin, bool forever = false) {
    return secure_ ? run_on(*secure_, begin, forever) : run_on(stream_, begin, forever);
  }

  boost::beast::flat_buffer buffer;

 private:
  /// A synchronous call could not be given up.
  template <class Stream, class Begin>
  Code run_on(Stream& stream, Begin begin, bool forever = false) {
    Code result;
    if (forever) {
      stream_.expires_never();
    } else {
      stream_.expires_after(patience_);
    }
    begin(stream, [&result](Code error, auto&&...) { result = error; });
    context_.restart();
    context_.run();
    return result;
  }
  Result<void> prepare_tls(const Url& url, const Security& security);

  Duration patience_;
  boost::asio::io_context context_;
  boost::beast::tcp_stream stream_{context_};
  boost::asio::ssl::context tls_{boost::asio::ssl::context::tls_client};
  std::optional<boost::asio::ssl::stream<boost::beast::tcp_stream&>> secure_;  ///< over stream_
};

}  // namespace hf::ctl
