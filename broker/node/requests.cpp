// What a front asks of coordinators: one ordered queue a slot, asked again when the coordinator changes.
#include "broker/node/requests.hpp"

#include <algorithm>

#include "broker/base/assert.hpp"
#include "broker/node/parts.hpp"

namespace hf::node {

void Requests::submit(SlotId slot, pb::Request request, Then then) {
  Queue& queue = queues_[slot];
  request.set_slot(slot);
  request.set_local(slot == parts_.local_slot());
  request.set_id(next_id_++);
  if (publishes(request)) ++publishing_[request.connection()][slot];
  queue.pending.push_back({std::move(request), std::move(then), parts_.clock->last(), false});
  pump(slot, queue);
}

void Requests::submit_ahead(SlotId slot, Batch requests) {
  Queue& queue = queues_[slot];
  const auto attaches = [](const pb::Request& request) { return request.has_open() && request.open().attach(); };
  if (!requests.empty() && attaches(requests.front().first))
    std::erase_if(queue.ahead, [&](const Pending& p) { return attaches(p.request); });
  for (auto& [request, then] : requests) {
    request.set_slot(slot);
    request.set_id(next_id_++);
    request.set_ahead(true);
    queue.ahead.push_back({std::move(request), std::move(then), parts_.clock->last(), false});
  }
  restart(slot, queue);
}

void Requests::restart(SlotId slot, Queue& queue) {
  queue.round = next_round_++;
  queue.last_sent = 0;
  queue.retrying = false;
  const NodeId before = queue.target;
  queue.target = parts_.slots.coordinator(slot);
  // Coordinators asked in between may have said nothing: what counts is who last confirmed.
  if (before == queue.answered_by && before != queue.target)
    queue.came_from_until = parts_.env.now() + 2 * parts_.config.detect_after;
  const bool up = queue.answered_by == parts_.self.node || parts_.cluster->is_up(queue.answered_by);
  const bool asks = up && queue.answered_by != queue.target && parts_.env.now() <= queue.came_from_until;
  queue.came_from = asks ? queue.answered_by : 0;
  for (Pending& pending : queue.ahead) pending.sent = false;
  for (Pending& pending : queue.pending) pending.sent = false;
  pump(slot, queue);
}

void Requests::pump(SlotId slot, Queue& queue) {
  if (queue.round == 0) {
    queue.round = next_round_++;
    queue.target = parts_.slots.coordinator(slot);
  }
  if (queue.target == 0 || queue.retrying) return;
  const bool local = slot == parts_.local_slot() || parts_.config.mutant.is("hints_behind_newer");
  if (!local && parts_.hints.count(slot) == 0 && parts_.slots.hints_elsewhere(slot)) return;
  send_unsent(queue, queue.ahead);
  send_unsent(queue, queue.pending);
}

void Requests::send_unsent(Queue& queue, std::deque<Pending>& pending) {
  auto it = pending.end();
  while (it != pending.begin() && !std::prev(it)->sent) --it;
  for (; it != pending.end(); ++it) {
    it->request.set_after(queue.last_sent);
    it->request.set_round(queue.round);
    it->request.set_came_from(queue.came_from);
    it->request.set_time(parts_.clock->last());
    queue.last_sent = it->request.id();
    it->sent = true;
    pb::PeerMessage message;
    *message.mutable_request() = it->request;
    parts_.send(queue.target, std::move(message));
  }
}

void Requests::on_reply(NodeId from, const pb::Reply& reply) {
  const SlotId slot = reply.local() ? parts_.local_slot() : reply.slot();
  const auto found = queues_.find(slot);
  if (found == queues_.end()) return;
  Queue& queue = found->second;
  if (reply.redirect()) {
    parts_.clock->observe(reply.time());
    if (reply.round() != queue.round || queue.retrying || from != queue.target) return;
    queue.retrying = true;
    if (!retry_at_) retry_at_ = parts_.env.now() + 50ms;
    return;
  }
  auto& pending = reply.ahead() ? queue.ahead : queue.pending;
  const auto it = std::lower_bound(pending.begin(), pending.end(), reply.id(),
                                   [](const Pending& p, std::uint64_t id) { return p.request.id() < id; });
  if (it == pending.end() || it->request.id() != reply.id()) return;
  if (from == queue.target) queue.came_from = 0;
  if (from == queue.target || queue.answered_by != queue.target) queue.answered_by = from;
  const Then then = std::move(it->then);
  if (publishes(it->request)) published(slot, it->request.connection());
  pending.erase(it);
  if (then) then(reply);
}

void Requests::coordinator_changed(SlotId slot) {
  // Together: whatever waits here would be asked between them, and is newer than the hints.
  Batch first = parts_.front.attachments(slot);
  if (!parts_.config.mutant.is("hints_behind_newer"))
    for (auto& hint : parts_.hints.due(slot)) first.push_back(std::move(hint));
  submit_ahead(slot, std::move(first));
}

void Requests::peer_up(NodeId node) {
  for (SlotId slot = 0; slot < parts_.config.slots; ++slot)
    if (parts_.slots.coordinator(slot) == node) submit_ahead(slot, parts_.front.attachments(slot));
}

void Requests::serves_anew(SlotId slot) { submit_ahead(slot, parts_.front.attachments(slot)); }

void Requests::unblock() {
  for (auto& [slot, queue] : queues_) pump(slot, queue);
}

void Requests::drop_connection(SlotId slot, std::uint64_t connection) {
  const auto it = queues_.find(slot);
  if (it == queues_.end()) return;
  std::erase_if(it->second.pending, [&](const Pending& p) {
    return p.request.connection() == connection && !p.request.has_close() && !p.request.has_open() && !publishes(p.request);
  });
}

bool Requests::publishes(const pb::Request& request) {
  return (request.has_publish() || request.has_retain()) && request.connection() != 0;
}

void Requests::published(SlotId slot, std::uint64_t connection) {
  const auto slots = publishing_.find(connection);
  const auto count = slots->second.find(slot);
  if (--count->second == 0) slots->second.erase(count);
  if (slots->second.empty()) publishing_.erase(slots);
}

void Requests::drop_publishes(std::uint64_t connection) {
  const auto slots = publishing_.extract(connection);
  if (slots.empty()) return;
  for (const auto& [slot, count] : slots.mapped()) {
    const auto mine = [&](const Pending& p) { return publishes(p.request) && p.request.connection() == connection; };
    const std::size_t dropped = std::erase_if(queues_[slot].pending, mine);
    HF_ASSERT(dropped == count);
  }
}

void Requests::tick() {
  if (!retry_at_ || parts_.env.now() < *retry_at_) return;
  retry_at_.reset();
  for (auto& [slot, queue] : queues_)
    if (queue.retrying) restart(slot, queue);
}

std::optional<Instant> Requests::deadline() const { return retry_at_; }

std::uint64_t Requests::oldest(std::uint64_t now) const {
  for (const auto& [slot, queue] : queues_) {
    if (!queue.pending.empty()) now = std::min(now, queue.pending.front().time);
    if (!queue.ahead.empty()) now = std::min(now, queue.ahead.front().time);
  }
  return now;
}

}  // namespace hf::node
