// Who reaches whom, and what the network tells: to processes and to clients.
#include <algorithm>
#include <utility>

#include "broker/base/assert.hpp"
#include "sim/world/world.hpp"

namespace hf::sim {
namespace {

using Kind = faultnet::HostKind;

constexpr std::uint64_t of(faultnet::Ending ending) { return static_cast<std::uint64_t>(ending); }

}  // namespace

// --- hosts and wires

faultnet::HostId World::add_host(std::string_view name, Kind kind, Process* process) {
  const auto host = network_.add_host(name, kind);
  hosts_.emplace(std::string(name), host);
  process_of_host_.push_back(process);
  client_of_host_.emplace_back();
  group_of_host_.push_back(0);
  return host;
}

faultnet::HostId World::host(std::string_view name) {
  const auto known = hosts_.find(name);
  return known != hosts_.end() ? known->second : add_host(name, Kind::client, nullptr);
}

void World::set_wire(std::string_view from, std::string_view to, const faultnet::Wire& wire) {
  const auto source = host(from);
  network_.set_wire(source, host(to), wire);
}

void World::clear_wire(std::string_view from, std::string_view to) {
  const auto source = host(from);
  network_.clear_wire(source, host(to));
}

faultnet::Wire World::wire(std::string_view from, std::string_view to) {
  const auto source = host(from);
  return network_.wire(source, host(to));
}

// --- partitions

bool World::allowed(faultnet::HostId from, faultnet::HostId to) const {
  if (groups_.empty()) return true;
  const bool from_node = process_of_host_[from] != nullptr;
  const bool to_node = process_of_host_[to] != nullptr;
  if (from_node && to_node) return group_of_host_[from] == group_of_host_[to];
  if (!from_node && !to_node) return true;
  if (client_policy_ == ClientPolicy::free) return true;
  const auto node = from_node ? from : to;
  if (client_policy_ == ClientPolicy::cut) return group_of_host_[node] == largest_group_;
  const auto side = client_of_host_[from_node ? to : from].side;
  return side == 0 || group_of_host_[side] == group_of_host_[node];
}

void World::reach_changed() {
  network_.set_reach([this](faultnet::HostId from, faultnet::HostId to) { return allowed(from, to); });
}

void World::partition(Groups groups, ClientPolicy clients) {
  std::fill(group_of_host_.begin(), group_of_host_.end(), 0U);
  std::vector<std::string> rest;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    for (const auto& name : groups[i]) {
      group_of_host_[node(name).host()] = static_cast<std::uint32_t>(i + 1);
    }
  }
  const auto rest_group = static_cast<std::uint32_t>(groups.size() + 1);
  for (const auto& process : nodes_) {
    auto& group = group_of_host_[process->host()];
    if (group != 0) continue;
    group = rest_group;
    rest.push_back(process->name());
  }
  if (!rest.empty()) groups.push_back(std::move(rest));
  largest_group_ = 1;
  for (std::size_t i = 1; i < groups.size(); ++i) {
    if (groups[i].size() > groups[largest_group_ - 1].size()) {
      largest_group_ = static_cast<std::uint32_t>(i + 1);
    }
  }
  for (auto& client : client_of_host_) client.side = client.last_dialled;
  client_policy_ = clients;
  groups_ = std::move(groups);
  reach_changed();
  note_sides();
}

void World::note_sides() {
  Event event;
  event.kind = Event::Kind::partition_changed;
  event.groups = groups_.empty() ? Groups{node_names()} : groups_;
  note(std::move(event));
}

void World::cut(std::string_view from, std::string_view to) {
  const auto source = host(from);
  const auto target = host(to);
  if (!cuts_.emplace(source, target).second) return;
  network_.block(source, target, true);
  note(Event::Kind::fault_began, "", "cut " + std::string(from) + "->" + std::string(to));
}

void World::uncut(std::string_view from, std::string_view to) {
  const auto source = host(from);
  const auto target = host(to);
  if (cuts_.erase({source, target}) == 0) return;
  network_.block(source, target, false);
  note(Event::Kind::fault_ended, "", "cut " + std::string(from) + "->" + std::string(to));
}

void World::clog(std::string_view from, std::string_view to, bool clogged) {
  const auto source = host(from);
  const auto target = host(to);
  const std::pair link(source, target);
  if (clogged == clogs_.contains(link)) return;
  if (clogged) {
    clogs_.insert(link);
  } else {
    clogs_.erase(link);
  }
  network_.clog(source, target, clogged);
  note(clogged ? Event::Kind::fault_began : Event::Kind::fault_ended, "",
       "clog " + std::string(from) + "->" + std::string(to));
}

void World::reset_peer(std::string_view one, std::string_view other) {
  note(Event::Kind::fault_began, "", "reset " + std::string(one) + "<->" + std::string(other));
  const auto first = host(one);
  network_.reset(first, host(other));
  note(Event::Kind::fault_ended, "", "reset " + std::string(one) + "<->" + std::string(other));
  settle();
}

void World::heal_network() {
  for (const auto& [from, to] : std::exchange(cuts_, {})) {
    network_.block(from, to, false);
    note(Event::Kind::fault_ended, "", "cut " + network_.name(from) + "->" + network_.name(to));
  }
  for (const auto& [from, to] : std::exchange(clogs_, {})) {
    network_.clog(from, to, false);
    note(Event::Kind::fault_ended, "", "clog " + network_.name(from) + "->" + network_.name(to));
  }
  if (groups_.empty()) return;
  groups_.clear();
  reach_changed();
  note_sides();
}

bool World::reaches(std::string_view from, std::string_view to) {
  const auto source = host(from);
  return !network_.blocked(source, host(to));
}

// --- streams of processes

StreamId World::dial_as_node(Process& process, std::string_view address) {
  return network_.dial(process.host_, host(address));
}

void World::accepted(faultnet::HostId host, faultnet::End end, faultnet::HostId remote) {
  process_at(host)->deliver({Process::Held::Kind::accepted, end, remote, {}});
}

void World::connected(faultnet::HostId host, faultnet::End end) {
  if (Process* process = process_at(host)) {
    return process->deliver({Process::Held::Kind::connected, end, 0, {}});
  }
  fold(host, 1, 0, end);
  client_at(end)->on_connected(end);
}

void World::arrived(faultnet::HostId host, faultnet::End end, const Bytes& bytes) {
  if (Process* process = process_at(host)) return process->arrived(end, bytes);
  fold(host, 0, bytes.size(), Digest::of(bytes.view()) ^ end);
  client_at(end)->on_bytes(end, bytes);
}

void World::closed(faultnet::HostId host, faultnet::End end, faultnet::Ending ending) {
  if (Process* process = process_at(host)) {
    return process->deliver({Process::Held::Kind::closed, end, static_cast<std::uint32_t>(ending), {}});
  }
  fold(host, 2, of(ending), end);
  using Reason = env::CloseReason;
  constexpr Reason reasons[] = {Reason::ended, Reason::reset, Reason::refused, Reason::failed};
  client_at(end)->on_closed(end, reasons[of(ending)]);
}

void World::writable(faultnet::HostId host, faultnet::End end) {
  if (Process* process = process_at(host)) {
    process->deliver({Process::Held::Kind::writable, end, 0, {}});
  }
}

// --- streams of clients

ClientEnd* World::client_at(faultnet::End end) const {
  const ClientStream& stream = client_streams_[(end & 0xFFFFFFFFU) >> 1U];
  HF_ASSERT(stream.end == end);
  return stream.client;
}

StreamId World::dial_as_client(std::string_view client, std::string_view node, ClientEnd* end) {
  const auto from = host(client);
  const auto to = this->node(node).host();
  ClientHost& known = client_of_host_[from];
  HF_ASSERT(process_of_host_[from] == nullptr && end != nullptr);
  known.last_dialled = to;
  if (known.vanished) network_.set_state(from, faultnet::HostState::closed);
  known.vanished = false;
  if (known.side == 0 && !groups_.empty()) {
    known.side = to;
    reach_changed();
  }
  const faultnet::End stream = network_.dial(from, to);
  const std::size_t index = (stream & 0xFFFFFFFFU) >> 1U;
  if (client_streams_.size() <= index) client_streams_.resize(index + 1);
  client_streams_[index] = {stream, end};
  return stream;
}

void World::send(StreamId stream, Bytes bytes) { network_.send(stream, std::move(bytes)); }
void World::close(StreamId stream) { network_.close(stream, true); }
void World::reset(StreamId stream) { network_.close(stream, false); }

void World::vanish(std::string_view client) {
  const auto gone = host(client);
  network_.set_state(gone, faultnet::HostState::silent);
  client_of_host_[gone].vanished = true;
}

}  // namespace hf::sim
