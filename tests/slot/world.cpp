// See world.hpp. Operations are made as a coordinator makes them: from its own copy only.
#include "tests/slot/world.hpp"

#include <algorithm>
#include <iterator>
#include <stdexcept>

namespace hf::slot::test {

namespace {

const std::string clients[] = {"ann", "bob", "cy"};
const std::string filters[] = {"a/b", "a/+", "$share/g/a/b", "$share/h/a/b", "#"};

pb::Name identity(unsigned number) {
  pb::Name name;
  to_pb(Name{.identity = true, .front = false, .slot = 3, .dot = {{90, 1}, number + 1}}, &name);
  return name;
}
unsigned number_of(const pb::Name& name) {
  return static_cast<unsigned>(name.dot().seq() - 1);
}

void fill_connect(pb::Connect& connect, const std::string& client, const World::Step& step) {
  connect.set_client(client);
  connect.set_expiry_s(step.c % 5);
  connect.set_version(5);
  connect.set_session_present(step.c % 3 == 1);
  if (step.c % 2 == 1) connect.mutable_will()->set_payload("w" + std::to_string(step.c));
}

/// Names the wills that wait there, or all but one.
template <class Operation>
void name_wills(const Session& session, Operation& operation, bool all) {
  for (const auto& [dot, will] : session.wills)
    if (all || dot != session.wills.begin()->first) to_pb(dot, operation.add_wills());
}

/// The n-th entry of the queue, or null.
const Entry* pick(const Session& session, unsigned n) {
  if (session.queue.empty()) return nullptr;
  return std::next(session.queue.begin(), static_cast<long>(n % session.queue.size()))->second;
}

}  // namespace

/// One of the first identities whose publisher is not through with them, as far as the holder
/// knows.
unsigned World::current(const Holder& holder, unsigned n) {
  unsigned number = 0;
  for (n %= spread_ + 1; holder.released.contains(number) || n-- > 0;) ++number;
  identities_ = std::max(identities_, number + 1);
  return number;
}

World::World(std::size_t count, unsigned spread) : spread_(spread) {
  for (std::size_t i = 0; i < count; ++i)
    holders.emplace_back(Origin{static_cast<NodeId>(i + 1), 1});
}

void World::step(const Step& step) {
  Holder& holder = holders[step.who % holders.size()];
  Holder& other = holders[step.a % holders.size()];
  const unsigned what = step.what % 100;
  holder.wall_ms += step.c % 3;
  if (what < 30) {
    issue_session(holder, step);
  } else if (what < 72) {
    issue_queue(holder, step);
  } else if (what < 90) {
    if (&holder != &other && holder.side == other.side) stream(holder, other);
  } else if (what < 93) {
    if (&holder != &other && holder.side == other.side) transfer(holder, other);
  } else if (what < 95) {
    for (std::size_t i = 0; i < holders.size(); ++i) holders[i].side = (step.b >> i) & 1U;
  } else if (what < 96) {
    for (Holder& each : holders) each.side = 0;
  } else if (what < 97) {
    holder.wall_ms = step.b % 2 == 0 ? holder.wall_ms + step.c : step.c;  // clocks jump, also back
  } else {
    forget_at(holder, step.b % 4 == 0 ? step.c : 0);
  }
}

bool World::issue_session(Holder& holder, const Step& step) {
  const std::string& client = clients[step.a % spread_];
  const auto it = holder.state.sessions.find(client);
  const Session* session = it == holder.state.sessions.end() ? nullptr : &it->second;
  const bool exists = session != nullptr && session->exists();
  pb::Operation op;
  switch (step.b % 20) {
    case 0:
    case 1:
      if (exists) return false;
      [[fallthrough]];
    case 2:
    case 3: {
      fill_connect(*op.mutable_connect(), client, step);
      op.mutable_connect()->set_clean(step.b % 20 == 3);
      if (session != nullptr && step.c % 3 == 0) name_wills(*session, *op.mutable_connect(), step.a % 2 == 0);
      break;
    }
    case 4: {
      if (!exists) return false;
      *op.mutable_connect() = *session->connect;
      op.mutable_connect()->set_client(client);
      to_pb(session->connect_stamp, op.mutable_connect()->mutable_connect());
      op.mutable_connect()->set_keep_alive_s(step.c);
      if (step.c % 4 == 0) op.mutable_connect()->mutable_will()->set_payload("w" + std::to_string(step.a));
      break;
    }
    case 5: {
      if (!exists || !session->open()) return false;
      op.mutable_disconnect()->set_client(client);
      to_pb(session->connect_stamp, op.mutable_disconnect()->mutable_connect());
      op.mutable_disconnect()->set_expiry_s(step.a % 3 == 0 ? 0 : 10 + step.c % 5);
      op.mutable_disconnect()->set_closed_ms(step.c);
      op.mutable_disconnect()->set_goodbye(step.c % 3 == 0);
      if (step.c % 3 == 0) name_wills(*session, *op.mutable_disconnect(), step.a % 2 == 0);
      break;
    }
    case 6: {
      if (session == nullptr) return false;
      op.mutable_end()->set_client(client);
      if (step.c % 2 == 0) name_wills(*session, *op.mutable_end(), step.a % 2 == 0);
      break;
    }
    case 7:
    case 8:
    case 9: {
      if (!exists) return false;
      op.mutable_subscribe()->set_client(client);
      for (unsigned i = 0; i <= step.c % 2; ++i) {
        auto* one = op.mutable_subscribe()->add_filters();
        one->set_filter(filters[(step.c + i) % 5]);
        one->mutable_options()->set_qos(step.c % 3);
      }
      break;
    }
    case 10:
    case 11: {
      if (!exists) return false;
      op.mutable_unsubscribe()->set_client(client);
      op.mutable_unsubscribe()->add_filters(filters[step.c % 5]);
      break;
    }
    case 12:
    case 13: {  // logged only where the id is not held
      if (!exists) return false;
      const auto id = static_cast<std::uint16_t>(1 + step.c % 2);
      const Inbound* held = session->inbound_of(id);
      if (!raise_epoch(holder, step)) return false;
      if (held != nullptr && !held->released()) {
        if (held->epoch == holder.epoch) return false;
        to_pb(held->name, op.mutable_inbound()->mutable_name());  // of an earlier epoch: confirmed
      }
      to_pb(holder.epoch, op.mutable_inbound()->mutable_epoch());
      op.mutable_inbound()->set_client(client);
      op.mutable_inbound()->set_packet_id(id);
      to_pb(session->attach_stamp, op.mutable_inbound()->mutable_attach());
      break;
    }
    case 14: {
      if (!exists || !raise_epoch(holder, step)) return false;
      to_pb(holder.epoch, op.mutable_release()->mutable_epoch());
      op.mutable_release()->set_client(client);
      op.mutable_release()->set_packet_id(1 + step.c % 2);
      to_pb(session->attach_stamp, op.mutable_release()->mutable_attach());
      break;
    }
    case 15:
    case 16: {
      if (session == nullptr || session->wills.empty()) return false;
      const WaitingWill& will = session->wills.begin()->second;
      op.mutable_fire()->set_client(client);
      to_pb(will.connect, op.mutable_fire()->mutable_connect());
      name_wills(*session, *op.mutable_fire(), step.c % 2 == 0);
      if (step.c % 5 != 0) *op.mutable_fire()->mutable_message() = will.message;
      break;
    }
    case 17: {
      for (const auto& [dot, will] : holder.state.wills) to_pb(dot, op.mutable_published()->add_fires());
      if (!op.has_published()) return false;
      break;
    }
    case 18: {
      if (!exists) return false;
      op.mutable_began()->set_client(client);
      to_pb(session->connect_stamp, op.mutable_began()->mutable_connect());
      break;
    }
    default: {
      op.mutable_retained()->mutable_message()->set_topic(step.a % 2 == 0 ? "t/1" : "t/2");
      if (step.c % 3 != 0)
        op.mutable_retained()->mutable_message()->set_payload("r" + std::to_string(step.c));
      break;
    }
  }
  issue(holder, std::move(op));
  return true;
}

/// Now and then a new claim; and nobody writes under an epoch earlier than one it has seen.
bool World::raise_epoch(Holder& holder, const Step& step) {
  if (step.c % 4 == 0 || holder.epoch < holder.epoch_seen) holder.epoch = holder.clock.next(holder.wall_ms);
  return holder.epoch >= holder.epoch_seen;
}

bool World::issue_queue(Holder& holder, const Step& step) {
  pb::Operation op;
  const unsigned kind = step.b % 14;
  if (kind < 5) {
    auto* enqueue = op.mutable_enqueue();
    enqueue->mutable_message()->set_topic("a/b");
    enqueue->mutable_message()->set_payload("p" + std::to_string(operations.size()));
    enqueue->mutable_message()->set_qos(kind < 2 ? 1 : 2);
    if (kind >= 2)
      *enqueue->mutable_message()->mutable_identity() = identity(current(holder, step.c));
    for (unsigned i = 0; i < spread_; ++i) {
      const auto it = holder.state.sessions.find(clients[i]);
      if ((spread_ > 1 && ((step.a >> i) & 1U) == 0) || it == holder.state.sessions.end() ||
          !it->second.exists())
        continue;
      auto* target = enqueue->add_targets();
      target->set_client(clients[i]);
      target->set_qos(kind < 2 ? 1 : 1 + step.c / 8 % 2);
      target->add_identifiers(step.c);
    }
    if (enqueue->targets().empty()) return false;
    issue(holder, std::move(op));
    return true;
  }
  if (kind == 11) {
    op.mutable_retire()->add_names()->CopyFrom(identity(current(holder, step.c)));
    issue(holder, std::move(op));
    return true;
  }
  if (kind == 12) {  // how a deal ended; nobody says so of a name that it has seen released
    if (!raise_epoch(holder, step)) return false;
    to_pb(holder.epoch, op.mutable_settle()->mutable_epoch());
    op.mutable_settle()->add_names()->CopyFrom(identity(current(holder, step.c)));
    op.mutable_settle()->set_outcome(1 + step.a % 2);
    issue(holder, std::move(op));
    return true;
  }
  const auto it = holder.state.sessions.find(clients[step.a % spread_]);
  const Entry* entry = it == holder.state.sessions.end() ? nullptr : pick(it->second, step.c);
  if (entry == nullptr || !it->second.exists()) return false;
  if (kind < 8) {
    if (entry->qos == 2) {
      if (!raise_epoch(holder, step)) return false;
      to_pb(holder.epoch, op.mutable_send()->mutable_epoch());
    }
    op.mutable_send()->set_client(it->first);
    to_pb(it->second.attach_stamp, op.mutable_send()->mutable_attach());
    auto* one = op.mutable_send()->add_entries();
    to_pb(entry->name, one->mutable_name());
    one->set_packet_id(1 + step.c);
  } else if (kind == 8) {
    if (entry->packet_id == 0) return false;
    op.mutable_recd()->set_client(it->first);
    to_pb(entry->name, op.mutable_recd()->add_names());
    op.mutable_recd()->set_first(step.c);
  } else if (kind == 13) {
    if (!raise_epoch(holder, step)) return false;
    to_pb(holder.epoch, op.mutable_assign()->mutable_epoch());
    op.mutable_assign()->set_group(it->first);
    to_pb(entry->name, op.mutable_assign()->mutable_name());
    op.mutable_assign()->set_member("m" + std::to_string(step.c % 3));
    if (entry->deal.seq != 0) to_pb(entry->deal, op.mutable_assign()->mutable_deal());
  } else {
    op.mutable_done()->set_client(it->first);
    to_pb(entry->name, op.mutable_done()->add_names());
  }
  issue(holder, std::move(op));
  return true;
}

void World::note(Holder& holder, const pb::Operation& op) {
  for (const auto& name : op.retire().names()) holder.released.insert(number_of(name));
  for (const auto& epoch : {op.send().epoch(), op.inbound().epoch(), op.release().epoch(), op.assign().epoch(), op.settle().epoch()})
    holder.epoch_seen = std::max(holder.epoch_seen, from_pb(epoch));
}

void World::issue(Holder& holder, pb::Operation op) {
  op.set_version(1);
  to_pb(Dot{holder.origin, ++holder.seq}, op.mutable_dot());
  op.set_time(holder.clock.next(holder.wall_ms).time);
  seen_at_issue_.push_back(holder.state.seen);
  operations.push_back(op);
  Changes changes;
  apply(holder.state, op, changes);
  note(holder, op);
  holder.log.append(from_pb(op.dot()), op.SerializeAsString());
  settle(holder, changes);
}

void World::stream(Holder& from, Holder& to) {
  std::uint64_t& cursor = to.cursor[&from];
  if (cursor < from.log.begin() && !to.state.seen.covers(from.log.floor()))
    return transfer(from, to);
  for (cursor = std::max(cursor, from.log.begin()); cursor < from.log.end(); ++cursor) {
    const auto& item = from.log.at(cursor);
    if (to.state.seen.covers(item.dot)) continue;
    pb::Operation op;
    if (!op.ParseFromString(item.bytes)) throw std::logic_error("log");
    to.clock.observe(op.time());
    Changes changes;
    apply(to.state, op, changes);
    note(to, op);
    to.log.append(item.dot, item.bytes);
    settle(to, changes);
  }
}

void World::transfer(Holder& from, Holder& to) {
  State copy(7);
  for (const auto& [key, value] : rows(from.state))
    if (!decode_row(copy, key, value))
      throw std::logic_error("a row of its own cannot be read back");
  if (!finish_decoding(copy)) throw std::logic_error("rows of its own contradict each other");
  if (rows(copy) != rows(from.state)) throw std::logic_error("rows change on a round trip");
  to.clock.observe(from.clock.last());
  to.epoch_seen = std::max(to.epoch_seen, from.epoch_seen);
  to.released.insert(from.released.begin(), from.released.end());
  Changes changes;
  merge(to.state, copy, changes);
  to.log.restart(to.state.seen);
  to.cursor[&from] = from.log.end();
  settle(to, changes);
}

void World::heal() {
  for (Holder& holder : holders) holder.side = 0;
  for (int round = 0; round < 2; ++round)
    for (Holder& from : holders)
      for (Holder& to : holders)
        if (&from != &to) stream(from, to);
}

VersionVector World::stable() const {
  VersionVector all = holders.front().state.seen;
  for (const Holder& holder : holders) all = VersionVector::meet(all, holder.state.seen);
  return all;
}

/// The greatest time such that every operation stamped at most that is stable, and every operation
/// that is not stable was issued by a holder that had seen all of those: the duty of forget's
/// caller.
std::uint64_t World::safe_horizon(const VersionVector& settled) const {
  std::uint64_t horizon = ~std::uint64_t{0};
  for (const Holder& holder : holders) horizon = std::min(horizon, holder.clock.last());
  const auto below = [&](const VersionVector& seen) {
    for (const auto& op : operations)
      if (!seen.covers(from_pb(op.dot()))) horizon = std::min(horizon, op.time() - 1);
  };
  below(settled);
  for (std::size_t i = 0; i < operations.size(); ++i)
    if (!settled.covers(from_pb(operations[i].dot()))) below(seen_at_issue_[i]);
  return horizon;
}

void World::forget_at(Holder& holder, std::uint64_t less) {
  const VersionVector settled = stable();
  const std::uint64_t horizon = safe_horizon(settled);
  Changes changes;
  forget(holder.state, settled, horizon - std::min(horizon, less), changes);
  holder.log.drop_stable(settled);
  settle(holder, changes);
  forgot = true;
}

void World::drain() {
  Holder& holder = holders.front();
  for (const auto& client : clients) {
    const auto it = holder.state.sessions.find(client);
    if (it == holder.state.sessions.end()) continue;
    pb::Operation done;
    done.mutable_done()->set_client(client);
    for (const auto& [place, entry] : it->second.queue)
      if (entry->name.identity) to_pb(entry->name, done.mutable_done()->add_names());
    const bool exists = it->second.exists(), over = it->second.over();
    issue(holder, std::move(done));
    if (over) {
      pb::Operation end;
      end.mutable_end()->set_client(client);
      issue(holder, std::move(end));
    }
    if (!exists) continue;
    pb::Operation connect;
    fill_connect(*connect.mutable_connect(), client, {});
    connect.mutable_connect()->set_clean(it->second.ended != Stamp{});  // else an End that parts them is owed
    issue(holder, std::move(connect));
  }
  pb::Operation retire;
  pb::Operation published;
  for (const auto& [dot, will] : holder.state.wills) to_pb(dot, published.mutable_published()->add_fires());
  issue(holder, std::move(published));
  for (unsigned number = 0; number < identities_; ++number)
    *retire.mutable_retire()->add_names() = identity(number);
  issue(holder, std::move(retire));
  heal();
  for (Holder& each : holders) each.clock.observe(holder.clock.last());
  for (Holder& each : holders) forget_at(each, 0);
}

void World::settle(Holder& holder, const Changes& changes) {
  for (const auto& filter : changes.filters_removed)
    if (holder.filters.erase(filter) == 0)
      throw std::logic_error("removed what was not there: " + filter);
  for (const auto& filter : changes.filters_added)
    if (!holder.filters.insert(filter).second)
      throw std::logic_error("added what was there: " + filter);
  for (const auto& key : holder.state.dirty) {
    if (auto row = encode_row(holder.state, key))
      holder.disk[key] = std::move(*row);
    else
      holder.disk.erase(key);
  }
  holder.state.dirty.clear();
}

void World::check(Holder& holder) {
  const auto all = rows(holder.state);
  if (!std::is_sorted(all.begin(), all.end())) throw std::logic_error("rows out of order");
  if (std::map<std::string, std::string>(all.begin(), all.end()) != holder.disk)
    throw std::logic_error("a changed row was not marked dirty");
  State copy(7);
  for (const auto& [key, value] : all)
    if (!decode_row(copy, key, value)) throw std::logic_error("unreadable row");
  if (!finish_decoding(copy)) throw std::logic_error("contradictory rows");
  if (copy.totals != holder.state.totals) throw std::logic_error("totals that were kept are not what the rows come to");
  for (const auto& [client, session] : holder.state.sessions) {
    const Session& same = copy.sessions.at(client);
    if (same.filters != session.filters || same.filter_bytes != session.filter_bytes)
      throw std::logic_error("subscriptions miscounted");
  }
  if (copy.filters != holder.state.filters || copy.index.size() != holder.state.index.size())
    throw std::logic_error("index out of step");
  if (copy.identities != holder.state.identities || copy.inbound_names != holder.state.inbound_names ||
      copy.will_names != holder.state.will_names ||
      copy.retained.deleted() != holder.state.retained.deleted() ||
      !std::includes(holder.state.remembering.begin(), holder.state.remembering.end(), copy.remembering.begin(),
                     copy.remembering.end()))
    throw std::logic_error("what forgetting looks at is out of step");
  for (const auto& client : holder.state.remembering)
    if (!holder.state.sessions.contains(client)) throw std::logic_error("remembers a session that is gone");
  std::set<std::string> keys;
  for (const auto& [filter, count] : holder.state.filters) keys.insert(filter);
  if (keys != holder.filters) throw std::logic_error("Changes tell other filters");
  std::vector<std::string> mine, theirs;
  holder.state.index.match("a/b", [&](const Indexed& one) { mine.push_back(*one.client + " " + one.subscription->first); });
  copy.index.match("a/b", [&](const Indexed& one) { theirs.push_back(*one.client + " " + one.subscription->first); });
  std::sort(mine.begin(), mine.end());
  std::sort(theirs.begin(), theirs.end());
  if (mine != theirs) throw std::logic_error("index matches otherwise");
  for (const auto& [dot, stored] : copy.messages)
    if (stored.references != holder.state.messages.at(dot).references)
      throw std::logic_error("references");
  for (const auto& [client, session] : copy.sessions)
    if (session.queue.size() != holder.state.sessions.at(client).queue.size())
      throw std::logic_error("queue");
}

}  // namespace hf::slot::test
