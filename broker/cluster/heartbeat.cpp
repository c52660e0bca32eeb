// Links in time: heartbeats, the graph they carry, detection of silence, and the gathered sends.
#include <algorithm>

#include "broker/cluster/links.hpp"

namespace hf::cluster {

namespace {

constexpr std::size_t frame_target = 256 * 1024;  // parts are gathered up to about this

}  // namespace

void Links::heartbeat(Instant now, NodeId node, const wire::Heartbeat& beat, LinkEvents& events) {
  Link& link = links_[node];
  link.untold = 0;
  link.heard_by = std::max(link.heard_by, now - std::chrono::milliseconds(beat.heard_ms()));
  if (!link.up && now - link.heard_by < settings_.detect_after) {
    link.heard_by = now - std::chrono::milliseconds(beat.heard_ms());
    link_up(node, events);
  }
  if (!beat.graph()) return;
  link.graph.clear();
  for (const NodeId other : beat.up_node()) {
    if (other != node && links_.contains(other)) link.graph.push_back(other);
  }
  std::sort(link.graph.begin(), link.graph.end());
  link.graph.erase(std::unique(link.graph.begin(), link.graph.end()), link.graph.end());
  GraphChanged changed{node, {}};
  const int lost = std::min(beat.lost_node_size(), beat.lost_heard_ms_size());
  for (int i = 0; i < lost; ++i) {
    if (!links_.contains(beat.lost_node(i))) continue;
    changed.lost.emplace_back(beat.lost_node(i),
                              now - std::chrono::milliseconds(beat.lost_heard_ms(i)));
  }
  if (changed.lost.size() <= links_.size()) events.emplace_back(std::move(changed));
}

/// When the peer is to be taken for deaf, as far as it is known now.
Instant Links::unheard_at(Instant now, const Link& link) const {
  const Instant told = link.heard_by + settings_.detect_after + settings_.heartbeat_every;
  if (link.untold < much) return told;  // a deaf peer that sends much closes the link itself
  return std::max(told, std::min(now + settings_.heartbeat_every, link.heard_by + settings_.detect_after * 8));
}

void Links::tick(Instant now, Output& out, LinkEvents& events) {
  now_ = now;
  if (now < wake_ || links_.empty()) return;
  wake_ = Instant::max();

  std::vector<StreamId> dead;
  for (const auto& [id, stream] : streams_) {
    if (stream.greeted) {
      const Link& link = links_[stream.peer];
      const Instant silent = link.heard + settings_.detect_after;
      const Instant unheard = unheard_at(now, link);
      if (now >= std::min(silent, unheard)) {
        dead.push_back(id);
      } else {
        arm(std::min(silent, unheard));
      }
    } else if (now >= stream.opened + greet_within()) {
      dead.push_back(id);
    } else {
      arm(stream.opened + greet_within());
    }
  }
  for (const StreamId id : dead) close(id, now, out, events);

  for (auto& [node, link] : links_) {
    if (link.stream != 0) continue;
    if (now >= link.dial_at) {
      if (link.asked) {  // an answer to Output::dial never came, or the dial hangs
        if (link.dialling != 0) {
          close(link.dialling, now, out, events);
        } else {
          redial_later(node, now);
        }
      } else {
        link.asked = true;
        link.dial_at = now + greet_within();
        out.dial.push_back(node);
      }
    }
    arm(link.dial_at);
  }
  if (now >= beat_at_) {
    beat_ = true;
    beat_at_ = now + settings_.heartbeat_every;
  }
  arm(beat_at_);
}

void Links::queue(NodeId node, wire::Channel part) {
  Link& link = links_[node];
  if (link.stream == 0) return;
  link.part_bytes += part.batch().size() + 64;
  link.parts.push_back(std::move(part));
  pending_.insert(node);
}

std::size_t Links::queued_bytes(NodeId node) const {
  const auto at = links_.find(node);
  return at == links_.end() ? 0 : at->second.part_bytes;
}

void Links::fill_heartbeat(Instant now, Link& link, Stream& stream, wire::Heartbeat& beat) {
  beat.set_heard_ms(static_cast<std::uint32_t>(to_ms(now - link.heard)));
  if (stream.graph_sent == graph_version_) return;
  stream.graph_sent = graph_version_;
  beat.set_graph(true);
  for (const auto& [node, other] : links_) {
    if (node == stream.peer) continue;
    if (other.up) {
      beat.add_up_node(node);
      beat.add_up_boot(streams_[other.stream].boot);
    } else if (other.lost && now - other.heard < settings_.detect_after * 4) {
      beat.add_lost_node(node);
      beat.add_lost_heard_ms(static_cast<std::uint32_t>(to_ms(now - other.heard)));
    }
  }
}

void Links::flush(Instant now, NodeId node, Link& link, bool beat, Output& out) {
  if (link.stream == 0) return;
  Stream& stream = streams_[link.stream];
  std::size_t next = 0;
  (void)node;
  do {
    wire::Body body;
    if (beat) fill_heartbeat(now, link, stream, *body.mutable_heartbeat());
    beat = false;
    std::size_t size = 0;
    for (std::uint32_t n = 0; next < link.parts.size() && n < frame_max_channels; ++n, ++next) {
      const std::size_t part = link.parts[next].batch().size() + 64;
      if ((size > 0 || body.has_heartbeat()) && size + part > frame_target) break;  // a heartbeat does not wait for its frame
      size += part;
      body.add_channels()->Swap(&link.parts[next]);
    }
    ++counters_.frames_out;
    out.send.push_back({link.stream, Bytes(encode_frame(body))});
    link.traffic.bytes_out += out.send.back().bytes.size();
  } while (next < link.parts.size());
  link.parts.clear();
  link.part_bytes = 0;
}

void Links::end_turn(Instant now, Output& out) {
  for (auto& [hello, farewell] : hellos_) {
    if (farewell || streams_.contains(hello.stream)) out.send.push_back(std::move(hello));
  }
  hellos_.clear();
  if (beat_) {
    for (auto& [node, link] : links_) flush(now, node, link, true, out);
  } else {
    for (const NodeId node : pending_) {
      Link& link = links_[node];
      if (link.beat_now || !link.parts.empty()) flush(now, node, link, link.beat_now, out);
    }
  }
  for (const NodeId node : pending_) links_[node].beat_now = false;
  pending_.clear();
  beat_ = false;
}

}  // namespace hf::cluster
