// A client of the administration: one request, one answer; or a stream of lines.
#include "broker/ctl/client.hpp"

#include <array>

#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

#include "broker/ctl/session.hpp"

namespace hf::ctl {
namespace {

namespace http = boost::beast::http;
using Code = Session::Code;

constexpr std::uint64_t answer_max = 64U << 20U;
constexpr std::size_t line_max = 1U << 20U;

tl::unexpected<Error> unreachable(const Url& url, const Code& error) {
  return fail(Blame::peer, url.text() + ": " + error.message());
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
  if (auto done = session.connect(url_, security_); !done) return tl::make_unexpected(done.error());
  const auto request = request_of(method, target, body, url_, token_);
  if (const Code error = session.run([&](auto& stream, auto done) { http::async_write(stream, request, done); })) return unreachable(url_, error);
  http::response_parser<http::string_body> parser;
  parser.body_limit(answer_max);
  if (const Code error = session.run([&](auto& stream, auto done) { http::async_read(stream, session.buffer, parser, done); })) {
    return unreachable(url_, error);
  }
  return Answer{parser.get().result_int(), parser.get().body()};
}

Result<Answer> Client::follow(std::string_view target, const std::function<bool(std::string_view)>& line) const {
  Session session(patience_);
  if (auto done = session.connect(url_, security_); !done) return tl::make_unexpected(done.error());
  const auto request = request_of("GET", target, {}, url_, token_);
  if (const Code error = session.run([&](auto& stream, auto done) { http::async_write(stream, request, done); })) return unreachable(url_, error);
  http::response_parser<http::buffer_body> parser;
  parser.body_limit(boost::none);
  if (const Code error = session.run([&](auto& stream, auto done) { http::async_read_header(stream, session.buffer, parser, done); })) {
    return unreachable(url_, error);
  }
  Answer answer{parser.get().result_int(), ""};
  std::string text;
  std::array<char, 16384> part;
  while (!parser.is_done()) {
    auto& body = parser.get().body();
    body.data = part.data();
    body.size = part.size();
    const Code error =
        session.run([&](auto& stream, auto done) { http::async_read_some(stream, session.buffer, parser, done); }, answer.status == 200);
    if (error && error != http::error::need_buffer) return unreachable(url_, error);
    text.append(part.data(), part.size() - body.size);
    if (text.size() > line_max) return fail(Blame::peer, url_.text() + ": a line without end");
    if (answer.status != 200) continue;
    for (auto end = text.find('\n'); end != std::string::npos; end = text.find('\n')) {
      if (!line(std::string_view(text).substr(0, end))) return Answer{answer.status, ""};
      text.erase(0, end + 1);
    }
  }
  answer.body = std::move(text);
  return answer;
}

}  // namespace hf::ctl
