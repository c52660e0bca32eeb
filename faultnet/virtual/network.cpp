// Hosts, links and the opening of streams.
#include "faultnet/virtual/network.hpp"

#include <algorithm>

#include "broker/base/assert.hpp"
#include "broker/base/hash.hpp"

namespace hf::faultnet {
namespace {
constexpr std::uint64_t purpose_wire = hash64("faultnet.wire");
constexpr std::uint64_t billion = 1'000'000'000;
constexpr Duration retransmit_max = 120s;
}  // namespace

Network::Network(Driver& driver, Listener& listener, std::size_t writable_mark)
    : driver_(driver), listener_(listener), writable_mark_(writable_mark) {}

HostId Network::add_host(std::string_view name, HostKind kind) {
  hosts_.push_back({std::string(name), kind, HostState::silent, false, hash64(name)});
  if (kind == HostKind::client) hosts_.back().state = HostState::closed;
  return static_cast<HostId>(hosts_.size());
}

// --- links

Network::Link& Network::link(HostId from, HostId to) {
  const auto [place, fresh] = links_.try_emplace({from, to});
  if (fresh) {
    place->second.entity = mix64(hosts_[from - 1].hash) ^ hosts_[to - 1].hash;
    refresh(from, to, place->second);
  }
  return place->second;
}

void Network::refresh(HostId from, HostId to, Link& link) {
  if (!link.own_wire) link.wire = wire(from, to);
  link.denied = reach_ && !reach_(from, to);
}

void Network::set_default(HostKind kind, const Wire& wire) {
  defaults_[static_cast<unsigned>(kind)] = wire;
  for (auto& [pair, link] : links_) refresh(pair.first, pair.second, link);
}

void Network::set_wire(HostId from, HostId to, const Wire& wire) {
  Link& changed = link(from, to);
  changed.own_wire = true;
  changed.wire = wire;
}

void Network::clear_wire(HostId from, HostId to) {
  Link& changed = link(from, to);
  changed.own_wire = false;
  refresh(from, to, changed);
}

Wire Network::wire(HostId from, HostId to) const {
  const auto known = links_.find({from, to});
  if (known != links_.end() && known->second.own_wire) return known->second.wire;
  const bool nodes =
      hosts_[from - 1].kind == HostKind::node && hosts_[to - 1].kind == HostKind::node;
  return defaults_[nodes ? 0 : 1];
}

void Network::block(HostId from, HostId to, bool blocked) { link(from, to).cut = blocked; }

void Network::set_reach(std::function<bool(HostId from, HostId to)> reach) {
  reach_ = std::move(reach);
  for (auto& [pair, link] : links_) refresh(pair.first, pair.second, link);
}

bool Network::blocked(HostId from, HostId to) const {
  const auto known = links_.find({from, to});
  if (known != links_.end()) return known->second.blocked();
  return reach_ && !reach_(from, to);
}

std::uint64_t Network::draw(Link& link) {
  return driver_.random(purpose_wire, link.entity, link.counter++);
}

Time Network::one_way(Link& link) {
  Duration time = link.wire.latency;
  if (link.wire.jitter.count() > 0) {
    time += Duration(draw(link) % static_cast<std::uint64_t>(link.wire.jitter.count() + 1));
  }
  return time.count();
}

/// When a burst of `size` bytes, sent now, is there: bandwidth, latency, loss.
Time Network::arrival(Link& link, std::size_t size, Time not_before) {
  Time leaves = driver_.now();
  if (link.wire.bandwidth > 0) {
    leaves = std::max(leaves, link.free_at);
    const std::uint64_t bits = static_cast<std::uint64_t>(size) * 8;
    leaves += static_cast<Time>(bits / link.wire.bandwidth * billion +
                                bits % link.wire.bandwidth * billion / link.wire.bandwidth);
    link.free_at = leaves;
  }
  Time at = leaves + one_way(link);
  if (link.wire.loss > 0) {
    const std::uint64_t packets = size / packet + 1;
    std::uint64_t lost = std::min<std::uint64_t>(packets * link.wire.loss, billion);
    Duration wait = retransmit_first;
    while (draw(link) % billion < lost) {
      at += wait.count();
      wait = std::min(wait * 2, retransmit_max);
      lost = std::min<std::uint64_t>(link.wire.loss, billion * 9 / 10);
      ++counters_.stalls;
    }
  }
  return std::max(at, not_before);
}

// --- opening

End Network::end_of(std::uint32_t index, unsigned side) const {
  return (static_cast<End>(connections_[index].generation) << 32U) |
         (static_cast<End>(index + 1) << 1U) | side;
}

Network::Connection* Network::find(End end) {
  return const_cast<Connection*>(static_cast<const Network*>(this)->find(end));
}

const Network::Connection* Network::find(End end) const {
  const std::uint32_t index = index_of(end);
  if (index >= connections_.size()) return nullptr;
  const Connection& connection = connections_[index];
  if (!connection.in_use || connection.generation != end >> 32U) return nullptr;
  return connection.ways[side_of(end)].over ? nullptr : &connection;
}

bool Network::open(End end) const { return find(end) != nullptr; }

HostId Network::remote(End end) const {
  const Connection* connection = find(end);
  return connection == nullptr ? 0 : connection->ways[1 - side_of(end)].host;
}

End Network::dial(HostId from, HostId to) {
  std::uint32_t index = 0;
  if (free_.empty()) {
    index = static_cast<std::uint32_t>(connections_.size());
    connections_.emplace_back();
  } else {
    index = free_.back();
    free_.pop_back();
  }
  Connection& connection = connections_[index];
  const std::uint32_t generation = connection.generation;
  connection = Connection{};
  connection.generation = generation;
  connection.in_use = true;
  connection.dialled_at = driver_.now();
  connection.ways[0].host = from;
  connection.ways[0].link = &link(from, to);
  connection.ways[0].over = false;
  connection.ways[1].host = to;
  connection.ways[1].link = &link(to, from);
  ++counters_.dials;
  wake_later(index, 0, Wake::syn, driver_.now() + one_way(*connection.ways[0].link));
  return end_of(index, 0);
}

/// A SYN is there, or would be.
void Network::syn(std::uint32_t index) {
  Connection& connection = connections_[index];
  Way& dialler = connection.ways[0];
  Way& listener = connection.ways[1];
  if (dialler.over && !dialler.fin_wanted) return;
  const HostState state = hosts_[listener.host - 1].state;
  if (dialler.link->blocked() || dialler.link->clogged || state == HostState::silent ||
      (state == HostState::closed && listener.link->blocked())) {
    const Time next = driver_.now() + (1s * (std::int64_t{1} << connection.tries++)).count();
    const Time limit = connection.dialled_at + give_up_after.count();
    wake_later(index, 0, next < limit ? Wake::syn : Wake::dial_failed, std::min(next, limit));
    return;
  }
  if (state == HostState::closed) {
    wake_later(index, 0, Wake::refused, driver_.now() + one_way(*listener.link));
    return;
  }
  connection.accepted = true;
  listener.over = false;
  listener.established = true;
  enqueue(index, 1, {arrival(*listener.link, 0, 0), {}, Mark::connected});
  listener_.accepted(listener.host, end_of(index, 1), dialler.host);
}

void Network::wake_later(std::uint32_t index, unsigned side, Wake what, Time at) {
  Connection& connection = connections_[index];
  ++connection.wakes;
  driver_.wake_at(at, end_of(index, side), static_cast<std::uint64_t>(what));
}

void Network::wake(std::uint64_t a, std::uint64_t b) {
  const std::uint32_t index = index_of(a);
  const unsigned side = side_of(a);
  Connection& connection = connections_[index];
  HF_ASSERT(connection.in_use && connection.generation == a >> 32U && connection.wakes > 0);
  Way& way = connection.ways[side];
  switch (static_cast<Wake>(b)) {
    case Wake::syn: syn(index); break;
    case Wake::refused: finish(index, 0, Ending::refused); break;
    case Wake::dial_failed: finish(index, 0, Ending::failed); break;
    case Wake::segment: segment_due(index, side); break;
    case Wake::ack: ack_due(index, side); break;
    case Wake::reset:  // a reset on its way to `side`: lost when the link is cut
      if (connection.ways[1 - side].link->clogged && !way.over) {
        wake_later(index, side, Wake::reset, driver_.now() + retransmit_first.count());
      } else if (!connection.ways[1 - side].link->blocked() &&
                 hosts_[way.host - 1].state != HostState::silent) {
        finish(index, side, Ending::reset);
      }
      break;
    case Wake::writable:
      if (!way.over) listener_.writable(way.host, a);
      break;
    case Wake::linger:  // an orderly close took too long
      if (way.fin_wanted && (!way.outbox.empty() || !way.segments.empty())) {
        end_silently(index, side, true);
        send_reset(index, side);
      }
      break;
  }
  --connection.wakes;
  collect(index);
}

void Network::collect(std::uint32_t index) {
  Connection& connection = connections_[index];
  if (!connection.in_use || connection.wakes > 0) return;
  if (!connection.ways[0].over || !connection.ways[1].over) return;
  connection.in_use = false;
  ++connection.generation;
  for (Way& way : connection.ways) {
    way.outbox.clear();
    way.segments.clear();
  }
  free_.push_back(index);
}

}  // namespace hf::faultnet
