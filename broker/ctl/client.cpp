// A client of the administration: one request, one answer; or a stream of lines.
#include "broker/ctl/client.hpp"

#include <array>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

namespace hf::ctl {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using Code = boost::system::error_code;

constexpr std::uint64_t answer_max = 64U << 20U;
constexpr std::size_t line_max = 1U << 20U;

/// Operations of Asio one after the other: a synchronous call could not be given up.
class Session {
 public:
  explicit Session(Duration patience) : patience_(patience) {}

  /// Runs what `begin(done)` has begun; `forever`: without the patience.
  template <class Begin>
  Code run(Begin begin, bool forever = false) {
    Code result;
    if (forever) {
      stream.expires_never();
    } else {
      stream.expires_after(patience_);
    }
    begin([&result](Code error, auto&&...) { result = error; });
    context.restart();
    context.run();
    return result;
  }

  Code connect(const Url& url) {
    asio::ip::tcp::resolver resolver(context);
    Code error;
    const auto endpoints = resolver.resolve(url.host, url.port, error);
    if (error) return error;
    return run([&](auto done) { stream.async_connect(endpoints, done); });
  }

  asio::io_context context;
  beast::tcp_stream stream{context};
  beast::flat_buffer buffer;

 private:
  Duration patience_;
};

tl::unexpected<Error> unreachable(const Url& url, const Code& error) {
  return fail(Blame::peer, "http://" + url.authority() + ": " + error.message());
}

http::request<http::string_body> request_of(std::string_view method, std::string_view target, std::string_view body, const Url& url,
                                            const std::string& token) {
  http::request<http::string_body> request;
  request.method_string({method.data(), method.size()});
  request.target({target.data(), target.size()});
  request.version(11);
  request.set(http::field::host, url.authority());
  request.set(http::field::user_agent, "holdfast-ctl");
  request.set(http::field::connection, "close");
  if (!token.empty()) request.set(http::field::authorization, "Bearer " + token);
  request.body() = std::string(body);
  if (!body.empty()) request.set(http::field::content_type, "application/json");
  request.prepare_payload();
  return request;
}

}  // namespace

Result<Answer> Client::ask(std::string_view method, std::string_view target, std::string_view body) const {
  Session session(patience_);
  if (const Code error = session.connect(url_)) return unreachable(url_, error);
  const auto request = request_of(method, target, body, url_, token_);
  if (const Code error = session.run([&](auto done) { http::async_write(session.stream, request, done); })) return unreachable(url_, error);
  http::response_parser<http::string_body> parser;
  parser.body_limit(answer_max);
  if (const Code error = session.run([&](auto done) { http::async_read(session.stream, session.buffer, parser, done); })) {
    return unreachable(url_, error);
  }
  return Answer{parser.get().result_int(), parser.get().body()};
}

Result<Answer> Client::follow(std::string_view target, const std::function<void(std::string_view)>& line) const {
  Session session(patience_);
  if (const Code error = session.connect(url_)) return unreachable(url_, error);
  const auto request = request_of("GET", target, {}, url_, token_);
  if (const Code error = session.run([&](auto done) { http::async_write(session.stream, request, done); })) return unreachable(url_, error);
  http::response_parser<http::buffer_body> parser;
  parser.body_limit(boost::none);
  if (const Code error = session.run([&](auto done) { http::async_read_header(session.stream, session.buffer, parser, done); })) {
    return unreachable(url_, error);
  }
  Answer answer{parser.get().result_int(), ""};
  std::string text;
  std::array<char, 16384> part;
  while (!parser.is_done()) {
    auto& body = parser.get().body();
    body.data = part.data();
    body.size = part.size();
    const Code error = session.run([&](auto done) { http::async_read_some(session.stream, session.buffer, parser, done); }, answer.status == 200);
    if (error && error != http::error::need_buffer) return unreachable(url_, error);
    text.append(part.data(), part.size() - body.size);
    if (text.size() > line_max) return fail(Blame::peer, "http://" + url_.authority() + ": a line without end");
    if (answer.status != 200) continue;
    for (auto end = text.find('\n'); end != std::string::npos; end = text.find('\n')) {
      line(std::string_view(text).substr(0, end));
      text.erase(0, end + 1);
    }
  }
  answer.body = std::move(text);
  return answer;
}

}  // namespace hf::ctl
