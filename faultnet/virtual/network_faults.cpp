// Faults: hosts that die or freeze, clogged directions, reset peers.
#include "faultnet/virtual/network.hpp"

namespace hf::faultnet {

void Network::set_state(HostId host, HostState state) {
  hosts_[host - 1].state = state;
  if (state == HostState::up) return;
  for (std::uint32_t index = 0; index < connections_.size(); ++index) {
    Connection& connection = connections_[index];
    if (!connection.in_use) continue;
    for (unsigned side = 0; side < 2; ++side) {
      Way& way = connection.ways[side];
      if (way.host != host) continue;
      if (way.over && (!way.fin_wanted || state == HostState::closed)) continue;  // may flush
      end_silently(index, side, true);
      if (state == HostState::closed) send_reset(index, side);
    }
    collect(index);
  }
}

void Network::freeze(HostId host, bool frozen) {
  hosts_[host - 1].frozen = frozen;
  if (frozen) return;
  for (std::uint32_t index = 0; index < connections_.size(); ++index) {
    if (!connections_[index].in_use) continue;
    for (unsigned side = 0; side < 2; ++side) {
      if (connections_[index].ways[side].host == host) nudge(index, 1 - side);
    }
  }
}

void Network::clog(HostId from, HostId to, bool clogged) {
  link(from, to).clogged = clogged;
  if (clogged) return;
  for (std::uint32_t index = 0; index < connections_.size(); ++index) {
    if (!connections_[index].in_use) continue;
    for (unsigned side = 0; side < 2; ++side) {
      const auto& ways = connections_[index].ways;
      if (ways[side].host == from && ways[1 - side].host == to) nudge(index, side);
    }
  }
}

void Network::reset(HostId one, HostId other) {
  const std::size_t count = connections_.size();
  for (std::uint32_t index = 0; index < count; ++index) {
    Connection& connection = connections_[index];
    if (!connection.in_use) continue;
    const HostId dialler = connection.ways[0].host;
    const HostId listener = connection.ways[1].host;
    if (!(dialler == one && listener == other) && !(dialler == other && listener == one)) continue;
    ++connection.wakes;  // stands while its ends are told
    finish(index, 0, Ending::reset);
    finish(index, 1, Ending::reset);
    --connection.wakes;
    collect(index);
  }
}

}  // namespace hf::faultnet
