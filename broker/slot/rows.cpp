// The state as rows, for storage, for transfer and for the eye.
#include "broker/slot/rows.hpp"

#include "broker/base/hash.hpp"
#include "broker/slot/keys.hpp"

namespace hf::slot {

namespace {

using Row = std::optional<std::string>;

/// A session that holds only items has no row of its own.
Row encode(const Session& session) {
  if (session.end == Stamp{} && session.ended == Stamp{} && !session.connect) return std::nullopt;
  pb::SessionRow row;
  if (session.end != Stamp{}) {
    to_pb(session.end, row.mutable_end());
    to_pb(session.end_dot, row.mutable_end_dot());
  }
  if (session.connect) {
    *row.mutable_connect() = *session.connect;
    to_pb(session.connect_stamp, row.mutable_connect_stamp());
    to_pb(session.attach_stamp, row.mutable_attach_stamp());
    to_pb(session.attach_dot, row.mutable_attach_dot());
    row.set_expiry_s(session.expiry_s);
    if (session.began != Stamp{}) to_pb(session.began, row.mutable_began());
  }
  if (session.closed != Stamp{}) {
    to_pb(session.closed, row.mutable_closed());
    to_pb(session.closed_dot, row.mutable_closed_dot());
    to_pb(session.closed_connect, row.mutable_closed_connect());
    row.set_closed_ms(session.closed_ms);
  }
  row.set_will_over(session.will_over);
  if (session.ended != Stamp{}) {
    to_pb(session.ended, row.mutable_ended());
    to_pb(session.ended_dot, row.mutable_ended_dot());
  }
  return row.SerializeAsString();
}

Row encode(const Subscription& subscription) {
  pb::SubscriptionRow row;
  to_pb(subscription.stamp, row.mutable_stamp());
  to_pb(subscription.dot, row.mutable_dot());
  row.set_present(subscription.present);
  if (subscription.owed()) to_pb(subscription.owing->asked, row.mutable_asked());
  for (const auto& [slot, topic] : subscription.owing->read) {
    auto& read = *row.add_read();
    read.set_slot(slot);
    read.set_topic(topic);
  }
  if (subscription.present) *row.mutable_options() = subscription.options;
  return row.SerializeAsString();
}

Row encode(const Entry& entry) {
  pb::EntryRow row;
  to_pb(entry.first, row.mutable_first());
  to_pb(entry.message, row.mutable_message());
  row.set_qos(entry.qos);
  row.set_retain(entry.retain);
  for (const auto identifier : entry.identifiers) row.add_identifiers(identifier);
  if (entry.sent != Stamp{}) {
    row.set_packet_id(entry.packet_id);
    to_pb(entry.attach, row.mutable_attach());
    to_pb(entry.sent, row.mutable_sent());
    if (entry.epoch != Stamp{}) to_pb(entry.epoch, row.mutable_epoch());
    row.set_member(entry.member);
    if (entry.deal.seq != 0) to_pb(entry.deal, row.mutable_deal());
  }
  row.set_given(entry.given);
  row.set_recd(entry.recd);
  row.set_done(entry.done);
  to_pb(entry.last, row.mutable_last());
  row.set_last_time(entry.last_stamp.time);
  return row.SerializeAsString();
}

Row encode(const Inbound& inbound) {
  pb::InboundRow row;
  to_pb(inbound.attach, row.mutable_attach());
  row.set_time(inbound.stamp.time);
  if (inbound.epoch != Stamp{}) to_pb(inbound.epoch, row.mutable_epoch());
  if (!inbound.released()) to_pb(inbound.name, row.mutable_name());
  row.set_content(inbound.content);
  return row.SerializeAsString();
}

Row encode(const RetainedMessage& retained) {
  pb::RetainedRow row;
  to_pb(retained.stamp, row.mutable_stamp());
  to_pb(retained.dot, row.mutable_dot());
  *row.mutable_message() = retained.message;
  if (retained.connected != Stamp{}) to_pb(retained.connected, row.mutable_connected());
  return row.SerializeAsString();
}

Row encode(const Retired& retired) {
  pb::RetiredRow row;
  to_pb(retired.stamp, row.mutable_stamp());
  to_pb(retired.dot, row.mutable_dot());
  return row.SerializeAsString();
}

Row encode(const FiredWill& will) {
  pb::WillRow row;
  row.set_time(will.stamp.time);
  *row.mutable_message() = will.message;
  return row.SerializeAsString();
}

Row encode(const WaitingWill& will) {
  pb::WaitingWillRow row;
  to_pb(will.connect, row.mutable_connect());
  row.set_delay_s(will.delay_s);
  row.set_copy(will.copy);
  *row.mutable_message() = will.message;
  return row.SerializeAsString();
}

Row encode(const Settled& settled) {
  pb::SettledRow row;
  if (settled.epoch != Stamp{}) to_pb(settled.epoch, row.mutable_epoch());
  to_pb(settled.stamp, row.mutable_stamp());
  to_pb(settled.dot, row.mutable_dot());
  row.set_outcome(static_cast<std::uint32_t>(settled.outcome));
  return row.SerializeAsString();
}

Row encode(const StoredMessage& stored) {
  return stored.message.SerializeAsString();
}

Row encode(const VersionVector& seen) {
  if (seen.empty()) return std::nullopt;
  pb::VersionVector row;
  to_pb(seen, &row);
  return row.SerializeAsString();
}

template <class Map, class Key>
Row encode_in(const Map& map, const std::optional<Key>& key) {
  if (!key) return std::nullopt;
  const auto it = map.find(*key);
  return it == map.end() ? std::nullopt : encode(it->second);
}

/// Rows of one kind are in key order because maps are: client ids hold no U+0000.
class Writer {
 public:
  explicit Writer(const State& state) {
    for (const auto& [name, settled] : state.settled) put(keys::settled(name), encode(settled));
    for (const auto& [client, session] : state.sessions)
      for (const auto& [name, entry] : session.entries)
        put(keys::entry(client, name), encode(entry));
    for (const auto& [client, session] : state.sessions)
      for (const auto& [id, inbound] : session.inbound)
        put(keys::inbound(client, id), encode(inbound));
    for (const auto& [client, session] : state.sessions)
      for (const auto& [dot, will] : session.wills) put(keys::waiting_will(client, dot), encode(will));
    for (const auto& [dot, stored] : state.messages) put(keys::message(dot), encode(stored));
    for (const auto& [topic, retained] : state.retained.all())
      put(keys::retained(topic), encode(retained));
    for (const auto& [client, session] : state.sessions)
      put(keys::session(client), encode(session));
    for (const auto& [name, retired] : state.retired) put(keys::retired(name), encode(retired));
    for (const auto& [client, session] : state.sessions)
      for (const auto& [filter, value] : session.subscriptions)
        put(keys::subscription(client, filter), encode(value));
    put(keys::seen, encode(state.seen));
    for (const auto& [dot, will] : state.wills) put(keys::will(dot), encode(will));
  }
  std::vector<std::pair<std::string, std::string>> take() { return std::move(rows_); }

 private:
  void put(std::string key, Row row) {
    if (row) rows_.emplace_back(std::move(key), std::move(*row));
  }
  std::vector<std::pair<std::string, std::string>> rows_;
};

template <class Message>
std::string text_of(const std::string& bytes) {
  Message message;
  return message.ParseFromString(bytes) ? message.ShortDebugString() : "damaged";
}

std::string text_of(char kind, const std::string& bytes) {
  switch (kind) {
    case 's':
      return text_of<pb::SessionRow>(bytes);
    case 'u':
      return text_of<pb::SubscriptionRow>(bytes);
    case 'e':
      return text_of<pb::EntryRow>(bytes);
    case 'i':
      return text_of<pb::InboundRow>(bytes);
    case 'l':
      return text_of<pb::WaitingWillRow>(bytes);
    case 'm':
      return text_of<pb::Message>(bytes);
    case 'r':
      return text_of<pb::RetainedRow>(bytes);
    case 't':
      return text_of<pb::RetiredRow>(bytes);
    case 'w':
      return text_of<pb::WillRow>(bytes);
    case 'd':
      return text_of<pb::SettledRow>(bytes);
    default:
      return text_of<pb::VersionVector>(bytes);
  }
}

std::string printable(std::string_view key) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string out;
  for (const char c : key) {
    if (c >= ' ' && c <= '~') {
      out.push_back(c);
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out.append({'\\', digits[byte >> 4U], digits[byte & 15U]});
  }
  return out;
}

}  // namespace

std::optional<std::string> encode_row(const State& state, std::string_view key) {
  const auto parsed = keys::parse(key);
  if (!parsed) return std::nullopt;
  if (parsed->kind == 'v') return encode(state.seen);
  if (parsed->kind == 'm') return encode_in(state.messages, keys::parse_dot(parsed->rest));
  if (parsed->kind == 'r') return encode_in(state.retained.all(), std::optional(parsed->rest));
  if (parsed->kind == 't') return encode_in(state.retired, keys::parse_name(parsed->rest));
  if (parsed->kind == 'w') return encode_in(state.wills, keys::parse_dot(parsed->rest));
  if (parsed->kind == 'd') return encode_in(state.settled, keys::parse_name(parsed->rest));
  const auto session = state.sessions.find(parsed->client);
  if (session == state.sessions.end()) return std::nullopt;
  switch (parsed->kind) {
    case 's':
      return encode(session->second);
    case 'u':
      return encode_in(session->second.subscriptions, std::optional(parsed->rest));
    case 'e':
      return encode_in(session->second.entries, keys::parse_name(parsed->rest));
    case 'l':
      return encode_in(session->second.wills, keys::parse_dot(parsed->rest));
    default: {
      const auto id = keys::parse_inbound(parsed->rest);
      const auto it = id ? session->second.inbound.find(*id) : session->second.inbound.end();
      return it == session->second.inbound.end() ? std::nullopt : encode(it->second);
    }
  }
}

std::vector<std::pair<std::string, std::string>> rows(const State& state) {
  return Writer(state).take();
}

std::uint64_t digest(const State& state) {
  std::uint64_t sum = 0;
  for (const auto& [key, row] : rows(state)) sum = hash64(row, hash64(key, sum));
  return sum;
}

std::string describe(const State& state) {
  std::string out;
  for (const auto& [key, row] : rows(state))
    out += printable(key) + " " + text_of(key[0], row) + "\n";
  return out;
}

}  // namespace hf::slot
