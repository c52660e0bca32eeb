// What a shard is made of, and how its parts reach each other and the outside.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "broker/access/guard.hpp"
#include "broker/cluster/cluster.hpp"
#include "broker/env/environment.hpp"
#include "broker/node/config.hpp"
#include "broker/node/coordinator.hpp"
#include "broker/node/front.hpp"
#include "broker/node/group_members.hpp"
#include "broker/node/groups.hpp"
#include "broker/node/hints.hpp"
#include "broker/node/inspection.hpp"
#include "broker/node/message.pb.h"
#include "broker/node/presence.hpp"
#include "broker/node/publishing.hpp"
#include "broker/node/requests.hpp"
#include "broker/node/retained.hpp"
#include "broker/node/routes.hpp"
#include "broker/node/shard.hpp"
#include "broker/node/slots.hpp"
#include "broker/node/sys_topics.hpp"
#include "broker/node/traces.hpp"
#include "broker/slot/version_vector.hpp"

namespace hf::node {

/// Everything of one shard. Parts hold a reference to it and call each other through it; nothing here calls
/// back from the environment. Invariants:
///  1. Until `phase` is serving, no client byte is read and no peer is dialled.
///  2. Bytes leave, and storage is written, only in end_turn().
struct ShardParts {
  enum class Phase { reading_boot, writing_boot, loading, serving };

  ShardParts(env::Environment& environment, Config settings, std::shared_ptr<const access::Guard> given);

  [[nodiscard]] slot::Stamp stamp() { return clock->next(env.wall_ms()); }
  /// The slot of connection-bound sessions of this node: never stored, never streamed.
  [[nodiscard]] SlotId local_slot() const { return config.slots; }
  /// To another node's shard, or to this one: then it is handled later in the same turn.
  void send(NodeId to, pb::PeerMessage message);
  /// Messages of QoS 0 for a node that does not take what it is sent are dropped, and counted: acknowledged ones must get through.
  [[nodiscard]] bool drops_qos0(NodeId to);
  /// Runs once everything written so far is durable.
  void after_commit(std::function<void()> then) { after_commit_.push_back(std::move(then)); }
  void handle(NodeId from, const pb::PeerMessage& message);
  void trace(NodeId by, std::string_view what, SlotId slot, const slot::pb::Operation& operation);
  void handle_cluster_events();
  /// Ready slots, strays or hints changed: tell all in this turn.
  void gossip_soon() { gossip_due_ = true; }
  void broadcast_gossip();

  // Boot.
  void begin_boot();
  void rows_read(env::ReadId id, std::vector<env::Row> rows, env::ReadStatus status);
  void committed(env::CommitId id, env::CommitStatus status);
  void become_serving();

  void wake();
  void tick();
  void end_turn();
  [[nodiscard]] std::optional<Instant> deadline() const;

  env::Environment& env;
  Config config;
  Counters counters;
  Origin self;
  Phase phase = Phase::reading_boot;
  Instant started{};
  bool stopping = false;
  std::optional<slot::HybridClock> clock;
  std::optional<cluster::Cluster> cluster;
  cluster::Output cluster_out;
  env::Batch batch;

  Presence presence;
  Slots slots;
  Routes routes;
  Requests requests;
  Publishing publishing;
  Coordinator coordinator;
  Hints hints;
  Retained retained;
  Groups groups;
  GroupMembers groups_of_members;
  Front front;
  SysTopics sys_topics;
  std::shared_ptr<const access::Guard> guard;  ///< never null
  Traces traces;
  Inspection inspection;

 private:
  void trace(NodeId from, const pb::PeerMessage& message);
  void flush_cluster();
  void flush_storage();
  bool load(const env::Row& row);
  [[nodiscard]] std::optional<std::string> not_our_folder(const std::string& stored) const;
  void choose_boot(const std::vector<env::Row>& rows);
  void read_on(std::string begin);

  std::deque<pb::PeerMessage> inbox_;
  std::vector<std::function<void()>> after_commit_;
  struct Commit {
    Slots::Collected slots;
    std::vector<std::function<void()>> then;
    Instant handed_over{};
  };
  std::map<env::CommitId, Commit> commits_;
  env::CommitId next_commit_ = 1;
  env::ReadId next_read_ = 1;
  bool gossip_due_ = false;
  Instant next_gossip_{};
  Instant next_tick_{};
  std::optional<Instant> awake_at_;  ///< when it last did anything
};

}  // namespace hf::node
