// The coordinator of slots: requests in, operations logged, replies out through gates.
#include "broker/node/coordinator.hpp"

#include <algorithm>
#include <set>
#include <string_view>

#include "broker/node/client_log.hpp"
#include "broker/node/parts.hpp"

namespace hf::node {

namespace {
constexpr std::size_t parked_max = 100'000;  ///< requests per slot that wait for it to be served

bool same_connection(const slot::pb::Front& a, const slot::pb::Front& b) {
  return a.node() == b.node() && a.boot() == b.boot() && a.shard() == b.shard() && a.connection() == b.connection();
}
}  // namespace

void Coordinator::start() { serving_.resize(parts_.config.slots + 1); }

pb::Reply Coordinator::answer(const pb::Request& request) {
  pb::Reply reply;
  reply.set_slot(request.slot());
  reply.set_local(request.local());
  reply.set_id(request.id());
  reply.set_round(request.round());
  reply.set_ahead(request.ahead());
  return reply;
}

void Coordinator::reply(NodeId to, pb::Reply reply) {
  pb::PeerMessage message;
  *message.mutable_reply() = std::move(reply);
  parts_.send(to, std::move(message));
}

void Coordinator::redirect(NodeId to, const pb::Request& request) {
  pb::Reply no = answer(request);
  no.set_redirect(true);
  no.set_time(parts_.clock->last());
  reply(to, std::move(no));
}

slot::Session* Coordinator::session(SlotId slot, std::string_view client) {
  auto& sessions = parts_.slots.held(slot)->state().sessions;
  const auto it = sessions.find(client);
  return it == sessions.end() ? nullptr : &it->second;
}

slot::Dot Coordinator::tail(SlotId slot) const {
  parts_.slots.touched(slot);  // a gate on what is stored already must open in this turn, though nothing is logged
  const auto* held = parts_.slots.held(slot);
  return {held->self(), held->state().seen.seen(held->self())};
}

slot::Dot Coordinator::append(SlotId slot, slot::pb::Operation operation) {
  return append(slot, std::move(operation), parts_.stamp());
}

slot::Dot Coordinator::append(SlotId slot, slot::pb::Operation operation, slot::Stamp stamp) {
  slot::Changes changes;
  if (parts_.config.trace_messages) parts_.trace(parts_.self.node, "made", slot, operation);
  const auto dot = parts_.slots.held(slot)->append(std::move(operation), stamp, changes);
  ++parts_.counters.operations;
  parts_.slots.touched(slot);
  changed(slot, changes, false);
  return dot;
}

void Coordinator::on_request(NodeId from, const pb::Request& request) {
  const SlotId slot = request.local() ? parts_.local_slot() : request.slot();
  if (slot > parts_.local_slot() || (request.local() && from != parts_.self.node)) return;
  if (parts_.config.mutant.is("minority_refuses") && !request.local() && parts_.slots.held(slot) != nullptr &&
      2 * parts_.cluster->view().size() <= parts_.config.members.size())
    return redirect(from, request);
  if (!parts_.slots.serving(slot)) {
    Serving& serving = serving_[slot];
    if (parts_.slots.coordinator(slot) != parts_.self.node || serving.parked.size() >= parked_max)
      return redirect(from, request);
    serving.parked.emplace_back(from, request);
    return;
  }
  if (request.after() == 0 && request.came_from() != 0 && !parts_.slots.knows(slot, request.came_from()))
    return redirect(from, request);
  if (outlived(slot, request)) return redirect(from, request);
  bool again = false;
  if (!admit(slot, from, request, again)) return redirect(from, request);
  dispatch(slot, from, request, again);
}

/// A request that lay here while its front asked elsewhere: what it names may be forgotten, or its session
/// attached to another coordinator since. A front that still wants it sends it again, with a new time.
bool Coordinator::outlived(SlotId slot, const pb::Request& request) {
  if (slot == parts_.local_slot()) return false;
  if (request.time() < parts_.slots.held(slot)->horizon()) return true;
  const slot::Session* now = session(slot, request.client());
  return now != nullptr && now->attach_stamp.origin != parts_.self && request.time() < now->attach_stamp.time;
}

bool Coordinator::decides_qos2(SlotId slot) const {
  return parts_.slots.decides(slot) || parts_.config.mutant.is("qos2_without_majority");
}

bool Coordinator::admit(SlotId slot, NodeId from, const pb::Request& request, bool& again) {
  Intake& intake = serving_[slot].intake[from];
  const std::uint32_t boot = parts_.cluster->boot_of(from);
  if (intake.boot != boot) intake = Intake{.boot = boot};
  const bool next = request.round() == intake.round && request.after() == intake.last && request.after() != 0;
  const bool first = request.after() == 0 && request.round() > intake.round;
  if (!next && !first) return false;
  intake.round = request.round();
  intake.last = request.id();
  std::uint64_t& highest = request.ahead() ? intake.highest_ahead : intake.highest;
  again = request.id() <= highest;
  highest = std::max(highest, request.id());
  return true;
}

/// Is the request of the session's present connection? One of a connection before may still be on its way.
bool Coordinator::speaks_for_session(SlotId slot, NodeId from, const pb::Request& request) {
  const slot::Session* now = session(slot, request.client());
  return now != nullptr && now->exists() && now->connect->front().node() == from &&
         now->connect->front().connection() == request.connection();
}

void Coordinator::dispatch(SlotId slot, NodeId from, const pb::Request& request, bool again) {
  if (slot == parts_.local_slot()) local_touched_.insert(request.client());
  const bool changes_session =
      request.has_subscribe() || request.has_unsubscribe() || request.has_inbound() || request.has_release() || request.has_began();
  if (changes_session && !speaks_for_session(slot, from, request)) {
    pb::Reply no = answer(request);
    no.set_superseded(true);
    return reply(from, std::move(no));
  }
  if ((request.has_inbound() || request.has_release() || request.has_doubts()) && !decides_qos2(slot)) {
    serving_[slot].without_majority.insert_or_assign({from, request.connection(), request.id()}, request);
    return;
  }
  switch (request.kind_case()) {
    case pb::Request::kOpen: return open(slot, from, request);
    case pb::Request::kClose: return close(slot, from, request);
    case pb::Request::kSubscribe: return subscribe(slot, from, request);
    case pb::Request::kUnsubscribe: return unsubscribe(slot, from, request);
    case pb::Request::kAcks: return acks(slot, from, request);
    case pb::Request::kDoubts: return doubts(slot, from, request);
    case pb::Request::kInbound: return inbound(slot, from, request);
    case pb::Request::kRelease: return release(slot, from, request);
    case pb::Request::kBegan: return began(slot, from, request);
    case pb::Request::kPublish: return publish(slot, from, request, again);
    case pb::Request::kRetain: return retain(slot, from, request, again);
    case pb::Request::KIND_NOT_SET: return reply(from, answer(request));
  }
}

/// `old`: the session as it was before this CONNECT, if there is one.
void Coordinator::log_opening(const std::string& client, const slot::Session* old, const slot::pb::Connect& connect) const {
  if (old == nullptr || !old->exists()) return;
  if (connect.clean() && !old->connect->bound())
    log_session(parts_.env, env::Level::debug, client_event::session_ended, client, "session ended: clean start");
  const NodeId before = old->connect->front().node(), now = connect.front().node();
  if (!old->open() || before == now || !parts_.env.logs(env::Level::info)) return;
  log_session(parts_.env, env::Level::info, client_event::taken_over, client,
              "taken over: the connection at node " + std::to_string(before) + " gives way to one at node " + std::to_string(now));
}

void Coordinator::open(SlotId slot, NodeId from, const pb::Request& request) {
  const pb::Open& ask = request.open();
  const std::string& client = request.client();
  pb::Reply yes = answer(request);
  slot::Session* old = session(slot, client);
  const slot::Stamp connected = slot::from_pb(ask.connected());
  // The same CONNECT asked for again (its first answer was lost with the coordinator that gave it), or attached.
  const bool repeated = old != nullptr && old->exists() && same_connection(old->connect->front(), ask.connect().front());
  const bool over = old != nullptr && old->over() && old->connect_stamp >= connected;
  if (ask.attach() && !repeated && (over || (old != nullptr && old->exists() && old->connect_stamp > connected))) {
    yes.set_superseded(true);
    return reply(from, std::move(yes));
  }
  const bool existed = old != nullptr && old->exists() && !old->connect->bound();
  // One without expiry ends with its connection, and that is closed first [MQTT-3.1.4-3].
  const bool ends = existed && !repeated && !ask.attach() && old->expiry_s == 0;
  const bool clean = ask.connect().clean() || ends || (old != nullptr && old->over());
  bool present = repeated ? old->connect->session_present() : existed && !clean;
  if (parts_.config.mutant.is("resume_forgets_session") && old != nullptr && old->exists() &&
      old->connect->front().node() != ask.connect().front().node())
    present = false;
  yes.set_session_present(present);
  slot::pb::Operation operation;
  *operation.mutable_connect() = ask.connect();
  operation.mutable_connect()->set_client(client);
  operation.mutable_connect()->set_session_present(present);
  operation.mutable_connect()->set_clean(clean);
  if (operation.connect().has_will())
    slot::to_pb(will_name(slot, ask.connect().front()), operation.mutable_connect()->mutable_will()->mutable_identity());
  if (!ask.attach() && !repeated && old != nullptr && old->exists()) {
    superseded_will(slot, client, *old, operation.connect().clean());
    name_wills(*old, operation.mutable_connect()->mutable_wills());  // what was not fired is void
  }
  slot::Stamp stamp = parts_.stamp();
  stamp.origin = parts_.slots.held(slot)->self();  // as the operation will be stamped: a copy made anew is a new origin
  const slot::Stamp connect = repeated ? old->connect_stamp : ask.attach() ? connected : stamp;
  const slot::Stamp began = old == nullptr ? slot::Stamp{} : old->began;
  if (began != slot::Stamp{}) slot::to_pb(began, operation.mutable_connect()->mutable_began());
  if (connect != stamp) {
    slot::to_pb(connect, operation.mutable_connect()->mutable_connect());
    operation.mutable_connect()->set_clean(false);
  }
  slot::to_pb(connect, yes.mutable_connect());
  yes.set_wants_will(ask.attach() && ask.has_will() && !(repeated && (old->will() != nullptr || old->will_over)));
  if (!ask.attach() && present) parts_.env.reached("session.resumed");
  if (!ask.attach() && !repeated && slot != parts_.local_slot()) ++(present ? parts_.counters.sessions_resumed : parts_.counters.sessions_created);
  if (existed && !repeated && !present && !ask.attach()) ++parts_.counters.sessions_ended;
  if (!ask.attach() && !repeated) log_opening(client, old, ask.connect());
  const auto dot = append(slot, std::move(operation), stamp);
  parts_.slots.held(slot)->when_stored(dot, false, [this, slot, from, request, client, stamp, yes = std::move(yes)] {
    reply(from, yes);
    const slot::Session* now = session(slot, client);
    if (now == nullptr || !now->exists() || now->attach_stamp != stamp) {
      // Taken over before it was attached: `attached` never knew it, so nobody else would kick it.
      if (now == nullptr || !now->exists() || !same_connection(now->connect->front(), request.open().connect().front()))
        kick(client, request.open().connect().front().node(), request.connection());
      return;
    }
    attach(slot, client, request);
  });
}

void Coordinator::close(SlotId slot, NodeId from, const pb::Request& request) {
  const slot::Session* now = session(slot, request.client());
  reply(from, answer(request));
  auto& waiting = serving_[slot].without_majority;
  waiting.erase(waiting.lower_bound({from, request.connection(), 0}), waiting.upper_bound({from, request.connection(), UINT64_MAX}));
  auto& attached = serving_[slot].attached;
  if (const auto it = attached.find(request.client());
      it != attached.end() && it->second.connection == request.connection() && it->second.node == from)
    attached.erase(it);
  parts_.groups_of_members.changed(slot, request.client());
  if (now == nullptr || !now->open()) return;
  if (parts_.config.mutant.is("close_publishes_successors_will") && now->will() != nullptr &&
      now->connect->front().connection() != request.connection())
    fire(slot, request.client());
  const bool mine = now->connect->front().node() == from && now->connect->front().connection() == request.connection();
  if (!mine && !parts_.config.mutant.is("close_ends_successor")) return;
  std::uint32_t expiry = request.close().override_expiry() ? request.close().expiry_s() : now->connect->expiry_s();
  if (parts_.config.mutant.is("close_ends_successor") && !mine) expiry = 0;
  connection_over(slot, request.client(), expiry, request.close().goodbye() && !parts_.config.mutant.is("will_after_goodbye"));
}

void Coordinator::unsubscribe(SlotId slot, NodeId from, const pb::Request& request) {
  pb::Reply yes = answer(request);
  const slot::Session* now = session(slot, request.client());
  std::set<std::string_view> ended;  // what is named twice is there once
  for (const std::string& filter : request.unsubscribe().filters()) {
    const auto it = now->subscriptions.find(filter);
    yes.add_had(it != now->subscriptions.end() && it->second.present && ended.insert(filter).second);
  }
  if (parts_.config.mutant.is("unsubscribe_not_logged")) return reply(from, std::move(yes));
  slot::pb::Operation operation;
  *operation.mutable_unsubscribe() = request.unsubscribe();
  operation.mutable_unsubscribe()->set_client(request.client());
  const auto dot = append(slot, std::move(operation));
  parts_.slots.held(slot)->when_stored(dot, false, [this, from, yes = std::move(yes)] { reply(from, yes); });
}

std::map<std::string, Coordinator::Target> Coordinator::targets(SlotId slot, const slot::pb::Message& message) const {
  std::vector<slot::Indexed> found;
  parts_.slots.held(slot)->state().index.match(message.topic(), [&](const slot::Indexed& one) { found.push_back(one); });
  std::sort(found.begin(), found.end());
  std::map<std::string, Target> out;
  for (const slot::Indexed& one : found) {
    const std::string& client = *one.client;
    const slot::Subscription& subscription = one.subscription->second;
    if (is_group(client) && !parts_.groups.has_members(slot, client)) continue;
    const std::string_view who = std::string_view(client).substr(0, client.find('\x1f'));
    if (subscription.options.no_local() && who == message.publisher()) continue;
    Target& target = out[client];
    target.qos = std::max(target.qos, subscription.options.qos());
    target.retain = target.retain || (subscription.options.retain_as_published() && message.retain());
    if (subscription.options.identifier() != 0) target.identifiers.push_back(subscription.options.identifier());
  }
  return out;
}

void Coordinator::publish(SlotId slot, NodeId from, const pb::Request& request, bool again) {
  auto* held = parts_.slots.held(slot);
  pb::Reply yes = answer(request);
  const bool stand_in = slot != parts_.local_slot() && !parts_.slots.is_replica(slot);
  if (again) {  // asked again after a change of view: it is logged already, or kept
    if (stand_in) return parts_.after_commit([this, from, yes] { reply(from, yes); });
    held->when_stored(tail(slot), false, [this, from, yes] { reply(from, yes); });
    return;
  }
  const slot::pb::Message& message = request.publish().message();
  // Delivered to all, and said so: a late copy of it, of a coordinator before or of the other side of a partition.
  if (message.has_identity() && held->state().retired.contains(slot::from_pb(message.identity()))) return reply(from, std::move(yes));
  const std::set<std::string> not_to(request.publish().not_to().begin(), request.publish().not_to().end());
  slot::pb::Operation operation;
  auto& enqueue = *operation.mutable_enqueue();
  for (const auto& [client, target] : targets(slot, message)) {
    if (not_to.contains(client)) continue;
    parts_.retained.overtaken(slot, client, message);
    const std::uint32_t qos = std::min(target.qos, message.qos());
    if (qos == 0) {
      push_qos0(slot, client, message, target);
      continue;
    }
    if (!make_room(slot, client, message)) {
      const bool told = parts_.config.queue_policy == QueuePolicy::reject && !parts_.config.mutant.is("full_queue_not_told");
      yes.set_full(yes.full() || told);
      continue;
    }
    auto& one = *enqueue.add_targets();
    one.set_client(client);
    one.set_qos(qos);
    one.set_retain(target.retain);
    if (parts_.config.mutant.is("identifiers_lost_in_queue")) continue;
    for (const auto identifier : target.identifiers) one.add_identifiers(identifier);
  }
  yes.set_matched(static_cast<std::uint32_t>(enqueue.targets_size()));
  if (stand_in) {
    pb::Publish hint = request.publish();
    for (const auto& target : enqueue.targets()) hint.add_not_to(target.client());
    parts_.hints.keep(slot, hint);
    parts_.after_commit([this, from, yes] { reply(from, yes); });
  }
  if (enqueue.targets_size() == 0) {
    if (!stand_in) reply(from, std::move(yes));
    return;
  }
  *enqueue.mutable_message() = message;
  if (parts_.config.mutant.is("properties_lost_in_queue")) enqueue.mutable_message()->clear_properties();
  const auto dot = append(slot, std::move(operation));
  if (!stand_in) held->when_stored(dot, false, [this, from, yes = std::move(yes)] { reply(from, yes); });
}

void Coordinator::cast(SlotId slot, const slot::pb::Message& message) {
  if (!parts_.slots.serving(slot)) return;
  if (message.qos() != 0) {  // from another node to a connection-bound session here: nobody waits for an answer
    pb::Request request;
    *request.mutable_publish()->mutable_message() = message;
    return publish(slot, 0, request, false);
  }
  for (const auto& [client, target] : targets(slot, message)) {
    parts_.retained.overtaken(slot, client, message);
    push_qos0(slot, client, message, target);
  }
}

}  // namespace hf::node
