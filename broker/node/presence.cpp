// Of every other member: can it be reached, since when is it silent, and which of its processes are certainly over.
#include "broker/node/presence.hpp"

#include <algorithm>

#include "broker/node/parts.hpp"

namespace hf::node {

void Presence::start() {
  for (const MemberConfig& member : parts_.config.members)
    if (member.id != parts_.self.node) members_[member.id].silent_since = parts_.env.now();
  reckon();
}

void Presence::up(NodeId node) {
  Member& member = members_[node];
  member.up = true;
  member.refused = false;
  const std::uint32_t boot = parts_.cluster->boot_of(node);
  if (boot < member.last) member.over = std::max(member.over, member.last);  // wiped: it counts from one again
  member.last = boot;
  reckon();
}

void Presence::down(NodeId node) {
  Member& member = members_[node];
  member.up = false;
  member.silent_since = parts_.env.now();
  reckon();
}

void Presence::refused(NodeId node, std::uint32_t boot) {
  Member& member = members_[node];
  if (member.up) return;
  member.refused = true;
  if (boot > member.last) member.over = std::max(member.over, boot);
  reckon();
}

bool Presence::over(NodeId node, std::uint32_t boot) const {
  if (node == parts_.self.node) return boot < parts_.self.boot;
  const auto it = members_.find(node);
  if (it == members_.end()) return false;
  const Member& member = it->second;
  return boot == member.last ? member.refused : boot < member.last || boot <= member.over;
}

std::optional<Instant> Presence::grace_ends(NodeId node) const {
  const auto it = members_.find(node);
  if (it == members_.end() || it->second.up) return std::nullopt;
  return it->second.silent_since + parts_.config.will_partition_grace;
}

void Presence::reckon() {
  all_grace_ends_.reset();
  for (const auto& [node, member] : members_)
    if (!member.up && !member.refused)
      all_grace_ends_ = std::max(all_grace_ends_, std::optional(member.silent_since + parts_.config.will_partition_grace));
}

}  // namespace hf::node
