// The rules of a session's queue: entries, whom they are dealt to, and the memory of those that are done.
#include <algorithm>
#include <tuple>
#include <utility>

#include "broker/base/assert.hpp"
#include "broker/slot/edit.hpp"
#include "broker/slot/keys.hpp"

namespace hf::slot {

void SessionEdit::enter_queue(const Entry& entry, const pb::Message* payload) {
  HF_ASSERT(payload != nullptr);
  session_.queue.edit().emplace(std::pair(entry.first, entry.name), &entry);
  StoredMessage& stored = state_.messages[entry.message];
  if (stored.references == 0) stored.message = *payload;
  session_.queued_bytes += weight(stored.message);
  ++state_.totals.queued;
  state_.totals.queued_bytes += weight(stored.message);
  if (stored.references++ > 0) return;
  touch(keys::message(entry.message));
}

void SessionEdit::leave_queue(const Entry& entry) {
  session_.queue.edit().erase(std::pair(entry.first, entry.name));
  const auto it = state_.messages.find(entry.message);
  HF_ASSERT(it != state_.messages.end());
  session_.queued_bytes -= weight(it->second.message);
  --state_.totals.queued;
  state_.totals.queued_bytes -= weight(it->second.message);
  if (--it->second.references > 0) return;
  state_.messages.erase(it);
  touch(keys::message(entry.message));
}

void SessionEdit::become_memory(Entry& entry) {
  Entry memory;
  memory.name = entry.name;
  memory.first = entry.first;
  memory.message = entry.message;
  memory.qos = 0;
  memory.given = entry.given;
  memory.done = true;
  memory.last = entry.last;
  memory.last_stamp = entry.last_stamp;
  entry = std::move(memory);
  remembers_ = true;
}

void SessionEdit::join_entry(const Entry& value, const pb::Message* payload) {
  const bool ended = value.first < session_.end;
  if (ended && !value.name.identity) return;
  const auto [it, fresh] = session_.entries.edit().try_emplace(value.name, value);
  Entry& here = it->second;
  touch(keys::entry(client_, value.name));
  if (fresh) {
    if (value.name.identity) ++state_.identities[value.name];
    if (ended || value.done) return become_memory(here);
    return enter_queue(here, payload);
  }
  if (!here.done && (ended || value.done)) {
    leave_queue(here);
    become_memory(here);
  }
  if (std::tie(value.first, value.message) < std::tie(here.first, here.message)) {
    if (!here.done) leave_queue(here);
    here.first = value.first;
    here.message = value.message;
    if (!here.done) {
      here.qos = value.qos;
      here.retain = value.retain;
      here.identifiers = value.identifiers;
      enter_queue(here, payload);
    }
  }
  here.given = here.given || value.given;
  if (!here.done) {
    here.recd = std::max(here.recd, value.recd);
    if (std::tie(value.epoch, value.attach, value.sent) > std::tie(here.epoch, here.attach, here.sent)) {
      here.packet_id = value.packet_id;
      here.epoch = value.epoch;
      here.attach = value.attach;
      here.sent = value.sent;
      here.member = value.member;
      here.deal = value.deal;
    }
  }
  if (value.last_stamp > here.last_stamp) {
    here.last = value.last;
    here.last_stamp = value.last_stamp;
  }
}

/// The entry, marked as named by this operation whatever comes of it: that is what converges.
Entry* SessionEdit::named(const Name& name, const Stamp& stamp, const Dot& dot) {
  if (session_.entries.empty()) return nullptr;
  auto& entries = session_.entries.edit();
  const auto it = entries.find(name);
  if (it == entries.end()) return nullptr;
  Entry& entry = it->second;
  if (stamp > entry.last_stamp) {
    entry.last_stamp = stamp;
    entry.last = dot;
  }
  touch(keys::entry(client_, name));
  return &entry;
}

void SessionEdit::bind_entry(const Name& name,
                             std::uint16_t packet_id,
                             const Stamp& epoch,
                             const Stamp& attach,
                             const Stamp& sent,
                             const Dot& dot) {
  Entry* entry = named(name, sent, dot);
  if (entry != nullptr && name.identity) entry->given = true;
  if (entry == nullptr || entry->done ||
      std::tie(epoch, attach, sent) < std::tie(entry->epoch, entry->attach, entry->sent))
    return;
  entry->packet_id = packet_id;
  entry->member.clear();
  entry->deal = {};
  entry->epoch = epoch;
  entry->attach = attach;
  entry->sent = sent;
}

void SessionEdit::assign_entry(const Name& name,
                               const std::string& member,
                               const Dot& deal,
                               const Stamp& epoch,
                               const Stamp& sent,
                               const Dot& dot) {
  Entry* entry = named(name, sent, dot);
  const Stamp no_attach;
  if (entry == nullptr || entry->done ||
      std::tie(epoch, no_attach, sent) < std::tie(entry->epoch, entry->attach, entry->sent))
    return;
  entry->packet_id = 0;
  entry->member = member;
  entry->deal = deal;
  entry->epoch = epoch;
  entry->attach = no_attach;
  entry->sent = sent;
}

void SessionEdit::receive_entry(const Name& name, std::uint32_t place, const Stamp& stamp, const Dot& dot) {
  Entry* entry = named(name, stamp, dot);
  if (entry != nullptr && !entry->done) entry->recd = std::max(entry->recd, place);
}

void SessionEdit::finish_entry(const Name& name, const Stamp& stamp, const Dot& dot) {
  if (!name.identity) return drop_entry(name);
  Entry* entry = named(name, stamp, dot);
  if (entry == nullptr || entry->done) return;
  leave_queue(*entry);
  become_memory(*entry);
}

void SessionEdit::drop_entry(const Name& name) {
  const auto it = session_.entries.find(name);
  if (it == session_.entries.end()) return;
  if (!it->second.done) leave_queue(it->second);
  touch(keys::entry(client_, name));
  session_.entries.edit().erase(it);
  if (name.identity) drop_one(state_.identities, name);
}

}  // namespace hf::slot
