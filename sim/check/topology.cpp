// Who could reach whom at a time, and since when all was calm.
#include "sim/check/topology.hpp"

#include <algorithm>
#include <array>
#include <limits>

namespace hf::sim {
namespace {

constexpr VirtualTime forever = std::numeric_limits<VirtualTime>::max();
using Kind = Event::Kind;

/// Faults that have events of their own, or touch only clients. All others make us unsure.
bool is_harmless(const Event& event) {
  if (event.flag) return true;
  constexpr std::array<std::string_view, 9> known{"partition",
                                                  "crash",
                                                  "restart",
                                                  "wipe",
                                                  "pause",
                                                  "resume",
                                                  "client",
                                                  "config_change",
                                                  "heal"};
  std::size_t begin = 0;  // the first word that is letters and underscores only, past "p1: "
  while (begin < event.text.size()) {
    std::size_t end = begin;
    while (end < event.text.size() &&
           ((event.text[end] >= 'a' && event.text[end] <= 'z') || event.text[end] == '_'))
      ++end;
    const bool word = end > begin && (end == event.text.size() || event.text[end] == ' ' ||
                                      event.text[end] == ',' || event.text[end] == '(');
    if (word)
      return std::find(known.begin(),
                       known.end(),
                       std::string_view(event.text).substr(begin, end - begin)) != known.end();
    begin = event.text.find(' ', end);
    if (begin == std::string::npos) break;
    ++begin;
  }
  return false;
}

std::size_t count_in(const std::vector<VirtualTime>& times, VirtualTime from, VirtualTime to) {
  if (to < from) return 0;
  return static_cast<std::size_t>(std::upper_bound(times.begin(), times.end(), to) -
                                  std::upper_bound(times.begin(), times.end(), from));
}

}  // namespace

Topology::Topology(const History& history)
    : settle_(history.facts.settle),
      detect_(history.facts.detect_after),
      promise_after_restart_(history.facts.promise_after_restart) {
  for (const std::string& name : history.facts.nodes)
    names_.emplace(name, static_cast<Node>(names_.size()));
  count_ = names_.size();
  stopped_.resize(count_);
  crashes_.resize(count_);
  Segment now;
  now.sides.assign(count_, 1);
  now.away.assign(count_, 0);
  segments_.push_back(now);
  std::int64_t disturbing = 0;
  for (const Event& event : history.events)
    if (event.kind >= Kind::node_crashed) change(event, now, disturbing);
  finish(history.facts.write_quorum);
}

void Topology::change(const Event& event, Segment& now, std::int64_t& disturbing) {
  const Node n = node(event.node);
  const bool known = n != nobody;
  bool changed = true;
  switch (event.kind) {
    case Kind::node_crashed:
      if (known) now.away[n] = 1;
      break;
    case Kind::node_restarted:
      if (known) now.away[n] = 0;
      break;
    case Kind::node_wiped:
      wipes_.push_back(event.at);
      break;
    case Kind::node_paused:
      if (known) now.away[n] |= 2U;
      break;
    case Kind::node_resumed:
      if (known) now.away[n] &= 1U;
      break;
    case Kind::fault_began:
      changed = !is_harmless(event);
      if (changed) ++disturbing;
      break;
    case Kind::fault_ended:
      changed = !is_harmless(event) && disturbing > 0;
      if (changed) --disturbing;
      break;
    case Kind::healed:
      changed = disturbing > 0;
      disturbing = 0;
      break;
    case Kind::partition_changed: {
      now.sides.assign(count_, 0);
      now.whole = event.groups.empty();
      now.clients_cut = event.clients_cut && !event.groups.empty();
      if (now.whole) now.sides.assign(count_, 1);
      for (std::size_t g = 0; g < event.groups.size() && g < 64; ++g) {
        std::size_t members = 0;
        for (const std::string& name : event.groups[g])
          if (const Node m = node(name); m != nobody) now.sides[m] |= 1ULL << g, ++members;
        now.whole = now.whole || members == count_;
      }
      if (now.whole) now.clients_cut = false;
      break;
    }
    default:
      changed = false;
  }
  if (!changed) return;
  if (known && event.kind <= Kind::node_wiped) crashes_[n].push_back(event.at);
  if (known && event.kind <= Kind::node_resumed) node_changes_.push_back(event.at);
  now.at = std::max(event.at, segments_.back().at);
  now.disturbed = disturbing > 0;
  segments_.push_back(now);
}

void Topology::finish(std::uint32_t write_quorum) {
  std::size_t disturbed = 0, cut = 0, unsound = 0;
  VirtualTime calm_since = -1;  // -1: not calm
  const auto end_calm = [&](VirtualTime end) {
    if (calm_since >= 0 && (end == forever || end - calm_since >= settle_))
      good_.push_back({calm_since, end});
    calm_since = -1;
  };
  std::vector<VirtualTime> stopped(count_, -1);  // -1: running
  for (std::size_t i = 0; i < segments_.size(); ++i) {
    Segment& s = segments_[i];
    std::size_t away = 0;
    for (std::size_t n = 0; n < count_; ++n) {
      if (s.away[n] != 0) ++away;
      if (s.away[n] != 0 && stopped[n] < 0) stopped[n] = s.at;
      if (s.away[n] == 0 && stopped[n] >= 0) {
        stopped_[n].push_back({stopped[n], s.at});
        stopped[n] = -1;
      }
    }
    s.calm = s.whole && !s.disturbed && away == 0;
    if (s.disturbed) disturbed = i + 1;
    if (s.clients_cut) cut = i + 1;
    if (!s.whole || s.disturbed || away + 1 > std::max<std::size_t>(write_quorum, 1))
      unsound = i + 1;
    disturbed_.push_back(disturbed);
    cut_.push_back(cut);
    unsound_.push_back(unsound);
    if (s.calm && calm_since < 0) calm_since = s.at;
    if (!s.calm) end_calm(s.at);
  }
  end_calm(forever);
  for (std::size_t n = 0; n < count_; ++n)
    if (stopped[n] >= 0) stopped_[n].push_back({stopped[n], forever});
}

Topology::Node Topology::node(std::string_view name) const {
  const auto it = names_.find(name);
  return it == names_.end() ? nobody : it->second;
}

std::size_t Topology::at(VirtualTime t) const {
  const auto it =
      std::upper_bound(segments_.begin(), segments_.end(), t, [](VirtualTime x, const Segment& s) {
        return x < s.at;
      });
  return it == segments_.begin() ? 0 : static_cast<std::size_t>(it - segments_.begin()) - 1;
}

bool Topology::same_side(Node a, Node b, VirtualTime t) const {
  if (a >= count_ || b >= count_) return false;
  const Segment& s = segments_[at(t)];
  return a == b || (s.sides[a] & s.sides[b]) != 0;
}

std::size_t Topology::side_size(Node n, VirtualTime t) const {
  if (n >= count_) return 0;
  const Segment& s = segments_[at(t)];
  std::size_t size = 0;
  for (std::size_t m = 0; m < count_; ++m)
    if (s.away[m] == 0 && (m == n || (s.sides[m] & s.sides[n]) != 0)) ++size;
  return size;
}

std::size_t Topology::changes(VirtualTime from, VirtualTime to) const {
  if (to < from) return 0;
  const std::size_t begin = from < segments_.front().at ? 0 : at(from) + 1;
  const std::size_t end = to < segments_.front().at ? 0 : at(to) + 1;
  return end - begin;
}

std::optional<VirtualTime> Topology::next_change(VirtualTime t) const {
  const std::size_t next = at(t) + 1;
  if (next >= segments_.size()) return std::nullopt;
  return segments_[next].at;
}

bool Topology::running(Node n, VirtualTime from, VirtualTime to) const {
  if (n >= count_) return false;
  const auto& spans = stopped_[n];
  auto it = std::upper_bound(
      spans.begin(), spans.end(), to, [](VirtualTime x, const Span& s) { return x < s.begin; });
  return it == spans.begin() || std::prev(it)->end < from;
}

bool Topology::none_since(const std::vector<std::size_t>& last,
                          VirtualTime from,
                          VirtualTime to) const {
  return last[at(to)] <= at(from);
}
bool Topology::undisturbed(VirtualTime from, VirtualTime to) const {
  return none_since(disturbed_, from, to);
}
bool Topology::clients_free(VirtualTime from, VirtualTime to) const {
  return none_since(cut_, from, to);
}
bool Topology::sound(VirtualTime from, VirtualTime to) const {
  return none_since(unsound_, from, to);
}
bool Topology::ever_sound(VirtualTime from, VirtualTime to) const {
  for (std::size_t i = at(from); i <= at(to); ++i)
    if (const VirtualTime t = std::max(from, segments_[i].at); sound(t, t)) return true;
  return false;
}
bool Topology::no_node_changed(VirtualTime from, VirtualTime to) const {
  return count_in(node_changes_, from, to) == 0;
}
std::size_t Topology::wipes(VirtualTime from, VirtualTime to) const {
  return count_in(wipes_, from, to);
}

std::optional<VirtualTime> Topology::spread_by(VirtualTime t0) const {
  const auto it = std::partition_point(good_.begin(), good_.end(), [&](const Span& s) {
    return s.end != forever && s.end < t0 + settle_;
  });
  if (it == good_.end()) return std::nullopt;
  return std::max(it->begin, t0) + settle_;
}

std::optional<VirtualTime> Topology::last_calm(VirtualTime t) const {
  const auto it = std::partition_point(
      good_.begin(), good_.end(), [&](const Span& s) { return s.begin + settle_ <= t; });
  if (it == good_.begin()) return std::nullopt;
  return std::min(std::prev(it)->end, t);
}

bool Topology::owed(Node m, Node n, VirtualTime t0, VirtualTime t) const {
  if (m >= count_ || n >= count_) return false;
  if (last_change(t) <= t0 - settle_ && same_side(m, n, t) && undisturbed(t0, t)) return true;
  VirtualTime since = t0;
  const auto& crashes = crashes_[n];
  const auto it = std::upper_bound(crashes.begin(), crashes.end(), t);
  if (it != crashes.begin() && !(promise_after_restart_ && calm_at(t)))
    since = std::max(since, *std::prev(it));
  const auto spread = spread_by(since);
  return spread && *spread <= t;
}

std::optional<VirtualTime> Topology::first_crash(Node n, VirtualTime from) const {
  if (n >= count_) return std::nullopt;
  const auto it = std::upper_bound(crashes_[n].begin(), crashes_[n].end(), from);
  return it == crashes_[n].end() ? std::nullopt : std::optional(*it);
}

bool Topology::crashed(Node n, VirtualTime from, VirtualTime to) const {
  const auto crash = first_crash(n, from);
  return crash && *crash <= to;
}

VirtualTime Topology::deadline(VirtualTime from) const {
  VirtualTime due = from + bound();
  for (int round = 0; round < 64; ++round) {
    const auto extra = static_cast<VirtualTime>(changes(from - detect_, due)) * detect_;
    if (from + bound() + extra <= due) return due;
    due = from + bound() + extra;
  }
  return forever;
}

}  // namespace hf::sim
