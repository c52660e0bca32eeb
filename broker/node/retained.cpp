// The reader's side: which subscriptions are owed retained messages, and one page after the other for them.
#include "broker/node/retained.hpp"

#include <algorithm>

#include "broker/node/parts.hpp"
#include "broker/topic/name.hpp"

namespace hf::node {

namespace {
constexpr std::size_t queued_max = 256;  ///< in a session's queue, then no page is asked for
constexpr Duration retry_after = 50ms;
}  // namespace

const slot::Session* Retained::session(const Key& key) const {
  const auto* held = parts_.slots.serving(key.first) ? parts_.slots.held(key.first) : nullptr;
  if (held == nullptr) return nullptr;
  const auto it = held->state().sessions.find(key.second);
  return it == held->state().sessions.end() || !it->second.exists() ? nullptr : &it->second;
}

const slot::Subscription* Retained::owed(const Key& key, Reading& reading) const {
  const slot::Session* now = session(key);
  if (now == nullptr) return nullptr;
  const auto it = now->subscriptions.find(reading.filter);
  if (it == now->subscriptions.end() || !it->second.owed()) return nullptr;
  // Another SUBSCRIBE that asks for none itself: what the one before is owed is read on.
  if (it->second.stamp != reading.subscribed && it->second.owing->asked != reading.by) return nullptr;
  reading.subscribed = it->second.stamp;
  return &it->second;
}

std::set<SlotId> Retained::slots_of(std::string_view filter) const {
  std::set<SlotId> slots{parts_.slots.slot_of(filter)};
  if (!has_wildcard(filter) || parts_.config.mutant.is("retained_from_one_slot")) return slots;
  for (SlotId slot = 0; slot < parts_.config.slots; ++slot) slots.insert(slot);
  return slots;
}

void Retained::begin(SlotId slot, const std::string& client, const std::vector<std::string>& filters) {
  const Key key{slot, client};
  const slot::Session* now = session(key);
  if (now == nullptr) return;
  bool any = false;
  for (const std::string& filter : filters) {
    const auto it = now->subscriptions.find(filter);
    if (it != now->subscriptions.end() && it->second.owed()) any = begin(readers_[key], key, filter, it->second) || any;
  }
  if (any) go_on(key);
}

void Retained::begin_all(SlotId slot, const std::string& client) {
  const slot::Session* now = session({slot, client});
  if (now == nullptr) return;
  std::vector<std::string> owed;
  for (const auto& [filter, subscription] : now->subscriptions)
    if (subscription.owed()) owed.push_back(filter);
  begin(slot, client, owed);
}

/// Is there more to read. One reading a filter: of one that goes on under other options nothing is read twice.
bool Retained::begin(Reader& reader, const Key& key, const std::string& filter, const slot::Subscription& subscription) {
  const auto [place, fresh] = reader.by_filter.try_emplace(filter, reader.readings.end());
  if (!fresh) {
    if (place->second->by == subscription.owing->asked) return false;
    forget_query(*place->second);
    reader.readings.erase(place->second);
  }
  Reading reading;
  reading.filter = filter;
  reading.subscribed = subscription.stamp;
  reading.after = subscription.owing->read;
  reading.by = subscription.owing->asked;
  reading.began = next_++;
  place->second = reader.readings.insert(reader.readings.end(), std::move(reading));
  parts_.sys_topics.answer(key.first, key.second, filter, subscription.options);
  return true;
}

void Retained::begin_serving(SlotId slot) {
  std::vector<std::string> clients;
  for (const auto& [client, session] : parts_.slots.held(slot)->state().sessions) {
    const auto& all = session.subscriptions;
    if (std::any_of(all.begin(), all.end(), [](const auto& one) { return one.second.owed(); })) clients.push_back(client);
  }
  for (const std::string& client : clients) begin_all(slot, client);
}

void Retained::stop_serving(SlotId slot) {
  for (auto it = readers_.lower_bound({slot, ""}); it != readers_.end() && it->first.first == slot;) drop(it++);
}

void Retained::drop(std::map<Key, Reader>::iterator reader) {
  for (Reading& reading : reader->second.readings) forget_query(reading);
  retries_.erase(reader->first);
  readers_.erase(reader);
}

void Retained::forget_query(Reading& reading) {
  if (reading.query == 0) return;
  queries_.erase(reading.query);
  asked_[reading.asked].erase(reading.query);
  reading.query = 0;
}

void Retained::attached(SlotId slot, const std::string& client) {
  if (const auto it = readers_.find({slot, client}); it != readers_.end()) {
    it->second.mark = 0;
    go_on(Key(it->first));
  }
  begin_all(slot, client);
}

void Retained::drained(SlotId slot, const std::string& client) {
  if (const auto it = readers_.find({slot, client}); it != readers_.end()) go_on(Key(it->first));
}

void Retained::session_changed(SlotId slot, const std::string& client) {
  const auto it = readers_.find({slot, client});
  if (it != readers_.end() && session(it->first) == nullptr) drop(it);
}

void Retained::overtaken(SlotId slot, const std::string& client, const slot::pb::Message& message) {
  if (!message.retain() || readers_.empty()) return;
  const auto it = readers_.find({slot, client});
  if (it != readers_.end()) it->second.overtaken[message.topic()] = next_++;
}

/// Asks for the next page of the first reading, if the session can take one; ends those that are through.
void Retained::go_on(const Key& key) {
  for (auto it = readers_.find(key); it != readers_.end(); it = readers_.find(key)) {
    Reader& reader = it->second;
    if (reader.readings.empty()) return drop(it);
    Reading& reading = reader.readings.front();
    if (owed(key, reading) == nullptr) {
      forget_query(reading);
      reader.by_filter.erase(reading.filter);
      reader.readings.pop_front();
      continue;
    }
    if (!reading.begun) reading.left = slots_of(reading.filter);  // not before: of many filters it would be much
    reading.begun = true;
    if (reading.query != 0 || reader.mark != 0 || retries_.contains(key)) return;
    if (!parts_.coordinator.is_attached(key.first, key.second)) return;  // QoS 0 would go nowhere
    if (!reading.left.empty()) {
      if (session(key)->queue.size() >= std::min<std::size_t>(queued_max, parts_.config.max_queued_messages / 2 + 1)) return;
      return ask(key, reading);
    }
    const Reading through = std::move(reading);
    reader.by_filter.erase(through.filter);
    reader.readings.pop_front();
    parts_.env.reached("retained.read");
    parts_.coordinator.answered(key.first, key.second, through.filter, through.subscribed);
  }
}

void Retained::ask(const Key& key, Reading& reading) {
  const SlotId first = *reading.left.begin();
  const NodeId node = parts_.slots.coordinator(first);
  if (node == 0) return retry(key);
  pb::PeerMessage message;
  pb::RetainedQuery& query = *message.mutable_retained_query();
  reading.query = next_++;
  reading.asked = node;
  query.set_id(reading.query);
  query.set_filter(reading.filter);
  for (const SlotId slot : reading.left) {
    if (parts_.slots.coordinator(slot) != node) continue;
    query.add_slots(slot);
    const auto after = reading.after.find(slot);
    query.add_after(after == reading.after.end() ? "" : after->second);
  }
  queries_.emplace(reading.query, key);
  asked_[node].insert(reading.query);
  parts_.send(node, std::move(message));
}

void Retained::retry(const Key& key) {
  retries_.insert(key);
  if (!retry_at_) retry_at_ = parts_.env.now() + retry_after;
}

void Retained::on_answer(const pb::RetainedAnswer& answer) {
  const auto found = queries_.find(answer.id());
  if (found == queries_.end()) return;
  const Key key = found->second;
  Reader& reader = readers_.at(key);
  Reading& reading = reader.readings.front();
  forget_query(reading);
  const slot::Subscription* subscription = owed(key, reading);
  if (subscription == nullptr) return go_on(key);
  for (const SlotId slot : answer.done()) reading.left.erase(slot);
  if (reading.left.contains(answer.at()) && !answer.after().empty()) reading.after[answer.at()] = answer.after();
  const slot::pb::Options options = subscription->options;
  Coordinator::Asked by{reading.filter, reading.by, {}};
  if (answer.whole()) {
    by.reading.emplace().set_filter(reading.filter);
    slot::to_pb(reading.subscribed, by.reading->mutable_subscribed());
  }
  bool unconfirmed = false;
  for (const auto& message : answer.messages()) {
    const auto newer = reader.overtaken.find(message.topic());
    if (newer != reader.overtaken.end() && newer->second > reading.began) continue;
    if (options.no_local() && std::string_view(key.second).substr(0, key.second.find('\x1f')) == message.publisher()) continue;
    if (by.reading) by.reading->set_slot(parts_.slots.slot_of(message.topic()));
    unconfirmed = parts_.coordinator.owe_retained(key.first, key.second, options, message, &by) || unconfirmed;
  }
  if (unconfirmed) {
    reader.mark = next_++;
    parts_.coordinator.send_mark(key.first, key.second, reader.mark);
  }
  if (answer.done().empty() && answer.messages().empty() && !answer.refused().empty()) retry(key);
  go_on(key);
}

void Retained::on_mark(const pb::RetainedMark& mark) {
  const auto it = readers_.find({mark.local() ? parts_.local_slot() : mark.slot(), mark.client()});
  if (it == readers_.end() || it->second.mark != mark.id()) return;
  it->second.mark = 0;
  go_on(Key(it->first));
}

void Retained::peer_changed(NodeId node) {
  const auto it = asked_.find(node);
  if (it == asked_.end()) return;
  const std::set<std::uint64_t> lost = std::move(it->second);
  asked_.erase(it);
  for (const std::uint64_t query : lost) {
    const Key key = queries_.at(query);
    queries_.erase(query);
    for (Reading& reading : readers_.at(key).readings)
      if (reading.query == query) reading.query = 0;
    retry(key);
  }
}

void Retained::tick() {
  const std::uint64_t wall = parts_.env.wall_ms();
  for (auto it = expiring_.begin(); it != expiring_.end() && it->first <= wall; ++it) parts_.slots.touched(it->second);
  if (!retry_at_ || parts_.env.now() < *retry_at_) return;
  retry_at_.reset();
  const std::set<Key> now = std::exchange(retries_, {});
  for (const Key& key : now) go_on(key);
}

}  // namespace hf::node
