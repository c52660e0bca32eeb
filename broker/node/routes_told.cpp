// What this node tells the others of the filters of its slots, and what they have taken of that.
#include <algorithm>
#include <utility>

#include "broker/node/parts.hpp"
#include "broker/node/routes.hpp"

namespace hf::node {

namespace {

/// Bytes of filters in one update, which has at least one.
std::size_t page_bytes(const Config& config) { return std::min<std::size_t>(256 * 1024, config.max_outbox_bytes / 4); }
std::size_t cost(const std::string& filter) { return filter.size() + 8; }

/// Shared subscriptions are their group's affair, and the group lies in a slot of its own.
bool shared(const std::string& filter) { return filter.starts_with("$share/"); }

const std::string& name(const std::string& filter) { return filter; }
const std::string& name(const std::pair<const std::string, std::uint32_t>& counted) { return counted.first; }

/// The first of them behind `after`: more than a page of them, where there are as many.
template <class Filters>
void take_page(const Filters& filters, const std::string& after, std::size_t most, std::set<std::string>& page) {
  std::size_t bytes = 0;
  for (auto it = filters.upper_bound(after); it != filters.end() && (bytes <= most || page.size() < 2); ++it) {
    if (shared(name(*it))) continue;
    page.insert(name(*it));
    bytes += cost(name(*it));
  }
}

}  // namespace

/// `update.number` is set.
void Routes::send(NodeId node, pb::RouteUpdate update) {
  told_[node].sent = update.number();
  pb::PeerMessage message;
  *message.mutable_route_update() = std::move(update);
  parts_.send(node, std::move(message));
}

void Routes::broadcast(pb::RouteUpdate update) {
  update.set_number(++number_);
  for (const NodeId node : parts_.cluster->view()) send(node, update);
}

void Routes::advertise(SlotId slot, const std::vector<std::string>& added, const std::vector<std::string>& removed) {
  std::size_t all = 0;
  for (const auto* filters : {&removed, &added})
    for (const std::string& filter : *filters) all += cost(filter);
  // More than a packet can bring comes of a merge, and waits for room.
  if (all > parts_.config.max_outbox_bytes * 8) return advertise_all(slot);
  const auto& now = parts_.slots.held(slot)->state().filters;
  pb::RouteUpdate update;
  std::size_t bytes = 0;
  const auto send_page = [&] {
    if (bytes == 0) return;
    update.set_local(slot == parts_.local_slot());
    update.set_slot(update.local() ? 0 : slot);
    broadcast(std::exchange(update, {}));
    bytes = 0;
  };
  const auto tell = [&](const std::string& filter, bool is_added) {
    // What came and went in one change is told as it is now.
    if (shared(filter) || now.contains(filter) != is_added) return;
    if (bytes + cost(filter) > page_bytes(parts_.config)) send_page();
    is_added ? update.add_added(filter) : update.add_removed(filter);
    bytes += cost(filter);
  };
  for (const std::string& filter : removed) tell(filter, false);
  for (const std::string& filter : added) tell(filter, true);
  send_page();
}

void Routes::fill_page(SlotId slot, const std::string& after, pb::RouteUpdate& update) const {
  update.set_local(slot == parts_.local_slot());
  update.set_slot(update.local() ? 0 : slot);
  update.set_snapshot(true);
  update.set_after(after);
  const std::size_t most = page_bytes(parts_.config);
  std::set<std::string> filters;
  const auto* held = parts_.slots.held(slot);
  if (held != nullptr && !update.local()) slot::to_pb(held->epoch(), update.mutable_claim());
  if (held != nullptr) take_page(held->state().filters, after, most, filters);
  if (!update.local() && !parts_.slots.is_replica(slot)) {
    // A stand-in passes on what it knows of the replicas out of reach; knowing nothing, it wants everything.
    const auto it = advertised_.find(RouteTarget{false, slot});
    if ((!known_.contains(slot) || it == advertised_.end()) && after < "#") filters.insert("#");
    if (it != advertised_.end())
      for (const auto& [node, theirs] : it->second) take_page(theirs, after, most, filters);
  }
  std::size_t bytes = 0;
  for (const std::string& filter : filters) {
    bytes += cost(filter);
    update.set_more(bytes > most && update.added_size() > 0);
    if (update.more()) break;
    update.add_added(filter);
  }
}

void Routes::begin_snapshot(NodeId node, SlotId slot) {
  Told& told = told_[node];
  const auto [place, fresh] = told.sending.try_emplace(slot);
  place->second.after.clear();  // who waits for one that is not through waits for this one
  if (fresh) told.open.insert(place->second.begun = ++number_);
  go_on(node);
}

void Routes::go_on(NodeId node) {
  Told& told = told_[node];
  for (auto it = told.sending.begin(); it != told.sending.end();) {
    auto& [slot, snapshot] = *it;
    if (!parts_.slots.serving(slot)) {
      if (parts_.slots.coordinator(slot) == parts_.self.node) {  // it will again
        ++it;
      } else {  // another speaks for it
        told.open.erase(snapshot.begun);
        it = told.sending.erase(it);
      }
      continue;
    }
    for (bool more = true; more;) {
      // Before logs and states, which wait at half of it; and what does not wait may take up all of it for long.
      const std::uint64_t owed = parts_.cluster->outbox_bytes(node) + page_bytes(parts_.config);
      if (owed > parts_.config.max_outbox_bytes / 4 * 3 && told.page > told.taken) return;
      pb::RouteUpdate page;
      fill_page(slot, snapshot.after, page);
      page.set_number(told.page = ++number_);
      more = page.more();
      if (more) snapshot.after = page.added().rbegin()[0];
      send(node, std::move(page));
    }
    told.whole.emplace(told.page, snapshot.begun);
    it = told.sending.erase(it);
  }
}

void Routes::advertise_all(SlotId slot) {
  for (const NodeId node : parts_.cluster->view()) begin_snapshot(node, slot);
}

void Routes::peer_up(NodeId node, std::uint32_t boot) {
  if (boots_[node] != boot) replace(node, RouteTarget{true, node}, {});
  boots_[node] = boot;
  told_[node] = Told{};
  heard_.erase(node);
  for (SlotId slot = 0; slot <= parts_.local_slot(); ++slot)
    if (parts_.slots.serving(slot)) begin_snapshot(node, slot);
}

void Routes::peer_down(NodeId node) {
  told_.erase(node);
  heard_.erase(node);
  look_around();
  if (parts_.config.mutant.is("routes_of_unreachable_dropped"))
    for (SlotId slot = 0; slot < parts_.config.slots; ++slot) replace(node, RouteTarget{false, slot}, {});
  settle();
}

void Routes::when_known(SlotId slot, std::function<void()> then) {
  if (!parts_.slots.serving(slot)) return;
  Waiting waiting{.slot = slot, .nodes = {}, .then = std::move(then)};
  if (!parts_.config.mutant.is("suback_before_routes"))
    for (const NodeId node : parts_.cluster->view()) {
      const Told& told = told_[node];
      const std::uint64_t latest = told.open.empty() ? told.sent : std::max(told.sent, *told.open.rbegin());
      if (!told.knows(latest)) waiting.nodes.emplace(node, latest);
    }
  if (waiting.nodes.empty()) return waiting.then();
  waiting_.push_back(std::move(waiting));
}

void Routes::on_ack(NodeId from, std::uint64_t number) {
  Told& told = told_[from];
  told.taken = std::max(told.taken, number);
  for (auto it = told.whole.begin(); it != told.whole.end() && it->first <= told.taken; it = told.whole.erase(it)) told.open.erase(it->second);
  go_on(from);
  settle();
}

void Routes::settle() {
  std::vector<Waiting> due;
  std::erase_if(waiting_, [&](Waiting& waiting) {
    std::erase_if(waiting.nodes, [&](const auto& one) {
      const auto it = told_.find(one.first);
      return it == told_.end() || it->second.knows(one.second);
    });
    if (!waiting.nodes.empty()) return false;
    due.push_back(std::move(waiting));
    return true;
  });
  for (const Waiting& waiting : due)
    if (parts_.slots.serving(waiting.slot)) waiting.then();
}

}  // namespace hf::node
