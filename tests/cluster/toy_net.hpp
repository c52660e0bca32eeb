// A cluster in memory: N machines, streams with latency, directed cuts, kills, restarts, a judge.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "broker/cluster/cluster.hpp"

namespace hf::cluster {

/// Each message names its sender's channel and number; the judge checks exactly-once FIFO.
class ToyNet {
 public:
  struct Node {
    std::unique_ptr<Cluster> cluster;
    std::uint32_t boot = 0;
    std::uint64_t wall_offset = 0;
    std::set<NodeId> up;
    std::map<NodeId, std::uint32_t> up_boot;
    std::map<NodeId, int> ups, downs;
    std::map<NodeId, std::uint64_t> next_out;               ///< in this channel
    std::map<NodeId, std::uint64_t> next_in;                ///< expected in this channel
    std::map<NodeId, std::string> channel_in;               ///< its sender's name for it
    std::vector<std::string> log;
  };
  Duration latency = 1ms;
  Duration cut_reset = 1h;  ///< bytes sent into a cut are lost; the stream dies this much later
  std::set<std::pair<NodeId, NodeId>> cut;  ///< directed
  Instant now = at(1s);
  std::map<NodeId, Node> nodes;
  std::uint64_t delivered = 0, bytes_moved = 0, sends = 0;
  std::vector<std::string> faults;

  explicit ToyNet(NodeId n, std::uint64_t seed = 1) : seed_(seed) {
    for (NodeId id = 1; id <= n; ++id) members_.push_back({id, "n", "a", ""});
    for (NodeId id = 1; id <= n; ++id) boot(id);
  }

  /// Its streams end, and who dials it is refused.
  void kill(NodeId id) {
    dead_.insert(id);
    for (auto& [s, stream] : streams_) {
      for (int end = 0; end < 2; ++end) {
        if (stream.node[end] == id && stream.open[end]) {
          stream.open[end] = false;
          push(latency, [this, s = s, end] { ended(s, 1 - end); });
        }
      }
    }
  }
  void boot(NodeId id) {
    kill(id);
    dead_.erase(id);
    Node& node = nodes[id];
    const auto wall = node.wall_offset;
    const auto boot = node.boot + 1;
    node = Node{};
    node.boot = boot;
    node.wall_offset = wall;
    Settings settings;
    settings.self = id;
    settings.boot = boot;
    settings.cluster_name = "toy";
    settings.members = members_;
    settings.max_outbox_bytes = outbox;
    settings.process = ++processes_;
    settings.slots = 64;
    settings.replicas = 3;
    if (adjust.contains(id)) adjust.at(id)(settings);
    node.cluster = std::make_unique<Cluster>(settings, seed_ * 1000 + id * 100 + boot);
    turn(id, [&](Cluster& c, Output& out) { c.start(now, out); });
  }
  std::uint64_t outbox = 16 * 1024 * 1024;
  std::map<NodeId, std::function<void(Settings&)>> adjust;  ///< from a node's next boot on

  bool send(NodeId from, NodeId to, std::size_t padding = 0) {
    Node& node = nodes.at(from);
    bool ok = false;
    turn(from, [&](Cluster& c, Output&) { ok = put(node, c, from, to, padding); });
    return ok;
  }
  void send_many(NodeId from, NodeId to, int n, std::size_t padding) {
    turn(from, [&](Cluster& c, Output&) {
      while (n-- > 0) put(nodes.at(from), c, from, to, padding);
    });
  }
  void kill_streams(NodeId a, NodeId b) {
    for (auto& [s, stream] : streams_) {
      if (std::set<NodeId>{stream.node[0], stream.node[1]} != std::set<NodeId>{a, b}) continue;
      for (int end = 0; end < 2; ++end) push(latency, [this, s = s, end] { ended(s, end); });
      stream.broken = true;
    }
  }
  /// A stranger's stream to `to`; returns its id for junk().
  StreamId stranger(NodeId to) {
    const StreamId s = ++next_stream_;
    streams_[s] = Stream{{0, to}, {true, true}, false, {}};
    turn(to, [&](Cluster& c, Output& out) { c.accepted(now, s, "192.0.2.1:1", out); });
    return s;
  }
  void junk(StreamId s, std::string bytes) {
    const Stream& stream = streams_.at(s);
    if (!stream.open[1]) return;
    turn(stream.node[1], [&](Cluster& c, Output& out) { c.bytes(now, s, Bytes(std::move(bytes)), out); });
  }
  /// Bytes slipped into a live stream between two nodes.
  void junk_between(NodeId to, NodeId from, const std::string& bytes) {
    for (auto& [s, stream] : streams_) {
      for (int end = 0; end < 2; ++end) {
        if (stream.node[end] == to && stream.node[1 - end] == from && stream.open[end]) {
          turn(to, [&, s = s](Cluster& c, Output& out) { c.bytes(now, s, Bytes::copy(bytes), out); });
          return;
        }
      }
    }
  }
  bool open(StreamId s) const { return streams_.at(s).open[1]; }
  void partition(NodeId a, NodeId b) { cut.insert({a, b}), cut.insert({b, a}); }
  void heal() { cut.clear(); }

  void run(Duration how_long) {
    const Instant end = now + how_long;
    while (now < end) {
      Instant next = end;
      if (!queue_.empty()) next = std::min(next, queue_.begin()->first.first);
      for (auto& [id, node] : nodes) {
        if (dead_.contains(id)) continue;
        if (const auto d = node.cluster->deadline()) next = std::min(next, std::max(*d, now));
      }
      spins_ = next == now ? spins_ + 1 : 0;
      if (spins_ > 20000) return faults.push_back("time stands still");
      now = next;
      while (!queue_.empty() && queue_.begin()->first.first <= now) {
        const auto act = std::move(queue_.begin()->second);
        queue_.erase(queue_.begin());
        act();
      }
      for (auto& [id, node] : nodes) {
        const auto d = node.cluster->deadline();
        if (!dead_.contains(id) && d && *d <= now) turn(id, [&](Cluster& c, Output& out) { c.tick(now, out); });
      }
    }
  }
  bool all_up() const {
    for (const auto& [id, node] : nodes) {
      if (node.cluster->view().size() != nodes.size()) return false;
      if (node.up.size() + 1 != nodes.size()) return false;
      for (const auto& [peer, boot] : node.up_boot) {
        if (nodes.at(peer).boot != boot) return false;
      }
    }
    return true;
  }
  /// Every message of the present channels has arrived.
  bool all_arrived() {
    for (auto& [a, x] : nodes) {
      for (auto& [b, y] : nodes) {
        if (a != b && x.next_out[b] != y.next_in[a]) return false;
      }
    }
    return true;
  }

 private:
  struct Stream {
    NodeId node[2];  ///< dialler, acceptor
    bool open[2];
    bool broken = false;
    std::string never;
  };

  bool put(Node& node, Cluster& c, NodeId from, NodeId to, std::size_t padding) {
    if (!node.up.contains(to)) return false;
    std::string text = std::to_string(from) + "." + std::to_string(node.boot) + "." +
                       std::to_string(node.ups[to]) + " " + std::to_string(node.next_out[to]) +
                       " " + std::string(padding, 'x');
    if (!c.send(to, Bytes(std::move(text)))) return false;
    ++node.next_out[to];
    return true;
  }
  void push(Duration after, std::function<void()> act) {
    queue_.emplace(std::pair(now + after, ++order_), std::move(act));
  }
  void ended(StreamId s, int end, bool refused = false) {
    Stream& stream = streams_.at(s);
    if (!stream.open[end]) return;
    stream.open[end] = false;
    if (stream.node[end] == 0) return;
    turn(stream.node[end], [&](Cluster& c, Output& out) { c.closed(now, s, out, refused); });
  }
  bool reaches(const Stream& stream, int to) const {
    return !stream.broken && !cut.contains({stream.node[1 - to], stream.node[to]});
  }
  template <class F>
  void turn(NodeId id, F f) {
    Node& node = nodes.at(id);
    node.cluster->set_wall(1'000'000 + node.wall_offset);
    Output out;
    f(*node.cluster, out);
    judge(id, node, out);
    const std::size_t events = out.events.size();
    node.cluster->end_turn(now, out);
    if (out.events.size() != events) faults.push_back("events from end_turn");
    carry(id, node, out);
  }
  void judge(NodeId id, Node& node, Output& out) {
    std::set<NodeId> downs;
    for (Event& event : out.events) {
      if (const auto* up = std::get_if<Up>(&event)) {
        if (!node.up.insert(up->node).second) faults.push_back("Up twice");
        if (downs.contains(up->node)) faults.push_back("Up after Down in one turn");
        ++node.ups[up->node];
        node.up_boot[up->node] = up->boot;
        node.next_out[up->node] = node.next_in[up->node] = 0;
        node.channel_in[up->node].clear();
      } else if (const auto* down = std::get_if<Down>(&event)) {
        if (node.up.erase(down->node) == 0) faults.push_back("Down without Up");
        downs.insert(down->node);
        ++node.downs[down->node];
        node.up_boot.erase(down->node);
        node.next_out[down->node] = node.next_in[down->node] = 0;
      } else if (const auto* got = std::get_if<Message>(&event)) {
        const Message& message = *got;
        const std::string text(message.payload.view());
        const auto space = text.find(' ');
        auto& channel = node.channel_in[message.from];
        if (!node.up.contains(message.from)) faults.push_back("message from one who is not up");
        if (channel.empty()) channel = text.substr(0, space);
        if (channel != text.substr(0, space)) faults.push_back("two channels of the sender in one");
        const auto number = std::stoull(text.substr(space + 1));
        if (number != node.next_in[message.from]++) {
          faults.push_back(std::to_string(id) + ": out of order " + text.substr(0, 30));
        }
        ++delivered;
      }
    }
    node.log.insert(node.log.end(), out.log.begin(), out.log.end());
  }
  void carry(NodeId id, Node& node, Output& out) {
    for (auto& one : out.send) {
      ++sends;
      bytes_moved += one.bytes.size();
      Stream& stream = streams_.at(one.stream);
      const int to = stream.node[0] == id ? 1 : 0;
      if (!reaches(stream, to)) {
        stream.broken = stream.broken || cut_reset < 1h;
        // A hole in a byte stream must never be followed by bytes: nothing arrives any more.
        holes_.insert({one.stream, to});
        continue;
      }
      if (holes_.contains({one.stream, to})) continue;
      push(latency, [this, s = one.stream, to, bytes = one.bytes] {
        Stream& there = streams_.at(s);
        if (!there.open[to] || there.broken || there.node[to] == 0) return;
        turn(there.node[to], [&](Cluster& c, Output& o) { c.bytes(now, s, bytes, o); });
      });
    }
    for (const StreamId s : out.close) {
      Stream& stream = streams_.at(s);
      const int end = stream.node[0] == id ? 0 : 1;
      stream.open[end] = false;
      if (reaches(stream, 1 - end) && !holes_.contains({s, 1 - end})) {
        push(latency, [this, s, end] { ended(s, 1 - end); });
      }
    }
    for (const NodeId to : out.dial) {
      const StreamId s = ++next_stream_;
      streams_[s] = Stream{{id, to}, {true, true}, false, {}};
      node.cluster->dialled(to, s);
      if (dead_.contains(to)) {
        push(latency, [this, s] { ended(s, 0, true); });
        continue;
      }
      if (cut.contains({id, to}) || cut.contains({to, id})) continue;  // hangs
      push(latency, [this, s] {
        Stream& stream = streams_.at(s);
        if (!stream.open[0] || !stream.open[1]) return;
        turn(stream.node[1], [&](Cluster& c, Output& o) { c.accepted(now, s, "192.0.2.2:1", o); });
        turn(stream.node[0], [&](Cluster& c, Output& o) { c.connected(now, s, o); });
      });
    }
  }

  std::uint64_t seed_;
  std::vector<Member> members_;
  std::map<StreamId, Stream> streams_;
  std::set<std::pair<StreamId, int>> holes_;
  std::set<NodeId> dead_;
  StreamId next_stream_ = 0;
  std::uint64_t processes_ = 0;
  std::map<std::pair<Instant, std::uint64_t>, std::function<void()>> queue_;
  std::uint64_t order_ = 0;
  int spins_ = 0;
};

}  // namespace hf::cluster
