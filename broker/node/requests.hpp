// What a front asks of coordinators: one ordered queue a slot, asked again when the coordinator changes.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "broker/base/ids.hpp"
#include "broker/base/time.hpp"
#include "broker/node/message.pb.h"

namespace hf::node {

struct ShardParts;

/// Invariants:
///  1. Requests to one slot reach a coordinator in order of submission, also after redirects and failovers; those
///     submitted ahead come before all others.
///  2. Each is answered at most once to its submitter; a request whose connection is gone is dropped.
class Requests {
 public:
  using Then = std::function<void(const pb::Reply&)>;

  explicit Requests(ShardParts& parts) : parts_(parts) {}

  void submit(SlotId slot, pb::Request request, Then then);
  using Batch = std::vector<std::pair<pb::Request, Then>>;
  /// Ahead of everything that waits: hints are older, and a coordinator must know of an attachment before it
  /// takes what the connection asks. Then all is asked again. Replaces attachments not answered yet.
  void submit_ahead(SlotId slot, Batch requests);
  void on_reply(NodeId from, const pb::Reply& reply);

  void coordinator_changed(SlotId slot);
  void peer_up(NodeId node);
  /// Its coordinator began to serve it: it does not know the connections here.
  void serves_anew(SlotId slot);
  void unblock();
  /// Forgets what a closed connection has asked, but for its Close.
  void drop_connection(SlotId slot, std::uint64_t connection);
  /// And what it published, to whatever slot. Costs what waits for those slots.
  void drop_publishes(std::uint64_t connection);
  void tick();
  [[nodiscard]] std::optional<Instant> deadline() const;
  /// Hybrid time before which nothing asked here is still on its way.
  [[nodiscard]] std::uint64_t oldest(std::uint64_t now) const;

 private:
  struct Pending {
    pb::Request request;
    Then then;
    std::uint64_t time = 0;
    bool sent = false;
  };
  struct Queue {
    std::deque<Pending> ahead, pending;  ///< each by id
    NodeId target = 0;
    NodeId answered_by = 0;    ///< who last confirmed a request
    NodeId came_from = 0;      ///< the coordinator before: what it confirmed must not be overtaken
    Instant came_from_until{};
    std::uint64_t round = 0;
    std::uint64_t last_sent = 0;
    bool retrying = false;
  };
  void restart(SlotId slot, Queue& queue);
  void pump(SlotId slot, Queue& queue);
  void send_unsent(Queue& queue, std::deque<Pending>& pending);
  [[nodiscard]] static bool publishes(const pb::Request& request);
  void published(SlotId slot, std::uint64_t connection);

  ShardParts& parts_;
  std::map<SlotId, Queue> queues_;
  std::map<std::uint64_t, std::map<SlotId, std::size_t>> publishing_;  ///< by connection: messages that wait for an answer
  std::uint64_t next_id_ = 1;
  std::uint64_t next_round_ = 1;
  std::optional<Instant> retry_at_;
};

}  // namespace hf::node
