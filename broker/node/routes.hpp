// Which slots and which nodes want a topic: what every coordinator has told every node.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "broker/base/ids.hpp"
#include "broker/base/time.hpp"
#include "broker/node/message.pb.h"
#include "broker/slot/version_vector.hpp"
#include "broker/topic/trie.hpp"

namespace hf::node {

struct ShardParts;

/// Where a message goes: a slot's coordinator, or (local) the connection-bound sessions of a node.
struct RouteTarget {
  bool local = false;
  std::uint32_t id = 0;  ///< slot, or node
  friend auto operator<=>(const RouteTarget&, const RouteTarget&) = default;
};

/// Invariants:
///  1. A filter that a reachable coordinator advertised and has not removed is in the trie.
///  2. Filters from a node out of reach are kept: a message for its sessions must not be taken for unwanted.
///  3. A snapshot goes in pages, each as the slot is when it leaves, and changes between them as they come: so whoever has taken
///     all of them in order knows what the slot held when the last one left.
class Routes {
 public:
  explicit Routes(ShardParts& parts);

  void on_update(NodeId from, const pb::RouteUpdate& update);
  void on_ack(NodeId from, std::uint64_t number);
  void peer_up(NodeId node, std::uint32_t boot);
  void peer_down(NodeId node);

  /// Tells all nodes of a slot's (or this node's local) filters that came or went.
  void advertise(SlotId slot, const std::vector<std::string>& added, const std::vector<std::string>& removed);
  void advertise_all(SlotId slot);
  /// Runs once every reachable node has taken all updates made so far; not at all if the slot ceases to be served before: who has
  /// come since knows nothing of it, and whoever serves the slot next is asked again.
  void when_known(SlotId slot, std::function<void()> then);

  /// Publishes may be taken: every slot's filters are known, and those of the local sessions of every node that is linked
  /// with one in reach, or such a node has had the time to say them. Once so, always so.
  [[nodiscard]] bool complete() const;
  void tick();
  /// Filters, counted once for each slot or node that wants them.
  [[nodiscard]] std::size_t size() const { return trie_.size(); }
  /// The targets of a topic, in order, each once.
  void match(std::string_view topic, std::set<RouteTarget>& out) const;

 private:
  /// All filters of a slot, on their way to a node page by page.
  struct Snapshot {
    std::uint64_t begun = 0;  ///< updates from this number on are not known as long as the snapshot is not
    std::string after;        ///< the pages sent end there
  };
  /// By number: the last update that a node was sent, and the last that it has taken.
  struct Told {
    std::uint64_t sent = 0, taken = 0;
    std::uint64_t page = 0;                ///< the last page of any snapshot
    std::map<SlotId, Snapshot> sending;    ///< with pages to go
    std::map<std::uint64_t, std::uint64_t> whole;  ///< last page -> begun: sent, and not taken yet
    std::set<std::uint64_t> open;          ///< of all these, when they were begun
    [[nodiscard]] bool knows(std::uint64_t number) const { return taken >= number && (open.empty() || *open.begin() > number); }
  };
  struct Waiting {
    SlotId slot = 0;
    std::map<NodeId, std::uint64_t> nodes;  ///< and the update that each has still to take
    std::function<void()> then;
  };
  [[nodiscard]] std::size_t slots_needed() const;
  void broadcast(pb::RouteUpdate update);
  void send(NodeId node, pb::RouteUpdate update);
  /// What `from` says of the filters behind `after`, up to `last` (none: to the end).
  void replace(NodeId from, RouteTarget target, const std::set<std::string>& filters, const std::string& after = {}, const std::string* last = nullptr);
  void add(NodeId from, RouteTarget target, const std::string& filter);
  void remove(NodeId from, RouteTarget target, const std::string& filter);
  void fill_page(SlotId slot, const std::string& after, pb::RouteUpdate& update) const;
  void begin_snapshot(NodeId node, SlotId slot);
  /// Sends pages to a node while there is room for them, and one at a time where there is none.
  void go_on(NodeId node);
  void settle();
  void look_around();
  [[nodiscard]] bool heard_all() const;

  ShardParts& parts_;
  topic::Trie<RouteTarget> trie_;
  std::map<RouteTarget, std::map<NodeId, std::set<std::string>>> advertised_;
  std::map<SlotId, std::map<NodeId, slot::Stamp>> claims_;  ///< under which each last told all of a slot's filters
  std::set<SlotId> known_;
  std::set<NodeId> heard_;  ///< in reach, and their local filters are known
  bool complete_ = false;
  std::optional<Instant> patience_;
  std::map<NodeId, std::uint32_t> boots_;
  std::map<NodeId, Told> told_;  ///< of those in reach
  std::uint64_t number_ = 0;
  std::vector<Waiting> waiting_;
};

}  // namespace hf::node
