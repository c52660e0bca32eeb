// Retained messages: read for new subscriptions from the slots of all topics that match, page by page; and their limits.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "broker/base/time.hpp"
#include "broker/node/message.pb.h"
#include "broker/slot/state.hpp"

namespace hf::node {

struct ShardParts;

/// A coordinator of sessions reads for each subscription that is owed its retained messages (Subscription::owed, which
/// survives this node), one page at a time; a coordinator of topics answers. Invariants:
///  1. A page is asked for only while the session is attached, and when the session has taken most of the one before.
///  2. A topic that the session got a newer retained message of while a reading is under way is left out.
///  3. A subscription is owed no more only once all its slots have been read to the end.
class Retained {
 public:
  explicit Retained(ShardParts& parts) : parts_(parts) {}

  // --- for sessions served here
  /// Reads what the session's subscriptions to these filters are owed and nobody reads yet.
  void begin(SlotId slot, const std::string& client, const std::vector<std::string>& filters);
  void begin_serving(SlotId slot);
  void stop_serving(SlotId slot);
  /// Another connection: what the one before was to confirm, it never will.
  void attached(SlotId slot, const std::string& client);
  /// The session has fewer messages in its queue.
  void drained(SlotId slot, const std::string& client);
  void session_changed(SlotId slot, const std::string& client);
  /// The session gets this as it is published: a newer one than any read before.
  void overtaken(SlotId slot, const std::string& client, const slot::pb::Message& message);
  void on_answer(const pb::RetainedAnswer& answer);
  void on_mark(const pb::RetainedMark& mark);
  /// It came or went: what it was asked is asked again.
  void peer_changed(NodeId node);

  // --- for topics served here
  void on_query(NodeId from, const pb::RetainedQuery& query) const;
  /// Would writing `message` to `slot` keep to the limits of this node.
  [[nodiscard]] bool has_room(SlotId slot, const slot::pb::Message& message) const;
  /// The slot's retained messages may have changed; also when it was dropped.
  void measure(SlotId slot);
  [[nodiscard]] std::uint64_t messages() const { return messages_; }

  void tick();
  [[nodiscard]] std::optional<Instant> deadline() const { return retry_at_; }

 private:
  using Key = std::pair<SlotId, std::string>;  ///< the session
  struct Reading {
    std::string filter;
    slot::Stamp subscribed;
    slot::Stamp by;          ///< Owed::asked
    bool begun = false;
    std::set<SlotId> left;   ///< once begun: not read to the end
    std::map<SlotId, std::string> after;  ///< of those, the last topic looked at
    std::uint64_t query = 0; ///< 0: none is under way
    NodeId asked = 0;
    std::uint64_t began = 0; ///< what was overtaken before counts for older readings only
  };
  struct Reader {
    std::list<Reading> readings;  ///< one at a time
    std::map<std::string, std::list<Reading>::iterator, std::less<>> by_filter;
    std::map<std::string, std::uint64_t, std::less<>> overtaken;
    std::uint64_t mark = 0;        ///< waited for: QoS 0 messages are on their way to the client
  };
  struct Size {
    std::uint64_t messages = 0, bytes = 0, expires = 0;
  };
  [[nodiscard]] const slot::Session* session(const Key& key) const;
  void begin_all(SlotId slot, const std::string& client);
  bool begin(Reader& reader, const Key& key, const std::string& filter, const slot::Subscription& subscription);
  /// The subscription, if it is still owed what this reads for it.
  [[nodiscard]] const slot::Subscription* owed(const Key& key, Reading& reading) const;
  [[nodiscard]] std::set<SlotId> slots_of(std::string_view filter) const;
  void go_on(const Key& key);
  void ask(const Key& key, Reading& reading);
  void retry(const Key& key);
  void forget_query(Reading& reading);
  void drop(std::map<Key, Reader>::iterator reader);

  ShardParts& parts_;
  std::map<Key, Reader> readers_;
  std::map<std::uint64_t, Key> queries_;
  std::map<NodeId, std::set<std::uint64_t>> asked_;
  std::set<Key> retries_;
  std::optional<Instant> retry_at_;
  std::uint64_t next_ = 1;  ///< queries, marks, overtakings

  std::map<SlotId, Size> sizes_;
  std::uint64_t messages_ = 0, bytes_ = 0;
  std::set<std::pair<std::uint64_t, SlotId>> expiring_;
};

/// The topics that `filter` can match: `parent` (or none), and those that begin with `prefix`.
struct TopicRange {
  std::optional<std::string> parent;
  std::string prefix;
};
[[nodiscard]] TopicRange topic_range(std::string_view filter);
[[nodiscard]] bool has_wildcard(std::string_view filter);

}  // namespace hf::node
