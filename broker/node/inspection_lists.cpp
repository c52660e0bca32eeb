// Clients, sessions and retained messages, a page at a time; ending them; following a client.
#include <charconv>

#include "broker/node/inspection.hpp"
#include "broker/node/parts.hpp"

namespace hf::node {
namespace {

template <class Number>
Number number_of(std::string_view text) {
  Number value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

/// "SLOT:NAME", as cursors over slots are.
std::pair<SlotId, std::string> place_of(std::string_view cursor) {
  const auto colon = cursor.find(':');
  if (colon == std::string_view::npos) return {0, ""};
  return {number_of<SlotId>(cursor.substr(0, colon)), std::string(cursor.substr(colon + 1))};
}

ClientView view_of(const ShardParts& parts, const Connection& connection) {
  ClientView one;
  one.client = connection.client;
  one.user = connection.grant.user;
  one.remote = connection.remote;
  one.listener = connection.listener;
  one.protocol = mqtt::name(connection.version);
  one.clean_start = connection.record.clean();
  one.bound = connection.bound;
  one.session_expiry_s = connection.record.expiry_s();
  one.keep_alive_s = static_cast<std::uint16_t>(connection.record.keep_alive_s());
  one.connected_ms = connection.connected_ms;
  one.silent_ms = static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(parts.env.now() - connection.last_heard).count());
  one.slot = connection.home;
  one.coordinator = parts.slots.coordinator(connection.home);
  one.in_flight_out = connection.underway->outstanding;
  one.in_flight_in = connection.underway->unacknowledged();
  one.held_back = connection.underway->held.size();
  one.unstored_acks = connection.underway->written.size() - connection.underway->outstanding;
  one.unsent_bytes = parts.env.unsent(connection.stream);
  one.paused = connection.pauses != 0;
  return one;
}

SessionView session_view(const ShardParts& parts, SlotId slot, const std::string& client, const slot::Session& session) {
  SessionView one;
  one.client = client;
  one.slot = slot;
  one.coordinator = parts.slots.coordinator(slot);
  one.connected = session.open();
  one.front = session.connect->front().node();
  one.expiry_s = session.expiry_s;
  one.closed_ms = session.open() ? 0 : session.closed_ms;
  for (const auto& [filter, subscription] : session.subscriptions) one.subscriptions += subscription.present ? 1 : 0;
  one.queued_messages = session.queue.size();
  one.queued_bytes = session.queued_bytes;
  std::size_t looked_at = 0;  // a page of sessions with long queues must not hold the node up
  for (auto it = session.queue.begin(); it != session.queue.end() && looked_at < 1000; ++it, ++looked_at)
    one.in_flight += it->second->packet_id != 0 ? 1U : 0U;
  one.will = session.will() != nullptr;
  return one;
}

}  // namespace

/// The cursor is the stream's number: clients are listed in the order in which they came.
Page<ClientView> Inspection::clients(std::string_view after, std::size_t limit) const {
  Page<ClientView> page;
  const auto& all = parts_.front.connections();
  for (auto it = all.upper_bound(number_of<StreamId>(after)); it != all.end(); ++it) {
    if (it->second->phase != Connection::Phase::open) continue;
    if (page.items.size() == limit) {
      page.next = std::to_string(std::prev(it)->first);
      break;
    }
    page.items.push_back(view_of(parts_, *it->second));
  }
  return page;
}

std::optional<ClientView> Inspection::client(std::string_view client) const {
  const Connection* connection = parts_.front.of_client(client);
  if (connection == nullptr) return std::nullopt;
  return view_of(parts_, *connection);
}

Page<SessionView> Inspection::sessions(std::string_view after, std::size_t limit) const {
  Page<SessionView> page;
  if (parts_.phase != ShardParts::Phase::serving) return page;
  auto [slot, client] = place_of(after);
  std::string last;
  for (; slot < parts_.config.slots; ++slot, client.clear()) {
    const replica::SlotReplica* held = parts_.slots.held(slot);
    if (held == nullptr) continue;
    const auto& all = held->state().sessions;
    for (auto it = client.empty() ? all.begin() : all.upper_bound(client); it != all.end(); ++it) {
      if (!it->second.exists() || it->second.connect->bound()) continue;
      if (page.items.size() == limit) {
        page.next = std::move(last);
        return page;
      }
      page.items.push_back(session_view(parts_, slot, it->first, it->second));
      page.items.back().replicas = replicas_of(slot);
      last = std::to_string(slot) + ':' + it->first;
    }
  }
  return page;
}

const slot::Session* Inspection::find(std::string_view client) const {
  if (parts_.phase != ShardParts::Phase::serving) return nullptr;
  const replica::SlotReplica* held = parts_.slots.held(parts_.slots.slot_of(client));
  if (held == nullptr) return nullptr;
  const auto it = held->state().sessions.find(client);
  const bool there = it != held->state().sessions.end() && it->second.exists() && !it->second.connect->bound();
  return there ? &it->second : nullptr;
}

std::optional<SessionView> Inspection::session(std::string_view client) const {
  const slot::Session* found = find(client);
  if (found == nullptr) return std::nullopt;
  const SlotId slot = parts_.slots.slot_of(client);
  SessionView one = session_view(parts_, slot, std::string(client), *found);
  one.replicas = replicas_of(slot);
  return one;
}

Page<SubscriptionView> Inspection::subscriptions(std::string_view client, std::string_view after, std::size_t limit) const {
  Page<SubscriptionView> page;
  const slot::Session* found = find(client);
  if (found == nullptr) return page;
  const auto& all = found->subscriptions;
  for (auto it = after.empty() ? all.begin() : all.upper_bound(after); it != all.end(); ++it) {
    if (!it->second.present) continue;
    if (page.items.size() == limit) {
      page.next = page.items.back().filter;
      break;
    }
    const slot::pb::Options& options = it->second.options;
    page.items.push_back({std::string(client), it->first, options.qos(), options.no_local(), options.retain_as_published(),
                          options.retain_handling(), options.identifier()});
  }
  return page;
}

Page<RetainedView> Inspection::retained(std::string_view after, std::size_t limit) const {
  Page<RetainedView> page;
  if (parts_.phase != ShardParts::Phase::serving) return page;
  auto [slot, topic] = place_of(after);
  std::string last;
  for (; slot < parts_.config.slots; ++slot, topic.clear()) {
    const replica::SlotReplica* held = parts_.slots.held(slot);
    if (held == nullptr) continue;
    const auto& all = held->state().retained.all();
    for (auto it = topic.empty() ? all.begin() : all.upper_bound(topic); it != all.end(); ++it) {
      if (it->second.deleted()) continue;
      if (page.items.size() == limit) {
        page.next = std::move(last);
        return page;
      }
      const slot::pb::Message& message = it->second.message;
      page.items.push_back({it->first, message.payload().size(), message.qos(), message.publisher(), it->second.stamp.time >> 16U});
      last = std::to_string(slot) + ':' + it->first;
    }
  }
  return page;
}

bool Inspection::disconnect(std::string_view client) { return parts_.front.disconnect(client); }

bool Inspection::end_session(std::string_view client, std::function<void()> done) {
  if (parts_.phase != ShardParts::Phase::serving) return false;
  const SlotId slot = parts_.slots.slot_of(client);
  return parts_.slots.serving(slot) && find(client) != nullptr &&
         parts_.coordinator.remove(slot, std::string(client), std::move(done));
}

bool Inspection::trace(std::string_view client, Sink sink) { return parts_.traces.add(client, std::move(sink)); }
void Inspection::end_trace(std::string_view client) { parts_.traces.remove(client); }

}  // namespace hf::node
