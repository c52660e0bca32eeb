// One turn of a shard: events in, then everything gathered goes out in a fixed order.
#include "broker/node/parts.hpp"

#include <algorithm>

#include "broker/access/access.hpp"

namespace hf::node {

namespace {
constexpr Duration gossip_every = 500ms;
constexpr Duration tick_every = 250ms;
}  // namespace

ShardParts::ShardParts(env::Environment& environment, Config settings, std::shared_ptr<const access::Guard> given)
    : env(environment),
      config(std::move(settings)),
      presence(*this),
      slots(*this),
      routes(*this),
      requests(*this),
      publishing(*this),
      coordinator(*this),
      hints(*this),
      retained(*this),
      groups(*this),
      groups_of_members(*this),
      front(*this),
      sys_topics(*this),
      guard(given != nullptr ? std::move(given) : std::make_shared<const access::Access>(config.access)),
      inspection(*this) {}

void ShardParts::send(NodeId to, pb::PeerMessage message) {
  if (to == self.node) {
    inbox_.push_back(std::move(message));
  } else if (to != 0) {
    cluster->send(to, Bytes(message.SerializeAsString()));
  }
}

bool ShardParts::drops_qos0(NodeId to) {
  if (cluster->outbox_bytes(to) <= config.max_outbox_bytes / 4) return false;
  ++counters.dropped;
  ++counters.dropped_slow_peer;
  return true;
}

void ShardParts::trace(NodeId from, const pb::PeerMessage& message) {
  if (!message.has_replica() || !message.replica().has_ops())
    return env.log({env::Level::debug, "from " + std::to_string(from) + ": " + message.ShortDebugString()});
  for (const std::string& bytes : message.replica().ops().operations()) {
    slot::pb::Operation operation;
    if (operation.ParseFromString(bytes)) trace(from, "sent", message.replica().slot(), operation);
  }
}

void ShardParts::trace(NodeId by, std::string_view what, SlotId slot, const slot::pb::Operation& operation) {
  env.log({env::Level::debug, "operation " + std::string(what) + " by " + std::to_string(by) + ", slot " +
                                 std::to_string(slot) + ": " + operation.ShortDebugString()});
}

void ShardParts::handle(NodeId from, const pb::PeerMessage& message) {
  if (config.trace_messages) trace(from, message);
  switch (message.kind_case()) {
    case pb::PeerMessage::kGossip: return slots.on_gossip(from, message.gossip());
    case pb::PeerMessage::kReplica: return slots.on_replica_message(from, message.replica());
    case pb::PeerMessage::kRouteUpdate: {
      routes.on_update(from, message.route_update());
      const auto& update = message.route_update();
      // A snapshot begins: `from` serves the slot from now on, and does not know our connections.
      if (update.snapshot() && update.after().empty() && !update.local() && update.slot() < config.slots && slots.coordinator(update.slot()) == from)
        requests.serves_anew(update.slot());
      return;
    }
    case pb::PeerMessage::kRouteAck: return routes.on_ack(from, message.route_ack().number());
    case pb::PeerMessage::kRequest: return coordinator.on_request(from, message.request());
    case pb::PeerMessage::kReply: return requests.on_reply(from, message.reply());
    case pb::PeerMessage::kDeliver: return front.deliver(from, message.deliver(), message.deliver().message());
    case pb::PeerMessage::kKick: return front.on_kick(message.kick());
    case pb::PeerMessage::kCast:
      if (message.cast().local() || message.cast().slot() < config.slots)
        coordinator.cast(message.cast().local() ? local_slot() : message.cast().slot(), message.cast().message());
      return;
    case pb::PeerMessage::kRetireQuery: return coordinator.on_retire_query(from, message.retire_query());
    case pb::PeerMessage::kRetireAnswer: return coordinator.on_retire_answer(message.retire_answer());
    case pb::PeerMessage::kRetainedQuery: return retained.on_query(from, message.retained_query());
    case pb::PeerMessage::kRetainedAnswer: return retained.on_answer(message.retained_answer());
    case pb::PeerMessage::kRetainedMark:
      return message.retained_mark().back() ? retained.on_mark(message.retained_mark())
                                            : front.on_mark(from, message.retained_mark());
    case pb::PeerMessage::kMember: return groups.on_member(from, message.member());
    case pb::PeerMessage::kMemberAck: return groups_of_members.on_ack(message.member_ack());
    case pb::PeerMessage::kMemberQuery: return groups_of_members.on_query(message.member_query());
    case pb::PeerMessage::kDealRequest: return groups_of_members.on_deal(from, message.deal_request());
    case pb::PeerMessage::kDealReply: return groups.on_reply(from, message.deal_reply());
    case pb::PeerMessage::kCredit: return coordinator.on_credit(from, message.credit());
    case pb::PeerMessage::kSysReport: return sys_topics.on_report(from, message.sys_report());
    case pb::PeerMessage::KIND_NOT_SET: return;  // of a newer version
  }
}

void ShardParts::handle_cluster_events() {
  const auto events = std::exchange(cluster_out.events, {});
  for (const auto& event : events) {
    if (const auto* up = std::get_if<cluster::Up>(&event)) {
      env.log({env::Level::info, "node " + std::to_string(up->node) + " is reachable, boot " + std::to_string(up->boot)});
      broadcast_gossip();
      presence.up(up->node);
      slots.peer_up(up->node);
      routes.peer_up(up->node, up->boot);
      coordinator.front_changed(up->node);
      groups.peer_up(up->node);
      groups_of_members.peer_changed(up->node);
      requests.peer_up(up->node);
      retained.peer_changed(up->node);
    } else if (const auto* down = std::get_if<cluster::Down>(&event)) {
      env.log({env::Level::warn, "node " + std::to_string(down->node) + " is out of reach"});
      env.reached("node.unreachable");
      presence.down(down->node);
      coordinator.peer_down(down->node);
      slots.peer_down(down->node);
      routes.peer_down(down->node);
      retained.peer_changed(down->node);
      coordinator.front_changed(down->node);
      groups.peer_down(down->node);
      sys_topics.peer_down(down->node);
      groups_of_members.peer_changed(down->node);
    } else if (const auto* refused = std::get_if<cluster::Refused>(&event)) {
      presence.refused(refused->node, coordinator.latest_boot(refused->node));
      coordinator.front_changed(refused->node);
    } else if (const auto* got = std::get_if<cluster::Message>(&event)) {
      pb::PeerMessage message;
      if (message.ParseFromArray(got->payload.view().data(), static_cast<int>(got->payload.size())))
        handle(got->from, message);
    }
  }
}

void ShardParts::broadcast_gossip() {
  gossip_due_ = false;
  pb::PeerMessage message;
  pb::Gossip& gossip = *message.mutable_gossip();
  (void)stamp();
  gossip.set_time(requests.oldest(clock->last()));
  slots.fill_gossip(gossip);
  hints.fill_gossip(gossip);
  for (const NodeId node : cluster->view())
    if (node != self.node) send(node, message);
}

/// Who stood still for long is lost to all others, and they have gone on: so they are lost to it, before it takes up what lay
/// unread meanwhile, some of which was asked of others since.
void ShardParts::wake() {
  const Instant now = env.now();
  const auto before = std::exchange(awake_at_, now);
  if (phase != Phase::serving || !before || now - *before <= config.detect_after) return;
  cluster->tick(now, cluster_out);
  handle_cluster_events();
}

void ShardParts::tick() {
  awake_at_ = env.now();
  const Instant now = env.now();
  cluster->tick(now, cluster_out);
  handle_cluster_events();
  requests.tick();
  retained.tick();
  routes.tick();
  front.tick();
  if (now >= next_tick_) {
    next_tick_ = now + tick_every;
    slots.tick();
    coordinator.tick();
    groups.tick();
    groups_of_members.tick();
    hints.hand_over_all();
    sys_topics.tick();
  }
  if (now >= next_gossip_) {
    next_gossip_ = now + gossip_every;
    gossip_due_ = true;
  }
}

void ShardParts::end_turn() {
  if (phase != Phase::serving) return flush_storage();
  cluster->set_wall(env.wall_ms());
  for (bool more = true; more;) {
    more = false;
    front.gather();
    while (!inbox_.empty()) {
      const pb::PeerMessage message = std::move(inbox_.front());
      inbox_.pop_front();
      handle(self.node, message);
      if (inbox_.empty()) front.gather();
    }
    if (slots.fire_gates() || coordinator.pump() || groups_of_members.pump() || groups.pump() || !inbox_.empty()) more = true;
  }
  if (gossip_due_) broadcast_gossip();
  slots.stream();
  flush_storage();
  front.flush();
  flush_cluster();
}

/// One commit is under way at a time: a row that changes often meanwhile is encoded and written once.
void ShardParts::flush_storage() {
  if (!commits_.empty()) return;
  Commit commit;
  commit.slots = slots.collect(batch);
  commit.then = std::exchange(after_commit_, {});
  if (batch.empty() && commit.then.empty()) return;
  const env::CommitId id = next_commit_++;
  commit.handed_over = env.now();
  ++counters.commits;
  commits_.emplace(id, std::move(commit));
  env.commit(std::exchange(batch, {}), id);
}

void ShardParts::committed(env::CommitId id, env::CommitStatus status) {
  const auto it = commits_.find(id);
  if (it == commits_.end()) return;
  const Commit commit = std::move(it->second);
  commits_.erase(it);
  if (status != env::CommitStatus::done)
    return env.die(status == env::CommitStatus::full ? "the disk is full: nothing more can be promised"
                                                     : "a write to disk failed: nothing more can be promised");
  counters.committed_after.add(env.now() - commit.handed_over);
  slots.durable(commit.slots);
  for (const auto& then : commit.then) then();
}

void ShardParts::flush_cluster() {
  cluster->end_turn(env.now(), cluster_out);
  for (const auto& line : cluster_out.log) env.log({env::Level::warn, line});
  for (const auto& send : cluster_out.send) env.send(send.stream, send.bytes);
  for (const StreamId stream : cluster_out.close) env.close(stream, true);
  for (const NodeId node : cluster_out.dial) {
    const auto member = std::find_if(config.members.begin(), config.members.end(),
                                     [&](const MemberConfig& m) { return m.id == node; });
    if (member != config.members.end()) cluster->dialled(node, env.dial(member->address));
  }
  cluster_out.log.clear();
  cluster_out.send.clear();
  cluster_out.close.clear();
  cluster_out.dial.clear();
  counters.relayed = cluster->counters().relayed;
}

std::optional<Instant> ShardParts::deadline() const {
  if (phase != Phase::serving) return std::nullopt;
  Instant next = std::min(next_tick_, next_gossip_);
  for (const auto& other : {cluster->deadline(), requests.deadline(), retained.deadline(), front.deadline()})
    if (other && *other < next) next = *other;
  return next;
}

}  // namespace hf::node
