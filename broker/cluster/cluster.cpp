// Composition: links say who is heard, paths say how to reach a peer, channels carry the messages.
#include "broker/cluster/cluster.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "broker/base/assert.hpp"
#include "broker/cluster/channel.hpp"
#include "broker/cluster/links.hpp"

namespace hf::cluster {

namespace {

/// What is known of one peer. `hop` is the neighbour that frames for it go to: itself, a relay, or 0.
struct Peer {
  Channel channel;
  bool up = false;  ///< Up was emitted, Down was not
  NodeId hop = 0;
  Instant heard{};  ///< the last sign of life, of its own or told by a relay; matters while hop is 0
};

}  // namespace

struct ClusterParts {
  Settings settings;
  ClusterCounters counters;
  Chance chance;
  Links links;
  std::map<NodeId, Peer> peers;
  std::set<NodeId> dirty;  ///< channels to look at in end_turn
  std::vector<NodeId> view;
  std::uint64_t view_number = 1;
  std::uint64_t wall_ms = 0;
  Instant wake = Instant::max();  ///< of the channels; links have their own

  ClusterParts(Settings given, std::uint64_t seed)
      : settings(std::move(given)), chance(seed), links(settings, mix64(seed), counters) {
    const Channel::Limits limits{settings.heartbeat_every, settings.heartbeat_every / 4,
                                 settings.max_outbox_bytes};
    for (const Member& member : settings.members) {
      if (member.id == settings.self) continue;
      Peer peer{Channel(settings.self, settings.boot, member.id, limits)};
      peer.channel.reset(chance.next());
      peers.emplace(member.id, std::move(peer));
    }
    view.push_back(settings.self);
  }

  void handle(Instant now, LinkEvents& events, Output& out);
  void choose_path(Instant now, NodeId node, Peer& peer);
  void losing_relay(Instant now, NodeId relay, const GraphChanged* told);
  void take_part(Instant now, NodeId neighbour, wire::Channel& part, Output& out);
  void deliver(NodeId node, Peer& peer, Channel::Received received, Output& out);
  void down(NodeId node, Peer& peer, Output& out);
  void tick(Instant now, Output& out);
  void flush(Instant now);
  [[nodiscard]] Duration timeout(NodeId node, const Peer& peer) const {
    return peer.hop == node ? settings.detect_after : settings.heartbeat_every * 2;
  }
  [[nodiscard]] const Peer* find(NodeId node) const {
    const auto at = peers.find(node);
    return at == peers.end() ? nullptr : &at->second;
  }
};

void ClusterParts::handle(Instant now, LinkEvents& events, Output& out) {
  for (LinkEvent& event : events) {
    if (const auto* up = std::get_if<LinkUp>(&event)) {
      Peer& peer = peers.at(up->node);
      if (peer.up && peer.channel.peer_boot() != up->boot) {  // the old process is certainly dead
        down(up->node, peer, out);
        peer.channel.reset(chance.next());
      }
      choose_path(now, up->node, peer);
    } else if (const auto* lost = std::get_if<LinkDown>(&event)) {
      Peer& peer = peers.at(lost->node);
      peer.heard = peer.hop == lost->node ? lost->heard : std::max(peer.heard, lost->heard);
      choose_path(now, lost->node, peer);
      losing_relay(now, lost->node, nullptr);
    } else if (const auto* refused = std::get_if<LinkRefused>(&event)) {
      if (!peers.at(refused->node).up) out.events.push_back(Refused{refused->node});
    } else if (const auto* graph = std::get_if<GraphChanged>(&event)) {
      losing_relay(now, graph->node, graph);
    } else {
      Part& part = std::get<Part>(event);
      take_part(now, part.node, part.channel, out);
    }
  }
}

/// Direct if it can be; else the relay in use while it works; else the lowest that does.
void ClusterParts::choose_path(Instant now, NodeId node, Peer& peer) {
  NodeId hop = 0;
  if (links.up(node)) {
    hop = node;
  } else if (peer.hop != 0 && peer.hop != node && links.leads_to(peer.hop, node)) {
    hop = peer.hop;
  } else {
    for (const auto& [relay, other] : peers) {
      if (relay != node && links.leads_to(relay, node)) {
        hop = relay;
        break;
      }
    }
  }
  if (hop != 0) peer.channel.resend_all(now);  // also when the same hop has a new stream
  peer.hop = hop;
  dirty.insert(node);
}

/// What `relay` leads to has changed: its link went down, or it told a new graph.
void ClusterParts::losing_relay(Instant now, NodeId relay, const GraphChanged* told) {
  for (auto& [node, peer] : peers) {
    if (node == relay || links.up(node)) continue;
    const bool leads = links.leads_to(relay, node);
    if (peer.hop == relay && !leads) {
      // Vouched for until now, unless the relay says better or was silent itself.
      Instant vouched = told == nullptr ? links.heard(relay) : now;
      if (told != nullptr) {
        for (const auto& [lost, heard] : told->lost) {
          if (lost == node) vouched = heard;
        }
      }
      peer.heard = std::max(peer.heard, vouched);
      choose_path(now, node, peer);
    } else if (peer.hop == 0 && leads) {
      choose_path(now, node, peer);
    }
  }
}

void ClusterParts::take_part(Instant now, NodeId neighbour, wire::Channel& part, Output& out) {
  const NodeId from = part.from();
  const NodeId to = part.to();
  if (to != settings.self) {
    // Invariant 3: only what the neighbour itself wrote goes on, and only to a member.
    if (from != neighbour || !links.up(to)) return;
    if (links.queued_bytes(to) > settings.max_outbox_bytes) return;  // it is sent again
    ++counters.relayed;
    links.queue(to, std::move(part));
    return;
  }
  const auto at = peers.find(from);
  if (at == peers.end()) return;
  Peer& peer = at->second;
  if (part.kind() == wire::Channel::OPEN && links.too_far_ahead(from, part.wall_ms(), out)) return;
  peer.heard = now;
  dirty.insert(from);
  deliver(from, peer, peer.channel.receive(now, part, chance.next()), out);
}

void ClusterParts::deliver(NodeId node, Peer& peer, Channel::Received received, Output& out) {
  if (received.reset) down(node, peer, out);
  if (received.established) {
    peer.up = true;
    view.insert(std::lower_bound(view.begin(), view.end(), node), node);
    ++view_number;
    out.events.push_back(Up{node, peer.channel.peer_boot()});
  }
  for (Bytes& payload : received.messages) out.events.push_back(Message{node, std::move(payload)});
}

void ClusterParts::down(NodeId node, Peer& peer, Output& out) {
  if (!peer.up) return;
  peer.up = false;
  view.erase(std::lower_bound(view.begin(), view.end(), node));
  ++view_number;
  ++counters.resets;
  out.events.push_back(Down{node});
}

void ClusterParts::tick(Instant now, Output& out) {
  if (now < wake) return;
  wake = Instant::max();
  for (auto& [node, peer] : peers) {
    dirty.insert(node);
    const bool gone = peer.up && peer.hop == 0 && now >= peer.heard + settings.detect_after;
    if (gone || peer.channel.overflowed()) {
      if (!gone) {
        ++counters.overflows;
        out.log.push_back("peer " + std::to_string(node) + ": outbox full, channel reset");
      }
      down(node, peer, out);
      peer.channel.reset(chance.next());
    } else {
      peer.channel.tick(now);
    }
  }
}

void ClusterParts::flush(Instant now) {
  for (const NodeId node : dirty) {
    Peer& peer = peers.at(node);
    if (peer.hop != 0) {
      const std::uint64_t before = peer.channel.retransmits();
      for (;;) {
        wire::Channel part;
        if (!peer.channel.next_frame(now, timeout(node, peer), wall_ms, part)) break;
        links.queue(peer.hop, std::move(part));
      }
      counters.retransmits += peer.channel.retransmits() - before;
      if (const auto due = peer.channel.deadline()) wake = std::min(wake, *due);
    } else if (peer.up) {
      wake = std::min(wake, peer.heard + settings.detect_after);
      if (peer.channel.overflowed()) wake = Instant{};
    }
  }
  dirty.clear();
}

Cluster::Cluster(Settings settings, std::uint64_t seed)
    : parts_(std::make_unique<ClusterParts>(std::move(settings), seed)) {}
Cluster::Cluster(Cluster&&) noexcept = default;
Cluster& Cluster::operator=(Cluster&&) noexcept = default;
Cluster::~Cluster() = default;

void Cluster::set_wall(std::uint64_t wall_ms) {
  parts_->wall_ms = wall_ms;
  parts_->links.set_wall(wall_ms);
}

void Cluster::start(Instant now, Output& out) {
  parts_->links.start(now, out);
  tick(now, out);
}

void Cluster::accepted(Instant now, StreamId stream, std::string remote, Output& out) {
  parts_->links.accepted(now, stream, std::move(remote), out);
}

void Cluster::dialled(NodeId node, StreamId stream) { parts_->links.dialled(node, stream); }

void Cluster::connected(Instant now, StreamId stream, Output& out) {
  parts_->links.connected(now, stream, out);
}

void Cluster::bytes(Instant now, StreamId stream, const Bytes& bytes, Output& out) {
  LinkEvents events;
  parts_->links.bytes(now, stream, bytes, out, events);
  parts_->handle(now, events, out);
}

void Cluster::closed(Instant now, StreamId stream, Output& out, bool refused) {
  LinkEvents events;
  parts_->links.closed(now, stream, refused, events);
  parts_->handle(now, events, out);
}

void Cluster::tick(Instant now, Output& out) {
  LinkEvents events;
  parts_->links.tick(now, out, events);
  parts_->handle(now, events, out);
  parts_->tick(now, out);
}

bool Cluster::send(NodeId to, Bytes payload) {
  const auto at = parts_->peers.find(to);
  if (at == parts_->peers.end() || !at->second.up) return false;
  parts_->dirty.insert(to);
  const bool queued = at->second.channel.send(std::move(payload));
  if (at->second.channel.overflowed()) parts_->wake = Instant{};
  return queued;
}

void Cluster::end_turn(Instant now, Output& out) {
  parts_->flush(now);
  parts_->links.end_turn(now, out);
}

std::optional<Instant> Cluster::deadline() const {
  const Instant first = std::min(parts_->wake, parts_->links.deadline());
  if (first == Instant::max()) return std::nullopt;
  return first;
}

const std::vector<NodeId>& Cluster::view() const { return parts_->view; }
std::uint64_t Cluster::view_number() const { return parts_->view_number; }
bool Cluster::is_up(NodeId node) const {
  if (node == parts_->settings.self) return true;
  const Peer* peer = parts_->find(node);
  return peer != nullptr && peer->up;
}
std::uint32_t Cluster::boot_of(NodeId node) const {
  if (node == parts_->settings.self) return parts_->settings.boot;
  return is_up(node) ? parts_->find(node)->channel.peer_boot() : 0;
}
bool Cluster::direct(NodeId node) const { return parts_->links.up(node); }
std::vector<NodeId> Cluster::neighbours_of(NodeId node) const {
  if (node != parts_->settings.self) return parts_->links.neighbours_of(node);
  std::vector<NodeId> all;
  for (const Member& member : parts_->settings.members)
    if (direct(member.id)) all.push_back(member.id);
  std::sort(all.begin(), all.end());
  return all;
}
Traffic Cluster::traffic(NodeId node) const { return parts_->links.traffic(node); }
std::uint64_t Cluster::outbox_bytes(NodeId node) const {
  const Peer* peer = parts_->find(node);
  return peer == nullptr ? 0 : peer->channel.outbox_bytes();
}
const std::vector<Member>& Cluster::members() const { return parts_->settings.members; }
const ClusterCounters& Cluster::counters() const { return parts_->counters; }

}  // namespace hf::cluster
