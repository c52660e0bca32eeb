// What a connection may cost: how many there are, how long they take, how much they leave unread, how fast they publish.
#include <algorithm>

#include "broker/base/assert.hpp"
#include "broker/node/client_log.hpp"
#include "broker/node/front.hpp"
#include "broker/node/parts.hpp"

namespace hf::node {

void Front::accepted(StreamId stream, const env::Arrival& arrival) {
  if (pending_ >= parts_.config.max_pending) {
    constexpr std::string_view text = "refused: too many connections have not said CONNECT yet";
    ++parts_.counters.connects_refused;
    parts_.env.log({.level = env::Level::warn, .text = text, .event = client_event::refused, .remote = arrival.remote});
    return parts_.env.close(stream, false);
  }
  const std::uint32_t size = std::min(parts_.config.max_packet_size, parts_.config.max_connect_size);
  auto connection = std::make_unique<Connection>(stream, size);
  connection->remote = arrival.remote;
  connection->listener = arrival.listener;
  connection->identity = arrival.identity;
  connection->same_machine = arrival.same_machine;
  connection->last_heard = parts_.env.now();
  connection->silence_max = parts_.config.connect_timeout;
  arm(*connection, connection->last_heard + connection->silence_max);
  connections_.emplace(stream, std::move(connection));
  ++pending_;
  parts_.counters.connections = connections_.size();
  parts_.counters.connections_max = std::max(parts_.counters.connections_max, parts_.counters.connections);
}

/// Too many connections, too many a second, or too little memory. Only who says CONNECT is told.
std::optional<Refusal> Front::crowded(const mqtt::Connect& packet) {
  if (!connects_.take(parts_.env.now())) return Refusal{mqtt::Reason::connection_rate_exceeded, "too many connect a second"};
  if (auto no = no_room()) return no;
  if (pressure_ != Pressure::none && packet.clean_start) return Refusal{mqtt::Reason::quota_exceeded, "memory is short"};
  return std::nullopt;
}

/// Asked again once an authentication is over: others may have come meanwhile.
std::optional<Refusal> Front::no_room() const {
  if (connections_.size() - pending_ < parts_.config.max_connections || parts_.config.mutant.is("connection_limit_ignored"))
    return std::nullopt;
  return Refusal{mqtt::Reason::quota_exceeded, "the server has as many connections as it may"};
}

void Front::bytes(StreamId stream, const Bytes& bytes) {
  Connection* connection = find(stream);
  if (connection == nullptr || connection->phase == Connection::Phase::closing) return;
  parts_.counters.bytes_in += bytes.size();
  if (connection->begins && connection->phase == Connection::Phase::open) tell_begun(*connection);
  connection->decoder.feed(bytes);
  process(*connection);
  connection = find(stream);
  if (connection == nullptr || connection->decoder.cost() <= env::writable_mark) return;
  const bool waits = connection->phase == Connection::Phase::opening || !parts_.routes.complete();
  if (waits) pause(*connection, Pause::waiting, true);
}

/// It says something, and CONNACK has left before: it knows that it has no session.
void Front::tell_begun(Connection& connection) {
  connection.begins = false;
  pb::Request request = request_for(connection);
  request.set_began(true);
  parts_.requests.submit(connection.home, std::move(request), [this, stream = connection.stream](const pb::Reply& reply) {
    if (reply.superseded()) superseded(stream);
  });
}

void Front::pause(Connection& connection, Pause why, bool on) {
  const auto bit = static_cast<std::uint8_t>(why);
  if (((connection.pauses & bit) != 0) == on) return;
  const bool before = connection.pauses != 0;
  connection.pauses ^= bit;
  const bool after = connection.pauses != 0;
  if (before == after) return;
  parts_.env.pause_reading(connection.stream, after);
  if (after) return;
  connection.last_heard = parts_.env.now();  // it could not be heard
  if (connection.silence_max != Duration{}) arm(connection, connection.last_heard + connection.silence_max);
  if (!connection.partial_since) return;
  connection.partial_since = connection.last_heard;
  arm(connection, connection.last_heard + parts_.config.packet_timeout);
}

void Front::note_partial(Connection& connection) {
  if (connection.phase != Connection::Phase::open) return;  // connect_timeout counts
  if (connection.decoder.buffered() == 0) {
    connection.partial_since.reset();
  } else if (!connection.partial_since) {
    connection.partial_since = parts_.env.now();
    arm(connection, *connection.partial_since + parts_.config.packet_timeout);
  }
}

/// A client that publishes faster than it may is read from more slowly: nothing is lost.
void Front::spend_publish(Connection& connection) {
  const Instant now = parts_.env.now();
  const Instant next = connection.publish_rate.spend(now);
  if (next <= now || parts_.config.mutant.is("publish_rate_ignored")) return;
  connection.throttled_until = next;
  pause(connection, Pause::rate, true);
  arm(connection, next);
}

/// Who is held publishes on once it is less than critical.
void Front::set_pressure(Pressure pressure) {
  pressure_ = pressure;
  if (pressure == Pressure::critical) return;
  for (const StreamId stream : std::exchange(held_, {})) {
    Connection* connection = find(stream);
    if (connection == nullptr) continue;
    pause(*connection, Pause::memory, false);
    process(*connection);
  }
}

/// True: the message is dropped. One at QoS 1 or 2 is taken, and the client held after it.
bool Front::short_of_memory(Connection& connection, const mqtt::Publish& packet) {
  if (pressure_ == Pressure::none) return false;
  if (packet.qos == 0) {
    ++parts_.counters.dropped;
    ++parts_.counters.dropped_memory;
    return true;
  }
  if (pressure_ != Pressure::critical) return false;
  held_.push_back(connection.stream);
  pause(connection, Pause::memory, true);
  return false;
}

void Front::arm(Connection& connection, Instant when) {
  if (connection.alarm != Instant{} && connection.alarm <= when) return;
  disarm(connection);
  connection.alarm = when;
  timers_.insert({when, connection.stream});
}

void Front::disarm(const Connection& connection) {
  if (connection.alarm != Instant{}) timers_.erase({connection.alarm, connection.stream});
}

void Front::tick() {
  const Instant now = parts_.env.now();
  leave_on(now);
  while (!timers_.empty() && timers_.begin()->first <= now) {
    const auto [when, stream] = *timers_.begin();
    timers_.erase(timers_.begin());
    Connection* connection = find(stream);
    HF_ASSERT(connection != nullptr && connection->alarm == when);
    connection->alarm = Instant{};
    check_time(*connection, now);
    connection = find(stream);
    if (connection != nullptr && connection->throttled_until && *connection->throttled_until <= now) {
      connection->throttled_until.reset();
      pause(*connection, Pause::rate, false);
      process(*connection);
    }
  }
}

/// Ends a connection whose time is up; else arms the next thing that could be.
void Front::check_time(Connection& connection, Instant now) {
  const bool listening = connection.pauses == 0 && connection.phase != Connection::Phase::opening;
  std::optional<Instant> next;
  const auto due = [&](Instant when) {
    if (when <= now) return true;
    if (!next || when < *next) next = when;
    return false;
  };
  if (connection.over && due(*connection.over)) {
    log_lost(connection, env::CloseReason::ended);
    return closed(connection.stream);
  }
  if (connection.full && due(connection.full_check)) {
    const std::uint64_t taken = connection.given - parts_.env.unsent(connection.stream);
    if (taken == connection.taken) return fail(connection, mqtt::Reason::quota_exceeded, "nothing was read for too long");
    connection.taken = taken;
    connection.full_check = now + parts_.config.slow_reader_timeout;
    (void)due(connection.full_check);
  }
  if (listening && connection.silence_max != Duration{} && due(connection.last_heard + connection.silence_max)) {
    if (connection.pending()) {
      log_disconnected(connection, env::Level::debug, "it took too long", mqtt::Reason::success, "");
      return finish(connection);
    }
    ++parts_.counters.keep_alive_expired;
    return fail(connection, mqtt::Reason::keep_alive_timeout, "no packet within 1.5 times the keep alive");
  }
  if (listening && connection.partial_since && due(*connection.partial_since + parts_.config.packet_timeout))
    return fail(connection, mqtt::Reason::implementation_specific_error, "the rest of a packet did not come");
  if (connection.proving && connection.proving->until && due(*connection.proving->until))
    return fail(connection, mqtt::Reason::not_authorized, "the authentication took too long");
  if (connection.login_until && due(*connection.login_until))
    return fail(connection, mqtt::Reason::not_authorized, "the login has come to its end");
  if (connection.throttled_until && *connection.throttled_until > now) (void)due(*connection.throttled_until);
  if (next) arm(connection, *next);
}

std::optional<Instant> Front::deadline() const {
  std::optional<Instant> next;
  if (!timers_.empty()) next = timers_.begin()->first;
  if (leave_ && (!next || leave_->next() < *next)) next = leave_->next();
  return next;
}

/// What is written goes out. Where the transport does not take it, the client is not read from either, and its
/// session's coordinator holds back, until `writable`.
void Front::flush() {
  for (const StreamId stream : dirty_)
    if (Connection* connection = find(stream)) put_out(*connection);
  dirty_.clear();
}

void Front::put_out(Connection& connection) {
  connection.underway.tidy();
  if (connection.out.empty()) return;
  connection.given += connection.out.size();
  parts_.counters.bytes_out += connection.out.size();
  parts_.env.send(connection.stream, Bytes(std::exchange(connection.out, {})));
  const std::size_t unsent = parts_.env.unsent(connection.stream);
  if (connection.full || unsent <= env::writable_mark) return;
  connection.full = true;
  connection.taken = connection.given - unsent;
  connection.full_check = parts_.env.now() + parts_.config.slow_reader_timeout;
  arm(connection, connection.full_check);
  pause(connection, Pause::unsent, true);
  send_credit(connection);
}

void Front::writable(StreamId stream) {
  Connection* connection = find(stream);
  if (connection == nullptr) return;
  return_marks(*connection);
  if (!connection->full) return;
  connection->full = false;
  send_credit(*connection);
  pause(*connection, Pause::unsent, false);
  process(*connection);
}

void Front::send_credit(const Connection& connection) {
  if (connection.phase != Connection::Phase::open) return;
  pb::PeerMessage message;
  pb::Credit& credit = *message.mutable_credit();
  credit.set_slot(connection.session_slot);
  credit.set_local(connection.session_slot == parts_.local_slot());
  credit.set_client(connection.session_key());
  credit.set_connection(connection.stream);
  credit.set_open(!connection.full);
  parts_.send(parts_.slots.coordinator(connection.session_slot), std::move(message));
}

}  // namespace hf::node
