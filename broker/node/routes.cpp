// Which slots and which nodes want a topic: what every coordinator has told every node.
#include "broker/node/routes.hpp"

#include <algorithm>

#include "broker/node/parts.hpp"

namespace hf::node {

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

void Routes::replace(NodeId from, RouteTarget target, const std::set<std::string>& filters, const std::string& after, const std::string* last) {
  const std::set<std::string>& theirs = advertised_[target][from];
  std::vector<std::string> gone;
  for (auto it = theirs.upper_bound(after); it != theirs.end() && (last == nullptr || *it <= *last); ++it)
    if (!filters.contains(*it)) gone.push_back(*it);
  for (const std::string& filter : filters) add(from, target, filter);
  for (const std::string& filter : gone) remove(from, target, filter);
}

void Routes::on_update(NodeId from, const pb::RouteUpdate& update) {
  if (!update.local() && update.slot() >= parts_.config.slots) return;
  const RouteTarget target = update.local() ? RouteTarget{true, from} : RouteTarget{false, update.slot()};
  if (update.snapshot()) {
    const std::set<std::string> filters{update.added().begin(), update.added().end()};
    if (!update.more()) replace(from, target, filters, update.after());
    else if (!filters.empty()) replace(from, target, filters, update.after(), &*filters.rbegin());
    if (update.more()) {
      // The last page stands for all.
    } else if (!update.local()) {
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

void Routes::tick() {
  for (const auto& [node, told] : told_)
    if (!told.sending.empty()) go_on(node);
  look_around();
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

void Routes::match(std::string_view topic, std::set<RouteTarget>& out) const {
  trie_.match(topic, [&](const RouteTarget& target) { out.insert(target); });
}

}  // namespace hf::node
