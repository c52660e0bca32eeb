// Keys and rows back into a state. Everything here may come from a damaged disk or a hostile peer.
#include "broker/slot/keys.hpp"
#include "broker/slot/rows.hpp"
#include "broker/topic/name.hpp"

namespace hf::slot {

namespace keys {

namespace {
/// Takes a big-endian number off the front; the caller has checked that it is there.
std::uint64_t take(std::string_view& in, std::size_t bytes) {
  std::uint64_t value = 0;
  for (const char c : in.substr(0, bytes)) value = value << 8U | static_cast<unsigned char>(c);
  in.remove_prefix(bytes);
  return value;
}
Dot take_dot(std::string_view& in) {
  Dot dot;
  dot.origin.node = static_cast<std::uint32_t>(take(in, 4));
  dot.origin.boot = static_cast<std::uint32_t>(take(in, 4));
  dot.seq = take(in, 8);
  return dot;
}
}  // namespace

std::optional<Key> parse(std::string_view key) {
  if (key.empty()) return std::nullopt;
  const char kind = key.front();
  key.remove_prefix(1);
  switch (kind) {
    case 'v':
      return key.empty() ? std::optional(Key{kind, {}, {}}) : std::nullopt;
    case 'm':
    case 'r':
    case 't':
    case 'w':
    case 'd':
      return Key{kind, {}, key};
    case 's':
      if (key.find('\0') != std::string_view::npos) return std::nullopt;
      return Key{kind, key, {}};
    case 'u':
    case 'e':
    case 'i':
    case 'l': {
      const auto nul = key.find('\0');
      if (nul == std::string_view::npos) return std::nullopt;
      return Key{kind, key.substr(0, nul), key.substr(nul + 1)};
    }
    default:
      return std::nullopt;
  }
}

std::optional<Dot> parse_dot(std::string_view in) {
  if (in.size() != 16) return std::nullopt;
  return take_dot(in);
}

std::optional<Name> parse_name(std::string_view in) {
  if (in.size() != 23) return std::nullopt;
  const std::uint64_t identity = take(in, 1);
  const std::uint64_t front = take(in, 1);
  const std::uint64_t written = take(in, 1);
  if (identity > 1 || front > 1 || written > 1) return std::nullopt;
  Name name{.identity = identity == 1,
            .front = front == 1,
            .written = written == 1,
            .slot = static_cast<SlotId>(take(in, 4)),
            .dot = {}};
  name.dot = take_dot(in);
  return name;
}

std::optional<InboundKey> parse_inbound(std::string_view in) {
  if (in.size() < 2) return std::nullopt;
  InboundKey key{static_cast<std::uint16_t>(take(in, 2)), {}};
  const auto dot = parse_dot(in);
  if (!dot || dot->seq == 0) return std::nullopt;
  key.dot = *dot;
  return key;
}

}  // namespace keys

namespace {

bool decode(const pb::SessionRow& row, Session& session) {
  session.end = from_pb(row.end());
  session.end_dot = from_pb(row.end_dot());
  session.connect.reset();
  if (row.has_connect()) session.connect = without_repeats(row.connect());
  session.connect_stamp = from_pb(row.connect_stamp());
  session.attach_stamp = from_pb(row.attach_stamp());
  session.attach_dot = from_pb(row.attach_dot());
  session.closed = from_pb(row.closed());
  session.closed_dot = from_pb(row.closed_dot());
  session.closed_connect = from_pb(row.closed_connect());
  session.expiry_s = row.expiry_s();
  session.began = from_pb(row.began());
  session.closed_ms = row.closed_ms();
  session.will_over = row.will_over();
  session.ended = from_pb(row.ended());
  session.ended_dot = from_pb(row.ended_dot());
  if (session.over() && session.ended == Stamp{}) {  // written before there was that field
    session.ended = session.closed;
    session.ended_dot = session.closed_dot;
  }
  if (!session.connect && (row.has_connect_stamp() || row.has_attach_stamp() || row.has_closed()))
    return false;
  return session.connect || session.end != Stamp{} || session.ended != Stamp{};
}

bool decode(const pb::SubscriptionRow& row, Subscription& subscription) {
  subscription = {from_pb(row.stamp()), from_pb(row.dot()), row.present(), row.options(), {}};
  if (!row.has_asked()) return row.read().empty();
  Owed& owed = subscription.owing.edit();
  owed.asked = from_pb(row.asked());
  for (const auto& read : row.read()) owed.read[read.slot()] = read.topic();
  return !owed.empty();
}

bool decode(const pb::EntryRow& row, const Name& name, Entry& entry) {
  if (row.packet_id() > 0xFFFFU || row.qos() > 2) return false;
  entry = Entry{};
  entry.name = name;
  entry.first = from_pb(row.first());
  entry.message = from_pb(row.message());
  entry.qos = row.qos();
  entry.retain = row.retain();
  entry.identifiers.assign(row.identifiers().begin(), row.identifiers().end());
  entry.packet_id = static_cast<std::uint16_t>(row.packet_id());
  entry.epoch = from_pb(row.epoch());
  entry.attach = from_pb(row.attach());
  entry.sent = from_pb(row.sent());
  entry.recd = row.recd();
  entry.given = row.given();
  entry.member = row.member();
  entry.deal = from_pb(row.deal());
  entry.done = row.done();
  entry.last = from_pb(row.last());
  entry.last_stamp = {row.last_time(), entry.last.origin};
  return name.identity || (!entry.done && entry.message == name.dot);
}

bool decode(const pb::InboundRow& row, const InboundKey& key, Inbound& inbound) {
  inbound = {from_pb(row.epoch()), {row.time(), key.dot.origin}, from_pb(row.attach()), from_pb(row.name()), row.content()};
  return row.has_name() == (inbound.name.seq != 0);
}

bool decode(const pb::RetiredRow& row, Retired& retired) {
  retired = {from_pb(row.stamp()), from_pb(row.dot())};
  return true;
}

bool decode(const pb::SettledRow& row, Settled& settled) {
  settled = {from_pb(row.epoch()), from_pb(row.stamp()), from_pb(row.dot()), static_cast<Outcome>(row.outcome())};
  return row.outcome() <= 2;
}

template <class Row>
std::optional<Row> parse_row(std::string_view bytes) {
  Row row;
  if (bytes.size() > 0x7FFFFFFFU ||
      !row.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
    return std::nullopt;
  return row;
}

bool decode_session_item(State& state, const keys::Key& key, std::string_view value) {
  const auto session = [&]() -> Session& { return state.sessions[std::string(key.client)]; };
  if (key.kind == 's') {
    const auto row = parse_row<pb::SessionRow>(value);
    return row && decode(*row, session());
  }
  if (key.kind == 'u') {
    const auto row = parse_row<pb::SubscriptionRow>(value);
    return row && decode(*row, session().subscriptions.edit()[std::string(key.rest)]);
  }
  if (key.kind == 'e') {
    const auto row = parse_row<pb::EntryRow>(value);
    const auto name = keys::parse_name(key.rest);
    return row && name && decode(*row, *name, session().entries.edit()[*name]);
  }
  if (key.kind == 'l') {
    auto row = parse_row<pb::WaitingWillRow>(value);
    const auto dot = keys::parse_dot(key.rest);
    if (!row || !dot || dot->seq == 0) return false;
    session().wills.edit()[*dot] = {from_pb(row->connect()), row->delay_s(), row->copy(), std::move(*row->mutable_message())};
    return true;
  }
  const auto row = parse_row<pb::InboundRow>(value);
  const auto id = keys::parse_inbound(key.rest);
  return row && id && decode(*row, *id, session().inbound.edit()[*id]);
}

/// Invariants 3 to 6 of SessionEdit, which rows could break.
bool consistent(const Session& session) {
  if (session.connect ? session.connect_stamp < session.end : session.closed != Stamp{})
    return false;
  if ((session.closed == Stamp{}) != (session.closed_connect == Stamp{})) return false;
  if (session.closed != Stamp{} && session.closed_connect != session.connect_stamp) return false;
  if (session.will_over && !session.connect) return false;
  for (const auto& [filter, subscription] : session.subscriptions)
    if (subscription.stamp < session.end) return false;
  for (const auto& [name, entry] : session.entries)
    if (entry.first < session.end && !entry.done) return false;
  for (const auto& [id, inbound] : session.inbound)
    if (inbound.attach < session.end || inbound.attach < session.began) return false;
  if (session.ended != Stamp{} ? session.ended <= session.end : session.over()) return false;
  if (session.began != Stamp{} && (!session.connect || session.began < session.end)) return false;
  return session.connect || session.end != Stamp{} || session.ended != Stamp{} || !session.subscriptions.empty() ||
         !session.entries.empty() || !session.inbound.empty() || !session.wills.empty();
}

bool derive_queue(State& state, Session& session) {
  session.queue = {};
  session.queued_bytes = 0;
  for (const auto& [name, entry] : session.entries) {
    if (entry.done) continue;
    const auto stored = state.messages.find(entry.message);
    if (stored == state.messages.end()) return false;
    ++stored->second.references;
    session.queued_bytes += weight(stored->second.message);
    session.queue.edit().emplace(std::pair(entry.first, name), &entry);
  }
  return true;
}

void count_filters(Session& session) {
  session.filters = 0;
  session.filter_bytes = 0;
  for (const auto& [filter, subscription] : session.subscriptions) {
    if (!subscription.present) continue;
    ++session.filters;
    session.filter_bytes += filter.size();
  }
}

void derive_memory(State& state) {
  state.remembering.clear();
  state.identities.clear();
  state.inbound_names.clear();
  state.will_names.clear();
  for (const auto& [client, session] : state.sessions) {
    if (has_memory(session)) state.remembering.insert(client);
    for (const auto& [name, entry] : session.entries)
      if (name.identity) ++state.identities[name];
    for (const auto& [key, inbound] : session.inbound)
      if (!inbound.released()) ++state.inbound_names[inbound.name];
    for (const auto& [dot, will] : session.wills) ++state.will_names[{from_pb(will.message.identity()), client}];
  }
}

}  // namespace

bool decode_row(State& state, std::string_view key, std::string_view value) {
  const auto parsed = keys::parse(key);
  if (!parsed) return false;
  if (parsed->kind == 'v') {
    const auto row = parse_row<pb::VersionVector>(value);
    if (row) state.seen = from_pb(*row);
    return row.has_value();
  }
  if (parsed->kind == 'm') {
    const auto dot = keys::parse_dot(parsed->rest);
    auto row = parse_row<pb::Message>(value);
    if (dot && row) state.messages[*dot].message = std::move(*row);
    return dot && row;
  }
  if (parsed->kind == 'r') {
    auto row = parse_row<pb::RetainedRow>(value);
    if (!row) return false;
    state.retained.put(std::string(parsed->rest), {from_pb(row->stamp()), from_pb(row->dot()), from_pb(row->connected()),
                                                   std::move(*row->mutable_message())});
    return true;
  }
  if (parsed->kind == 't') {
    const auto row = parse_row<pb::RetiredRow>(value);
    const auto name = keys::parse_name(parsed->rest);
    return row && name && decode(*row, state.retired[*name]);
  }
  if (parsed->kind == 'w') {
    auto row = parse_row<pb::WillRow>(value);
    const auto dot = keys::parse_dot(parsed->rest);
    if (row && dot) state.wills[*dot] = {{row->time(), dot->origin}, std::move(*row->mutable_message())};
    return row && dot;
  }
  if (parsed->kind == 'd') {
    const auto row = parse_row<pb::SettledRow>(value);
    const auto name = keys::parse_name(parsed->rest);
    return row && name && decode(*row, state.settled[*name]);
  }
  return decode_session_item(state, *parsed, value);
}

bool finish_decoding(State& state) {
  state.index = topic::Trie<Indexed>(state.seed);
  state.filters.clear();
  state.dirty.clear();
  state.totals = {};
  derive_memory(state);
  for (auto& [dot, stored] : state.messages) stored.references = 0;
  for (auto& [client, session] : state.sessions) {
    if (!consistent(session) || !derive_queue(state, session)) return false;
    count_filters(session);
    state.totals.queued += session.queue.size();
    state.totals.queued_bytes += session.queued_bytes;
    if (!session.exists()) continue;
    ++state.totals.sessions;
    if (is_bound(session)) ++state.totals.bound;
    for (const auto& subscribed : session.subscriptions) {
      if (!subscribed.second.present) continue;
      const auto parsed = topic::parse_filter(subscribed.first);
      if (!parsed) continue;
      if (!parsed->shared()) state.index.insert(subscribed.first, {&client, &subscribed});
      ++state.filters[subscribed.first];
      ++state.totals.subscriptions;
    }
  }
  for (const auto& [dot, stored] : state.messages)
    if (stored.references == 0) return false;
  return true;
}

}  // namespace hf::slot
