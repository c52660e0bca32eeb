// The life of streams: dialling, greeting, superseding, silence.
#include "broker/cluster/links.hpp"

#include <algorithm>

namespace hf::cluster {

namespace {

constexpr Duration backoff_min = 50ms;
constexpr Duration backoff_max = 1s;
constexpr Duration strangers_every = 60s;

std::vector<NodeId> sorted_ids(const std::vector<Member>& members) {
  std::vector<NodeId> ids;
  for (const Member& member : members) ids.push_back(member.id);
  std::sort(ids.begin(), ids.end());
  return ids;
}

std::string listed(const std::vector<NodeId>& ids) {
  std::string text;
  for (const NodeId id : ids) text += (text.empty() ? "" : ", ") + std::to_string(id);
  return text;
}

}  // namespace

Links::Links(const Settings& settings, std::uint64_t seed, ClusterCounters& counters)
    : settings_(settings), chance_(seed), counters_(counters) {
  for (const Member& member : settings_.members) {
    if (member.id != settings_.self) links_[member.id].backoff = backoff_min;
  }
}

void Links::start(Instant now, Output& out) {
  (void)out;
  now_ = now;
  if (links_.empty()) return;
  beat_at_ = now + chance_.jitter(settings_.heartbeat_every);
  for (auto& [node, link] : links_) link.dial_at = now;
  wake_ = now;
}

void Links::accepted(Instant now, StreamId stream, std::string remote, Output& out) {
  now_ = now;
  if (ungreeted_ >= 2 * links_.size() + 64) {
    out.close.push_back(stream);
    return;
  }
  ++ungreeted_;
  Stream& fresh = streams_[stream];
  fresh.opened = now;
  fresh.remote = std::move(remote);
  arm(now + greet_within());
  // Perhaps the knock of one that has just started. (Or a stranger, who must not make this node dial and dial.)
  for (auto& [node, link] : links_) {
    if (!dials(node) || link.stream != 0 || link.asked || now < link.knocked + backoff_max) continue;
    link.knocked = now;
    link.dial_at = std::min(link.dial_at, now + backoff_min);
    arm(link.dial_at);
  }
}

void Links::dialled(NodeId node, StreamId stream) {
  const auto at = links_.find(node);
  if (at == links_.end() || stream == 0 || at->second.dialling != 0) return;
  at->second.dialling = stream;
  Stream& fresh = streams_[stream];
  fresh.peer = node;
  fresh.dialled = true;
  fresh.opened = now_;
  fresh.attempt = ++attempts_;
}

void Links::connected(Instant now, StreamId stream, Output& out) {
  now_ = now;
  const auto at = streams_.find(stream);
  if (at == streams_.end() || !at->second.dialled) return;
  if (!dials(at->second.peer)) {
    LinkEvents none;  // a knock, answered
    return close(stream, now, out, none);
  }
  send_hello(stream, at->second.peer, at->second.attempt);
}

void Links::send_hello(StreamId id, NodeId to, std::uint64_t attempt, bool farewell) {
  wire::Body body;
  wire::Hello& hello = *body.mutable_hello();
  hello.set_cluster(settings_.cluster_name);
  hello.set_node(settings_.self);
  hello.set_to(to);
  hello.set_boot(settings_.boot);
  hello.set_version_min(settings_.version_min);
  hello.set_version_max(settings_.version_max);
  hello.set_wall_ms(wall_ms_);
  hello.set_attempt(attempt);
  hello.set_process(settings_.process);
  if (const auto known = known_.find(to); known != known_.end()) {
    hello.set_knows_boot(known->second.boot);
    hello.set_knows_process(known->second.process);
  }
  hello.set_slots(settings_.slots);
  hello.set_replicas(settings_.replicas);
  for (const NodeId member : sorted_ids(settings_.members)) hello.add_members(member);
  hellos_.emplace_back(Output::Send{id, Bytes(encode_frame(body))}, farewell);
}

void Links::bytes(Instant now, StreamId id, const Bytes& bytes, Output& out, LinkEvents& events) {
  now_ = now;
  auto at = streams_.find(id);
  if (at == streams_.end()) return;
  if (at->second.greeted) {
    Link& link = links_[at->second.peer];
    link.heard = now;
    link.traffic.bytes_in += bytes.size();
    link.untold += bytes.size();
  }
  at->second.decoder.feed(bytes.view());
  // A frame may end this stream, and with it the decoder: look it up each time.
  for (; at != streams_.end(); at = streams_.find(id)) {
    auto body = at->second.decoder.next();
    if (!body) {
      ++counters_.bad_streams;
      bad_frame(at->second, body.error().text, out);
      return close(id, now, out, events);
    }
    if (!*body) return;
    ++counters_.frames_in;
    if (!frame(now, id, **body, out, events)) {
      ++counters_.bad_streams;
      return close(id, now, out, events);
    }
  }
}

bool Links::frame(Instant now, StreamId id, std::string_view bytes, Output& out,
                  LinkEvents& events) {
  wire::Body body;
  if (!parse_body(bytes, body)) {
    bad_frame(streams_[id], "a frame that cannot be parsed", out);
    return false;
  }
  if (!streams_[id].greeted) {
    if (!body.has_hello() || !hello(now, id, body.hello(), out, events)) return false;
  }
  const NodeId node = streams_[id].peer;
  if (body.has_heartbeat()) heartbeat(now, node, body.heartbeat(), events);
  for (wire::Channel& channel : *body.mutable_channels()) {
    events.emplace_back(Part{node, std::move(channel)});
  }
  return true;
}

bool Links::too_far_ahead(NodeId node, std::uint64_t wall_ms, Output& out) {
  const auto drift = static_cast<std::uint64_t>(to_ms(settings_.max_clock_drift));
  if (wall_ms <= wall_ms_ || wall_ms - wall_ms_ <= drift) return false;
  report(node, Reason::clock, "clock is " + std::to_string(wall_ms - wall_ms_) + " ms ahead", out);
  return true;
}

bool Links::hello_is_good(const Stream& stream, const wire::Hello& hello, Output& out) {
  const NodeId node = hello.node();
  const NodeId who = stream.dialled ? stream.peer : node;  // a member: its lines are bounded
  if (!links_.contains(node) && !stream.dialled) {
    report_stranger(stream, hello.cluster() == settings_.cluster_name ? "it says to be node " + std::to_string(node) + ", which is no member"
                                                                      : "it belongs to another cluster", out);
  } else if (hello.cluster() != settings_.cluster_name) {
    report(who, Reason::cluster, "belongs to another cluster", out);
  } else if (!links_.contains(node) || hello.to() != settings_.self ||
             (stream.dialled && stream.peer != node)) {
    report(who, Reason::stranger, "is not the member it should be", out);
  } else if (std::min(hello.version_max(), settings_.version_max) <
             std::max(hello.version_min(), settings_.version_min)) {
    report(who, Reason::version, "speaks no version of the protocol in common", out);
  } else if (!stream.dialled && dials(node)) {
    report(who, Reason::direction, "dialled, though its id is the higher one", out);
  } else if (hello.slots() != 0 && settings_.slots != 0 && hello.slots() != settings_.slots) {
    report(who, Reason::slots, "its cluster.slots is " + std::to_string(hello.slots()) + ", here it is " +
                                    std::to_string(settings_.slots) + ": expected the same on every node", out);
  } else {
    return !too_far_ahead(node, hello.wall_ms(), out);
  }
  return false;
}

/// What a process has written bears its boot number: a second one under that number would pass for the first. A disk that
/// was lost begins far from the numbers before (node/boot.cpp), so this meets old copies of a disk, and clocks that went back.
bool Links::boots_are_their_own(const wire::Hello& hello, Output& out) {
  const auto other = [](std::uint32_t boot, std::uint64_t process, std::uint32_t known, std::uint64_t by) {
    return boot == known && process != 0 && by != 0 && process != by;
  };
  const std::string why = ": the disk is an older copy, or was lost; start that node again";
  if (other(settings_.boot, settings_.process, hello.knows_boot(), hello.knows_process())) {
    tell(hello.node(), Reason::boot, "knows another process under this node's boot number " + std::to_string(settings_.boot) + why, out);
    return false;
  }
  const Known& known = known_[hello.node()];
  if (!other(hello.boot(), hello.process(), known.boot, known.process)) return true;
  report(hello.node(), Reason::boot, "its boot number " + std::to_string(hello.boot()) + " was another process's" + why, out);
  return false;
}

void Links::compare_settings(const wire::Hello& hello, Output& out) {
  const std::vector<NodeId> ours = sorted_ids(settings_.members), theirs(hello.members().begin(), hello.members().end());
  std::string text;
  if (!theirs.empty() && theirs != ours) text = "has the members " + listed(theirs) + "; here they are " + listed(ours);
  if (text.empty() && hello.replicas() != 0 && settings_.replicas != 0 && hello.replicas() != settings_.replicas)
    text = "has cluster.replicas " + std::to_string(hello.replicas()) + ", here it is " + std::to_string(settings_.replicas);
  if (!text.empty()) tell(hello.node(), Reason::settings, text + ": expected the same on every node", out);
}

bool Links::hello(Instant now, StreamId id, const wire::Hello& hello, Output& out,
                  LinkEvents& events) {
  Stream& stream = streams_[id];
  if (!hello_is_good(stream, hello, out)) return false;
  const NodeId node = hello.node();
  if (!boots_are_their_own(hello, out)) {
    if (!stream.dialled) send_hello(id, node, hello.attempt(), true);  // it is to know why
    return false;
  }
  Link& link = links_[node];
  if (link.stream != 0) {
    const Stream& old = streams_[link.stream];
    const bool late = std::pair(hello.boot(), hello.attempt()) < std::pair(old.boot, old.attempt);
    if (late && link.up) return false;  // a straggler; without a live link, a wiped node may be young
    close(link.stream, now, out, events);
  }
  known_[node] = {hello.boot(), hello.process()};
  if (!stream.dialled) --ungreeted_;
  stream.greeted = true;
  stream.remote = {};
  stream.peer = node;
  stream.boot = hello.boot();
  stream.decoder.set_max(frame_max_member);
  link.stream = id;
  link.dialling = 0;
  link.asked = false;
  link.heard = now;
  link.heard_by = now;
  link.untold = 0;
  link.beat_now = true;
  pending_.insert(node);
  arm(now + settings_.detect_after);
  if (stream.dialled) {
    link_up(node, events);  // this hello answers ours: they hear us
  } else {
    stream.attempt = hello.attempt();
    send_hello(id, node, hello.attempt());
  }
  compare_settings(hello, out);
  return true;
}

void Links::link_up(NodeId node, LinkEvents& events) {
  Link& link = links_[node];
  link.up = true;
  link.backoff = backoff_min;
  link.lost = false;
  tell_graph();
  for (auto at = reported_.lower_bound({node, Reason::cluster});
       at != reported_.end() && at->first == node;) {
    at = reported_.erase(at);
  }
  events.emplace_back(LinkUp{node, streams_[link.stream].boot});
}

/// Neighbours learn soon what they can reach through here.
void Links::tell_graph() {
  ++graph_version_;
  beat_at_ = std::min(beat_at_, now_ + settings_.heartbeat_every / 8);
  arm(beat_at_);
}

/// The greeted stream of a link is gone; whether to close it is the caller's business.
void Links::drop_link(Instant now, NodeId node, LinkEvents& events) {
  Link& link = links_[node];
  link.stream = 0;
  link.parts.clear();
  link.part_bytes = 0;
  link.graph.clear();
  if (link.up) {
    link.up = false;
    link.lost = true;
    // A peer that had ceased to hear us was out of reach since then, however loud itself.
    const bool deaf = link.untold < much && now - link.heard_by > settings_.heartbeat_every * 3;
    if (deaf) link.heard = std::min(link.heard, link.heard_by);
    tell_graph();
    ++counters_.links_lost;
    events.emplace_back(LinkDown{node, link.heard});
  }
  redial_later(node, now);
}

void Links::redial_later(NodeId node, Instant now) {
  Link& link = links_[node];
  link.asked = false;
  link.dialling = 0;
  link.dial_at = now + (dials(node) ? Duration{} : settings_.heartbeat_every) + chance_.jitter(link.backoff);
  link.backoff = std::min(link.backoff * 2, backoff_max);
  arm(link.dial_at);
}

void Links::close(StreamId id, Instant now, Output& out, LinkEvents& events) {
  out.close.push_back(id);
  closed(now, id, false, events);
}

void Links::closed(Instant now, StreamId id, bool refused, LinkEvents& events) {
  now_ = now;
  const auto at = streams_.find(id);
  if (at == streams_.end()) return;
  const Stream stream = std::move(at->second);
  streams_.erase(at);
  if (stream.greeted) return drop_link(now, stream.peer, events);
  if (refused && stream.dialled) events.emplace_back(LinkRefused{stream.peer});
  if (!stream.dialled) {
    --ungreeted_;
  } else if (links_[stream.peer].dialling == id) {
    redial_later(stream.peer, now);
  }
}

void Links::bad_frame(const Stream& stream, const std::string& why, Output& out) {
  stream.peer == 0 ? report_stranger(stream, why, out) : report(stream.peer, Reason::frame, why, out);
}

void Links::report_stranger(const Stream& stream, const std::string& text, Output& out) {
  if (strangers_from_ && now_ < *strangers_from_) {
    ++strangers_;
    return;
  }
  strangers_from_ = now_ + strangers_every;
  const std::string more = strangers_ == 0 ? "" : " (and " + std::to_string(strangers_) + " others since the last of these lines)";
  strangers_ = 0;
  out.log.push_back("a stranger at the peer port, " + stream.remote + ", refused: " + text + more);
}

void Links::report(NodeId node, Reason reason, const std::string& text, Output& out) {
  tell(node, reason, "refused: " + text, out);
}

void Links::tell(NodeId node, Reason reason, const std::string& text, Output& out) {
  if (!reported_.insert({node, reason}).second) return;
  out.log.push_back("peer " + std::to_string(node) + " " + text);
}

bool Links::up(NodeId node) const {
  const auto at = links_.find(node);
  return at != links_.end() && at->second.up;
}

bool Links::leads_to(NodeId relay, NodeId node) const {
  const auto at = links_.find(relay);
  if (at == links_.end() || !at->second.up) return false;
  return std::binary_search(at->second.graph.begin(), at->second.graph.end(), node);
}

std::vector<NodeId> Links::neighbours_of(NodeId node) const {
  const auto at = links_.find(node);
  return at == links_.end() || !at->second.up ? std::vector<NodeId>() : at->second.graph;
}

Traffic Links::traffic(NodeId node) const {
  const auto at = links_.find(node);
  return at == links_.end() ? Traffic{} : at->second.traffic;
}

Instant Links::heard(NodeId node) const {
  const auto at = links_.find(node);
  return at == links_.end() ? Instant{} : at->second.heard;
}

}  // namespace hf::cluster
