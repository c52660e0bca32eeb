// Of every other member: can it be reached, since when is it silent, and which of its processes are certainly over.
#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include "broker/base/ids.hpp"
#include "broker/base/time.hpp"

namespace hf::node {

struct ShardParts;

/// Invariant: a process is called over only where its address refused or a later boot was seen.
class Presence {
 public:
  explicit Presence(ShardParts& parts) : parts_(parts) {}

  void start();
  void up(NodeId node);
  void down(NodeId node);
  /// Nothing listens there. `boot`: the latest boot of it that is known of.
  void refused(NodeId node, std::uint32_t boot);

  /// Is that process of `node` certainly over.
  [[nodiscard]] bool over(NodeId node, std::uint32_t boot) const;
  /// When its silence will have lasted (or had) for the grace; none while it can be reached.
  [[nodiscard]] std::optional<Instant> grace_ends(NodeId node) const;
  /// From when on nobody is silent for less than the grace: till then a client may be connected where nobody sees it. None while
  /// nobody is silent.
  [[nodiscard]] std::optional<Instant> all_grace_ends() const { return all_grace_ends_; }

 private:
  struct Member {
    bool up = false;
    bool refused = false;
    Instant silent_since{};
    std::uint32_t last = 0;  ///< boot that was heard of; those before are over
    std::uint32_t over = 0;  ///< and those beyond up to here: it began anew, or refused before it was heard of
  };
  void reckon();

  ShardParts& parts_;
  std::map<NodeId, Member> members_;
  std::optional<Instant> all_grace_ends_;
};

}  // namespace hf::node
