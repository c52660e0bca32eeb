// Shared subscriptions, at the coordinator of the group's slot: members, the queue, and who is dealt what.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "broker/base/time.hpp"
#include "broker/node/dealing.hpp"
#include "broker/node/message.pb.h"
#include "broker/slot/state.hpp"

namespace hf::node {

struct ShardParts;

/// A group is kept like a session, under a key that no client id can be: U+001F and the filter as subscribed. Its one
/// filter is the plain one; its members are registers under "#/" and the member's name, which is no filter.
[[nodiscard]] std::string group_key(std::string_view shared_filter);
[[nodiscard]] bool is_group(std::string_view client);
[[nodiscard]] std::string_view plain_filter(std::string_view group);
[[nodiscard]] std::string member_register(std::string_view member);

/// Where a member lives, from its name.
struct MemberAddress {
  bool local = false;  ///< its session ends with its connection, and lies in the local slot of `node`
  NodeId node = 0;
  std::uint32_t boot = 0;
  std::string session;
};
[[nodiscard]] MemberAddress member_address(std::string_view member);
[[nodiscard]] std::string local_member(std::string_view session, Origin self);

/// Invariants:
///  1. A deal is asked of its member only once a majority holds its Assign under this node's claim.
///  2. A message is dealt anew only after the deal before was revoked: by a majority of the member's slot, or because
///     the connection that a bound session ends with is gone (at QoS 1: or out of reach for long).
///  3. A deal's name is given back (RetireAnswer) only once a majority knows that it is over.
class Groups {
 public:
  explicit Groups(ShardParts& parts) : parts_(parts) {}

  void begin_serving(SlotId slot);
  void begin_deciding(SlotId slot);
  void stop_serving(SlotId slot);
  /// Operations changed the group; `foreign`: of others, or a merge.
  void changed(SlotId slot, const std::string& group, bool foreign);
  /// Is there anybody to keep messages for.
  [[nodiscard]] bool has_members(SlotId slot, const std::string& group) const;
  /// QoS 0: to whoever is connected, or to nobody.
  void deal_unkept(SlotId slot, const std::string& group, const slot::pb::Message& message);
  /// Is this the name of a deal that is not over.
  [[nodiscard]] bool deals(SlotId slot, const slot::Dot& deal) const;

  void on_member(NodeId from, const pb::Member& member);
  void on_reply(NodeId from, const pb::DealReply& reply);
  void peer_up(NodeId node);
  void peer_down(NodeId node);
  /// Deals what can be dealt. True if anything was done.
  bool pump();
  void tick();

 private:
  enum class Phase : std::uint8_t { confirming, asking, held, revoked };
  struct Deal {
    slot::Name entry;
    std::string member;
    Phase phase = Phase::confirming;
    Instant ask_at{};
  };
  struct Group {
    std::set<std::string> members;
    Dealer dealer;
    std::map<slot::Dot, Deal> deals;                         ///< of entries not done, the latest of each
    std::map<slot::Name, slot::Dot> deal_of;
    std::set<std::pair<slot::Stamp, slot::Name>> again;      ///< revoked, to be dealt anew
    std::optional<std::pair<slot::Stamp, slot::Name>> cursor;  ///< looked at up to here
    Instant query_at{};
  };
  using Key = std::pair<SlotId, std::string>;

  [[nodiscard]] Group* find(SlotId slot, const std::string& group);
  [[nodiscard]] const slot::Session* session(SlotId slot, const std::string& group) const;
  void rebuild(SlotId slot, const std::string& group);
  void confirm(SlotId slot, const std::string& group, const slot::Entry& entry);
  bool deal(SlotId slot, const std::string& group);
  void deal_one(SlotId slot, const std::string& group, Group& state, const slot::Entry& entry, const std::string& member);
  void ask(SlotId slot, const std::string& group, const slot::Dot& name, bool with_message);
  void finish(SlotId slot, const std::string& group, const slot::Dot& name);
  void revoked(SlotId slot, const std::string& group, const slot::Dot& name);
  /// The connection that the member's session ends with is gone: its node restarted.
  [[nodiscard]] bool is_gone(const MemberAddress& address) const;
  [[nodiscard]] NodeId home_of(const MemberAddress& address) const;
  void query(SlotId slot, const std::string& group, const std::string& member);
  void remove_gone(SlotId slot, const std::string& group);
  bool end(SlotId slot, const std::string& group);

  ShardParts& parts_;
  std::map<SlotId, std::map<std::string, Group>> slots_;
  std::set<Key> due_, hungry_, idle_;
  std::set<std::tuple<Instant, SlotId, std::string, slot::Dot>> asks_;
  std::map<NodeId, std::set<Key>> bound_;  ///< groups with members whose sessions end with connections to a node
  std::map<NodeId, Instant> down_since_;
};

}  // namespace hf::node
