// A trace: lines of JSON in chunks, until the reader goes. One who is too slow loses lines, and is told how many.
#include <chrono>

#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <nlohmann/json.hpp>

#include "broker/admin/connection.hpp"

namespace hf::admin {
namespace {

namespace asio = boost::asio;

std::string line_of(const nlohmann::ordered_json& json) {
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

std::int64_t wall_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::string hex(std::size_t number) {
  std::string text;
  for (; number > 0; number /= 16) text.insert(text.begin(), "0123456789abcdef"[number % 16]);
  return text;
}

}  // namespace

void Connection::begin_trace(const std::string& client) {
  if (version_ < 11) return answer(error_reply(505, "version", "a trace needs HTTP/1.1"));
  if (!shared_.places->room_for_a_trace()) {
    return answer(error_reply(503, "traces", "too many traces: at most half of admin.max_connections, " +
                                                 std::to_string(shared_.places->traces_max())));
  }
  const auto refusal = shared_.administration.begin_trace(
      client, [self = weak_from_this()](node::Inspection::Direction direction, std::string_view text) {
        if (const auto connection = self.lock()) connection->on_packet(direction, text);
      },
      operator_of(certificate_));
  if (refusal) return answer(*refusal);
  stage_ = Stage::tracing;
  tracing_.emplace();
  tracing_->client = client;
  tracing_->going =
      "HTTP/1.1 200 OK\r\nContent-Type: application/jsonl\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
      "Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n";
  tracing_->waiting = line_of({{"time_ms", wall_ms()}, {"tracing", client}});
  // Whatever the reader sends now, even the end of its stream, ends the trace.
  stream_.expires_never();
  over_stream([this](auto& stream) {
    stream.async_read_some(buffer_.prepare(1), [self = shared_from_this()](Code, std::size_t) { self->end_trace(); });
  });
  write_trace();
}

/// Called from within the shard: takes note, and does the rest later.
void Connection::on_packet(node::Inspection::Direction direction, std::string_view text) {
  if (!tracing_) return;
  const bool in = direction == node::Inspection::Direction::in;
  const std::string line = line_of({{"time_ms", wall_ms()}, {"direction", in ? "in" : "out"}, {"packet", text}});
  if (tracing_->lost > 0 || tracing_->waiting.size() + line.size() > shared_.limits.trace_bytes) {
    ++tracing_->lost;
  } else {
    tracing_->waiting += line;
  }
  if (tracing_->writing) return;
  tracing_->writing = true;
  asio::post(stream_.get_executor(), [self = shared_from_this()] { self->write_trace(); });
}

void Connection::write_trace() {
  if (!tracing_) return;
  if (tracing_->lost > 0) tracing_->waiting += line_of({{"time_ms", wall_ms()}, {"lost", std::exchange(tracing_->lost, 0)}});
  if (!tracing_->waiting.empty()) {
    tracing_->going += hex(tracing_->waiting.size()) + "\r\n" + tracing_->waiting + "\r\n";
    tracing_->waiting.clear();
  }
  tracing_->writing = !tracing_->going.empty();
  if (!tracing_->writing) return;
  stream_.expires_after(shared_.limits.write_time);
  const auto written = [self = shared_from_this()](Code error, std::size_t) {
    if (!self->tracing_) return;
    self->tracing_->going.clear();
    if (error) return self->end_trace();
    self->write_trace();
  };
  over_stream([&](auto& stream) { asio::async_write(stream, asio::buffer(tracing_->going), written); });
}

void Connection::end_trace() {
  if (!tracing_) return;
  shared_.administration.end_trace(tracing_->client);
  tracing_.reset();
  stream_.close();
}

}  // namespace hf::admin
