// Shared subscriptions, at the coordinator of a member's session: the group is told of its member, and of its deals.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "broker/base/time.hpp"
#include "broker/node/dealing.hpp"
#include "broker/node/message.pb.h"
#include "broker/slot/state.hpp"

namespace hf::node {

struct ShardParts;

/// Invariants:
///  1. How a deal ended is said only once a majority of the session's slot has it stored (Settle), under this node's claim.
///  2. A deal that was revoked is not sent; one that may have been sent at QoS 2 is not revoked.
class GroupMembers {
 public:
  explicit GroupMembers(ShardParts& parts) : parts_(parts) {}

  void begin_serving(SlotId slot);
  void begin_deciding(SlotId slot);
  void stop_serving(SlotId slot);
  /// The session, its subscriptions or its connection may have changed.
  void changed(SlotId slot, const std::string& client);
  /// The session ends here and now, and with it what it knows of its deals.
  void ending(SlotId slot, const std::string& client);
  /// Runs once the groups know of the member (or that it is none any more).
  void when_joined(SlotId slot, const std::string& client, const std::vector<std::string>& filters, std::function<void()> then);
  void on_ack(const pb::MemberAck& ack);
  void on_query(const pb::MemberQuery& query);
  void on_deal(NodeId from, const pb::DealRequest& request);
  /// The client has acknowledged these.
  void delivered(SlotId slot, const std::string& client, const std::vector<slot::Name>& deals);
  /// Was it revoked, by a word that counts.
  [[nodiscard]] bool revoked(SlotId slot, const slot::Entry& entry) const;
  void peer_changed(NodeId node);
  bool pump();
  void tick();

 private:
  struct Told {
    bool present = false, connected = false;
    std::uint32_t window = 0;
    std::string options;
    friend bool operator==(const Told&, const Told&) = default;
  };
  struct Open {
    std::string group;
    std::uint32_t qos = 1;
    bool settling = false;
  };
  struct Client {
    std::map<std::string, Told> told;  ///< by filter as subscribed
    std::map<slot::Name, Open> open;   ///< deals whose end was not said yet
    std::optional<Instant> away_since;
  };
  using Who = std::pair<SlotId, std::string>;
  using What = std::tuple<SlotId, std::string, std::string>;  ///< slot, client, filter
  struct Announcement {
    std::uint64_t number = 0;
    Instant retry_at{};
    std::vector<std::function<void()>> then;
  };

  [[nodiscard]] const slot::Session* session(SlotId slot, const std::string& client) const;
  [[nodiscard]] bool subscribed(SlotId slot, const std::string& client, std::string_view filter) const;
  [[nodiscard]] bool connected(SlotId slot, const std::string& client) const;
  [[nodiscard]] bool gone(SlotId slot, const std::string& client, const Client& state) const;
  [[nodiscard]] std::string member_name(SlotId slot, const std::string& client) const;
  [[nodiscard]] Told now(SlotId slot, const std::string& client, const std::string& filter) const;
  void announce(SlotId slot, const std::string& client, const std::string& filter);
  void send(const What& what, Announcement& announcement);
  void look(SlotId slot, const std::string& client);
  void look_at_deals(SlotId slot, const std::string& client, Client& state, bool ends);
  void settle(SlotId slot, const std::string& client, const std::vector<slot::Name>& deals, slot::Outcome outcome);
  [[nodiscard]] bool overruled(SlotId slot, const std::string& client, const slot::Name& deal, slot::Outcome outcome);
  void say(SlotId slot, const std::string& client, const slot::Name& deal, slot::Outcome outcome);
  void reply(const std::string& group, const slot::Name& deal, pb::DealReply::How how, bool away);

  ShardParts& parts_;
  std::map<SlotId, std::map<std::string, Client>> slots_;
  std::set<Who> dirty_;
  std::map<What, Announcement> announcements_;
  std::set<std::pair<Instant, What>> retries_;
  std::set<std::pair<Instant, Who>> timers_;      ///< when somebody away is taken for gone
  std::map<NodeId, std::set<Who>> by_front_;      ///< who was last seen connected there
  std::uint64_t next_number_ = 1;
};

}  // namespace hf::node
