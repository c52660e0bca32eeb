// A client's clockwork: what is due now, and when something is due next.
#include <algorithm>

#include "sim/world/client.hpp"

namespace hf::sim {

namespace {

constexpr VirtualTime never = INT64_MAX;

void sooner(std::optional<VirtualTime>& least, VirtualTime at) {
  if (at != never && (!least || at < *least)) least = at;
}

}  // namespace

void Client::step() {
  const VirtualTime now = world_.now();
  if (churn_at_ && *churn_at_ <= now) churn();
  schedule_operations();
  if (!current_ && connect_at_ && *connect_at_ <= now) dial();
  if (!current_) return;
  check_patience();
  if (!connected()) return;
  send_due_acks();
  ping();
  reauthenticate();
  pump();
}

void Client::churn() {
  if (world_.now() >= churn_end_) {
    churn_at_.reset();
    return;
  }
  const ChurnSpec& spec = *spec_.churn;
  const ChurnHow how = spec.how[churns_.below(spec.how.size())];
  const Duration offline = draw(spec.offline, churns_);
  const Duration next = draw(spec.every, churns_);
  churn_at_ = world_.now() + std::max<std::int64_t>(next.count(), 1'000'000);
  if (!connected()) return;
  switch (how) {
    case ChurnHow::drop: drop(offline, spec.move); break;
    case ChurnHow::disconnect: disconnect(offline, spec.move); break;
    case ChurnHow::takeover: takeover(spec.move); break;
    case ChurnHow::crash: crash(offline, spec.move); break;
    case ChurnHow::disconnect_with_will: disconnect(offline, spec.move, {true, {}}); break;
    case ChurnHow::disconnect_with_expiry:
      disconnect(offline, spec.move, {false, static_cast<std::uint32_t>(draw(spec.session_expiry, churns_) / 1s)});
      break;
  }
}

void Client::check_patience() {
  const VirtualTime now = world_.now(), limit = patience.count();
  const Connection& connection = *current_;
  if (connection.phase != Phase::up) {
    if (now >= connection.since + limit) abandon("no CONNACK in time", 0);
    return;
  }
  if (connection.ping_sent && now >= *connection.ping_sent + limit) {
    abandon("no PINGRESP in time", 0);
    return;
  }
  if (connection.proof && now >= connection.proof->since + limit) {
    abandon("no answer to AUTH in time", 0);
    return;
  }
  if (under_way_ && now >= under_way_->sent_at + limit) {
    abandon("no SUBACK or UNSUBACK in time", 0);
    return;
  }
  for (const auto& [number, flow] : flows_) {
    if (!flow.sent || now < flow.sent_at + limit) continue;
    abandon("message #" + std::to_string(number) + " not acknowledged in time", 0);
    return;
  }
}

void Client::ping() {
  const VirtualTime now = world_.now();
  const auto ping_if_due = [&](Connection& connection) {
    const VirtualTime interval = VirtualTime{connection.keep_alive} * 750'000'000;
    if (interval == 0 || connection.ping_sent || now < connection.last_sent + interval) return;
    send(connection, mqtt::Pingreq{});
    connection.ping_sent = now;
  };
  ping_if_due(*current_);
  for (auto& zombie : zombies_) {
    zombie->ping_sent.reset();  // nobody waits for the answer
    ping_if_due(*zombie);
  }
}

std::optional<VirtualTime> Client::deadline() const {
  std::optional<VirtualTime> least;
  if (churn_at_) sooner(least, *churn_at_);
  if (!current_ && connect_at_) sooner(least, *connect_at_);
  if (world_.now() < churn_end_) {
    for (const VirtualTime at : subscribe_at_) sooner(least, at);
    for (const VirtualTime at : unsubscribe_at_) sooner(least, at);
  }
  if (current_ && current_->phase != Phase::up) sooner(least, current_->since + patience.count());
  if (connected()) {
    if (const auto at = connected_deadline()) sooner(least, *at);
  }
  return least;
}

std::optional<VirtualTime> Client::connected_deadline() const {
  std::optional<VirtualTime> least;
  const Connection& connection = *current_;
  const VirtualTime limit = patience.count();
  const VirtualTime interval = VirtualTime{connection.keep_alive} * 750'000'000;
  if (connection.ping_sent) sooner(least, *connection.ping_sent + limit);
  else if (interval > 0) sooner(least, connection.last_sent + interval);
  for (const auto& zombie : zombies_) {
    if (interval > 0) sooner(least, zombie->last_sent + interval);
  }
  if (!connection.acks.empty()) sooner(least, connection.acks.front().due);
  if (connection.proof) sooner(least, connection.proof->since + limit);
  if (connection.reauthenticate_at) sooner(least, *connection.reauthenticate_at);
  if (under_way_) sooner(least, under_way_->sent_at + limit);
  for (const auto& [number, flow] : flows_) {
    if (flow.sent) sooner(least, flow.sent_at + limit);
  }
  for (std::size_t i = 0; i < jobs_.size(); ++i) {
    if (job_ready(i)) sooner(least, jobs_[i].next);
  }
  return least;
}

void Client::arm() {
  const auto wanted = deadline();
  const VirtualTime at = wanted ? std::max(*wanted, world_.now()) : -1;
  if (at == alarm_at_) return;
  if (alarm_ != 0) world_.cancel(alarm_);
  alarm_ = 0;
  alarm_at_ = at;
  if (wanted) alarm_ = world_.at(at, this, 0);
}

}  // namespace hf::sim
