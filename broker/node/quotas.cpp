// What a session may hold at most: subscriptions, messages, bytes; and when its client's front has no room.
#include <algorithm>
#include <set>
#include <string_view>

#include "broker/node/client_log.hpp"
#include "broker/node/coordinator.hpp"
#include "broker/node/parts.hpp"

namespace hf::node {

namespace {

void count_full(ShardParts& parts, std::uint64_t lost) {
  if (parts.config.mutant.is("dropped_without_counter")) return;
  parts.counters.dropped += lost;
  parts.counters.dropped_queue_full += lost;
}

/// What a session's subscriptions come to.
struct Filters {
  std::uint64_t count = 0, bytes = 0;
  void add(const std::string& filter) { ++count, bytes += filter.size(); }
  [[nodiscard]] bool within(const Filters& most) const { return count <= most.count && bytes <= most.bytes; }
};

}  // namespace

void Coordinator::subscribe(SlotId slot, NodeId from, const pb::Request& request) {
  pb::Reply yes = answer(request);
  const slot::Session& subscriber = *session(slot, request.client());
  const auto& held = subscriber.subscriptions;
  Filters now{subscriber.filters, subscriber.filter_bytes};
  std::set<std::string_view> fresh;  // a filter named twice is one subscription
  const Filters most{parts_.config.max_subscriptions, parts_.config.max_filter_bytes};
  slot::pb::Operation operation;
  operation.mutable_subscribe()->set_client(request.client());
  if (request.subscribe().has_asked()) *operation.mutable_subscribe()->mutable_asked() = request.subscribe().asked();
  for (const auto& one : request.subscribe().filters()) {
    const auto it = held.find(one.filter());
    const bool known = (it != held.end() && it->second.present) || fresh.contains(one.filter());
    Filters with = now;
    with.add(one.filter());
    const bool taken = known || with.within(most) || parts_.config.mutant.is("subscription_limit_ignored");
    yes.add_codes(taken ? one.options().qos() : mqtt::code(mqtt::Reason::quota_exceeded));
    if (!taken) continue;
    if (!known) now = with, fresh.insert(one.filter());
    *operation.mutable_subscribe()->add_filters() = one;
  }
  if (operation.subscribe().filters_size() < request.subscribe().filters_size())
    log_session(parts_.env, env::Level::warn, client_event::subscribe_denied, request.client(),
                "SUBSCRIBE denied: quota exceeded (0x97), the session has as many subscriptions, or bytes of filters, as it may");
  if (operation.subscribe().filters_size() == 0) return reply(from, std::move(yes));
  note_owed(slot, request.client(), *operation.mutable_subscribe());
  const auto shared = shared_filters(operation.subscribe());
  std::vector<std::string> filters;
  for (const auto& one : operation.subscribe().filters()) filters.push_back(one.filter());
  const auto dot = append(slot, std::move(operation));
  parts_.slots.held(slot)->when_stored(dot, false, [this, slot, from, client = request.client(), shared, filters = std::move(filters), yes = std::move(yes)] {
    parts_.groups_of_members.when_joined(slot, client, shared, [this, slot, from, client, filters, yes] {
      parts_.routes.when_known(slot, [this, slot, from, client, filters, yes] {
        reply(from, yes);
        parts_.retained.begin(slot, client, filters);
      });
    });
  });
}

bool Coordinator::over_limit(const slot::Session& session, const slot::pb::Message& message) const {
  if (parts_.config.mutant.is("queue_limit_ignored")) return false;
  if (parts_.config.mutant.is("queue_full_early") && session.queue.size() >= parts_.config.max_queued_messages / 4) return true;
  return session.queue.size() >= parts_.config.max_queued_messages ||
         session.queued_bytes + slot::weight(message) > parts_.config.max_queued_bytes;
}

/// A full queue loses its oldest messages, or there is no room for this one. What the client may have seen already is
/// not taken back: what was given out under a packet id or dealt to a member, and, without a majority, QoS 2: others may have
/// given it out, and the client would wait for a PUBREL that nobody sends. Every loss is counted.
bool Coordinator::make_room(SlotId slot, const std::string& client, const slot::pb::Message& message) {
  if (!over_limit(*session(slot, client), message)) return true;
  if (parts_.config.queue_policy == QueuePolicy::drop_oldest) {
    const slot::Session& now = *session(slot, client);
    const bool decides = decides_qos2(slot);
    std::size_t count = now.queue.size();
    std::uint64_t bytes = now.queued_bytes;
    slot::pb::Operation done;
    done.mutable_done()->set_client(client);
    for (const auto& [place, entry] : now.queue) {
      if (count < parts_.config.max_queued_messages && bytes + slot::weight(message) <= parts_.config.max_queued_bytes) break;
      if (entry->packet_id != 0 || !entry->member.empty()) continue;
      if (!decides && decided_step(parts_.slots.held(slot)->state(), *entry)) continue;
      slot::to_pb(entry->name, done.mutable_done()->add_names());
      note_unretired(slot, entry->name);
      --count;
      bytes -= slot::weight(parts_.slots.held(slot)->state().messages.at(entry->message).message);
    }
    const auto lost = static_cast<std::uint64_t>(done.done().names_size());
    count_full(parts_, lost);
    if (lost != 0) {
      log_session(parts_.env, env::Level::warn, client_event::messages_dropped, client, "the queue is full: its oldest messages were dropped");
      append(slot, std::move(done));
    }
    if (!over_limit(*session(slot, client), message)) return true;
  }
  count_full(parts_, 1);
  log_session(parts_.env, env::Level::warn, client_event::messages_dropped, client, "the queue is full: a message for it was dropped");
  parts_.env.reached("queue.full");
  return false;
}

void Coordinator::on_credit(NodeId from, const pb::Credit& credit) {
  const SlotId slot = credit.local() ? parts_.local_slot() : credit.slot();
  if (slot > parts_.local_slot() || !parts_.slots.serving(slot)) return;
  Serving& serving = serving_[slot];
  const auto it = serving.attached.find(credit.client());
  if (it == serving.attached.end() || it->second.node != from || it->second.connection != credit.connection()) return;
  it->second.full = !credit.open();
  if (it->second.full) return;
  serving.pump.insert(credit.client());
  pump_slots_.insert(slot);
}

}  // namespace hf::node
