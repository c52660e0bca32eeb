// Which slots and which nodes want a topic: what every coordinator has told every node.
#include "broker/node/routes.hpp"

#include <algorithm>

#include "broker/node/parts.hpp"

namespace hf::node {

namespace {
/// Shared subscriptions are their group's affair, and the group lies in a slot of its own.
bool shared(const std::string& filter) { return filter.starts_with("$share/"); }
}  // namespace

Routes::Routes(ShardParts& parts) : parts_(parts), trie_(parts.env.random()) {}

std::size_t Routes::slots_needed() const { return parts_.config.slots; }

void Routes::add(NodeId from, RouteTarget target, const std::string& filter) {
  if (advertised_[target][from].insert(filter).second) trie_.insert(filter, target);
}

void Routes::remove(NodeId from, RouteTarget target, const std::string& filter) {
  const auto slot = advertised_.find(target);
  if (slot == advertised_.end()) return;
  const auto node = slot->second.find(from);
  if (node == slot->second.end() || node->second.erase(filter) == 0) return;
  for (const auto& [other, theirs] : slot->second)
    if (theirs.contains(filter)) return;
  trie_.erase(filter, target);
}

void Routes::replace(NodeId from, RouteTarget target, const std::set<std::string>& filters) {
  const std::set<std::string> old = advertised_[target][from];
  for (const std::string& filter : filters) add(from, target, filter);
  for (const std::string& filter : old)
    if (!filters.contains(filter)) remove(from, target, filter);
}

void Routes::on_update(NodeId from, const pb::RouteUpdate& update) {
  if (!update.local() && update.slot() >= parts_.config.slots) return;
  const RouteTarget target = update.local() ? RouteTarget{true, from} : RouteTarget{false, update.slot()};
  if (update.snapshot()) {
    replace(from, target, {update.added().begin(), update.added().end()});
    if (!update.local()) {
      // The coordinator speaks for every holder it reaches; those out of reach keep their word (invariant 2), and so does who
      // claimed the slot later: this may have been long on its way.
      const slot::Stamp claim = slot::from_pb(update.claim());
      auto& claims = claims_[update.slot()];
      claims[from] = claim;
      for (const auto& member : parts_.config.members) {
        if (member.id == from || claims[member.id] > claim) continue;
        if (member.id == parts_.self.node || parts_.cluster->is_up(member.id)) replace(member.id, target, {});
      }
      known_.insert(update.slot());
    } else {
      heard_.insert(from);
    }
  } else {
    for (const std::string& filter : update.added()) add(from, target, filter);
    for (const std::string& filter : update.removed()) remove(from, target, filter);
  }
  pb::PeerMessage ack;
  ack.mutable_route_ack()->set_number(update.number());
  parts_.send(from, std::move(ack));
  look_around();
}

bool Routes::complete() const { return complete_ || parts_.config.mutant.is("serve_before_routes"); }

bool Routes::heard_all() const {
  for (const NodeId node : parts_.cluster->view()) {
    if (node == parts_.self.node) continue;
    if (!heard_.contains(node)) return false;
    for (const NodeId other : parts_.cluster->neighbours_of(node))
      if (other != parts_.self.node && !heard_.contains(other)) return false;
  }
  return true;
}

/// What this node waits for before it serves its first client.
void Routes::look_around() {
  if (complete_ || known_.size() < slots_needed()) return;
  const Instant now = parts_.env.now();
  if (!patience_) patience_ = now + parts_.config.detect_after;
  if (now < *patience_ && !heard_all()) return;
  complete_ = true;
  parts_.front.routes_complete();
  parts_.coordinator.routes_complete();
}

void Routes::broadcast(pb::RouteUpdate update) {
  update.set_number(++number_);
  for (const NodeId node : parts_.cluster->view()) {
    told_[node].sent = number_;
    pb::PeerMessage message;
    *message.mutable_route_update() = update;
    parts_.send(node, std::move(message));
  }
}

void Routes::advertise(SlotId slot, const std::vector<std::string>& added, const std::vector<std::string>& removed) {
  pb::RouteUpdate update;
  update.set_local(slot == parts_.local_slot());
  update.set_slot(update.local() ? 0 : slot);
  for (const auto& filter : removed)
    if (!shared(filter)) update.add_removed(filter);
  for (const auto& filter : added)
    if (!shared(filter)) update.add_added(filter);
  if (update.added().empty() && update.removed().empty()) return;
  broadcast(std::move(update));
}

void Routes::fill_snapshot(SlotId slot, pb::RouteUpdate& update) const {
  update.set_local(slot == parts_.local_slot());
  update.set_slot(update.local() ? 0 : slot);
  update.set_snapshot(true);
  std::set<std::string> filters;
  const auto* held = parts_.slots.held(slot);
  if (held != nullptr && !update.local()) slot::to_pb(held->epoch(), update.mutable_claim());
  if (held != nullptr)
    for (const auto& [filter, count] : held->state().filters) 
      if (!shared(filter)) filters.insert(filter);
  if (!update.local() && !parts_.slots.is_replica(slot)) {
    // A stand-in passes on what it knows of the replicas out of reach; knowing nothing, it wants everything.
    const auto it = advertised_.find(RouteTarget{false, slot});
    if (!known_.contains(slot) || it == advertised_.end()) filters.insert("#");
    if (it != advertised_.end())
      for (const auto& [node, theirs] : it->second) filters.insert(theirs.begin(), theirs.end());
  }
  for (const std::string& filter : filters) update.add_added(filter);
}

void Routes::advertise_all(SlotId slot) {
  pb::RouteUpdate update;
  fill_snapshot(slot, update);
  broadcast(std::move(update));
}

void Routes::peer_up(NodeId node, std::uint32_t boot) {
  if (boots_[node] != boot) replace(node, RouteTarget{true, node}, {});
  boots_[node] = boot;
  told_[node] = Told{};
  heard_.erase(node);
  for (SlotId slot = 0; slot <= parts_.local_slot(); ++slot) {
    if (!parts_.slots.serving(slot)) continue;
    pb::RouteUpdate update;
    fill_snapshot(slot, update);
    update.set_number(++number_);
    told_[node].sent = number_;
    pb::PeerMessage message;
    *message.mutable_route_update() = std::move(update);
    parts_.send(node, std::move(message));
  }
}

void Routes::peer_down(NodeId node) {
  told_.erase(node);
  heard_.erase(node);
  look_around();
  if (parts_.config.mutant.is("routes_of_unreachable_dropped"))
    for (SlotId slot = 0; slot < parts_.config.slots; ++slot) replace(node, RouteTarget{false, slot}, {});
  settle();
}

void Routes::when_known(std::function<void()> then) {
  Waiting waiting;
  waiting.then = std::move(then);
  if (!parts_.config.mutant.is("suback_before_routes"))
    for (const NodeId node : parts_.cluster->view())
      if (const Told& told = told_[node]; told.taken < told.sent) waiting.nodes.emplace(node, told.sent);
  if (waiting.nodes.empty()) return waiting.then();
  waiting_.push_back(std::move(waiting));
}

void Routes::on_ack(NodeId from, std::uint64_t number) {
  std::uint64_t& taken = told_[from].taken;
  taken = std::max(taken, number);
  settle();
}

void Routes::settle() {
  std::vector<std::function<void()>> due;
  std::erase_if(waiting_, [&](Waiting& waiting) {
    std::erase_if(waiting.nodes, [&](const auto& one) {
      const auto it = told_.find(one.first);
      return it == told_.end() || it->second.taken >= one.second;
    });
    if (!waiting.nodes.empty()) return false;
    due.push_back(std::move(waiting.then));
    return true;
  });
  for (auto& then : due) then();
}

void Routes::match(std::string_view topic, std::set<RouteTarget>& out) const {
  trie_.match(topic, [&](const RouteTarget& target) { out.insert(target); });
}

}  // namespace hf::node
