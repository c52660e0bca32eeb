// One connection of the administration: requests in, answers out, one after the other.
#include "broker/admin/connection.hpp"

#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>

#include "broker/host/sockets.hpp"

namespace hf::admin {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;

constexpr std::size_t drain_max = 1U << 20U;

/// "127.0.0.1:8081" and "[::1]:8081" without their ports.
std::string host_of(std::string_view field) {
  const auto bracket = field.find(']');
  const auto colon = field.find(':', bracket == std::string_view::npos ? 0 : bracket);
  return std::string(field.substr(0, colon));
}

std::string_view view_of(beast::string_view text) { return {text.data(), text.size()}; }

/// The status of a request that Beast could not read; 0: there is nobody to tell.
unsigned status_of(const boost::system::error_code& error) {
  if (error == http::error::header_limit) return 431;
  if (error == http::error::body_limit) return 413;
  if (error == http::error::end_of_stream || error == http::error::partial_message) return 0;
  return error.category() == http::make_error_code(http::error::bad_version).category() ? 400 : 0;
}

}  // namespace

Connection::Connection(Socket socket, const Shared& shared)
    : stream_(std::move(socket)), patience_(stream_.get_executor()), shared_(shared),
      remote_(host::text_of(host::remote_of(stream_.socket().native_handle()))) {
  shared_.places->take(*this);
}

Connection::~Connection() { shared_.places->leave(*this); }

Stage Connection::stage() const {
  const bool had_time = std::chrono::steady_clock::now() - begun_ > shared_.limits.fresh_time;
  return stage_ == Stage::fresh && had_time ? Stage::silent : stage_;
}

void Connection::give_way() {
  shared_.places->leave(*this);
  shared_.administration.refused(Refusal::crowded, remote_, "admin.max_connections is " + std::to_string(shared_.places->most()) +
                                                               ", and a newer connection got this one's place");
  ++asked_;
  patience_.cancel();
  stream_.close();
}

void Connection::begin() { shared_.tls ? shake_hands() : read(); }

void Connection::read() {
  parser_.emplace();
  parser_->header_limit(static_cast<std::uint32_t>(shared_.limits.header_bytes));
  parser_->body_limit(shared_.limits.body_bytes);
  stream_.expires_after(shared_.limits.request_time);
  over_stream([this](auto& stream) {
    http::async_read(stream, buffer_, *parser_, [self = shared_from_this()](Code error, std::size_t) { self->on_read(error); });
  });
}

void Connection::on_read(Code error) {
  if (!error) return ask();
  const unsigned status = status_of(error);
  if (status == 0) return farewell();
  keep_ = false;
  head_ = false;
  version_ = 11;
  answer(error_reply(status, "request", error.message()));
}

void Connection::ask() {
  const auto& message = parser_->get();
  Request request;
  request.method = std::string(view_of(message.method_string()));
  request.target = std::string(view_of(message.target()));
  request.host = host_of(view_of(message[http::field::host]));
  request.authorization = std::string(view_of(message[http::field::authorization]));
  request.body = message.body();
  request.certificate = certificate_;
  version_ = message.version();
  keep_ = message.keep_alive();
  head_ = message.method() == http::verb::head;
  request.remote = remote_;
  stage_ = Stage::asking;
  const std::uint64_t number = ++asked_;
  patience_.expires_after(shared_.limits.answer_time);
  patience_.async_wait([self = shared_from_this(), number](Code error) {
    if (error || self->asked_ != number) return;
    self->keep_ = false;
    self->answer(error_reply(504, "late", "not done in time; it may still be"));
  });
  shared_.administration.handle(request, [self = shared_from_this(), number](Reply reply) {
    if (self->asked_ == number) self->answer(std::move(reply));
  });
}

void Connection::answer(Reply reply) {
  ++asked_;
  patience_.cancel();
  if (reply.trace && !head_) return begin_trace(*reply.trace);
  stage_ = Stage::answered;
  response_.emplace(static_cast<http::status>(reply.status), version_);
  response_->set(http::field::content_type, reply.type);
  response_->set(http::field::cache_control, "no-store");
  response_->set("X-Content-Type-Options", "nosniff");
  for (const auto& [name, value] : reply.fields) response_->set(name, value);
  response_->keep_alive(keep_);
  response_->body() = std::move(reply.body);
  response_->prepare_payload();
  if (head_) response_->body().clear();  // the length stays
  serializer_.emplace(*response_);
  stream_.expires_after(shared_.limits.write_time);
  const auto written = [self = shared_from_this()](Code error, std::size_t) {
    if (error || !self->keep_) return self->farewell();
    self->stage_ = Stage::idle;
    self->read();
  };
  over_stream([&](auto& stream) {
    head_ ? http::async_write_header(stream, *serializer_, written) : http::async_write(stream, *serializer_, written);
  });
}

void Connection::farewell() { secure_ ? say_goodbye() : hang_up(); }

/// What the other end still sends is read for a while: closing at once would be a reset, that may overtake the answer.
void Connection::hang_up() {
  stage_ = Stage::leaving;
  Code ignored;
  stream_.socket().shutdown(asio::socket_base::shutdown_send, ignored);
  if (ignored) return;
  buffer_.clear();
  stream_.expires_after(shared_.limits.farewell_time);
  drain();
}

void Connection::drain() {
  stream_.async_read_some(buffer_.prepare(4096), [self = shared_from_this()](Code error, std::size_t size) {
    self->drained_ += size;
    if (!error && self->drained_ < drain_max) self->drain();
  });
}

}  // namespace hf::admin
