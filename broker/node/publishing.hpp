// Where a message goes: to every slot and every node that wants its topic. Fronts publish what clients send,
// coordinators publish wills; both through here.
#pragma once

#include <cstdint>
#include <functional>

#include "broker/node/message.pb.h"
#include "broker/slot/state.hpp"

namespace hf::node {

struct ShardParts;

class Publishing {
 public:
  /// How many targets there were, whether a retained message met a limit and is not kept, and whether a session's queue
  /// was full and the publisher is to know.
  struct Outcome {
    std::uint32_t matched = 0;
    bool over_quota = false;
    bool full = false;
    operator std::uint32_t() const { return matched; }  // NOLINT: most want to know no more
  };
  /// Everybody who stores the message has done so.
  using Stored = std::function<void(const Outcome&)>;

  explicit Publishing(ShardParts& parts) : parts_(parts) {}

  /// Routes one message. With `stored` each slot is asked, again after each change of coordinator, until all have
  /// confirmed: then `stored` is called, at once if there is nobody to ask. Without, nobody is waited for (QoS 0).
  /// `connection`: of the client here that sent it, whose end calls off what is not confirmed yet; 0: nobody's.
  /// A retained message goes to the slot of its topic too. `connected`: stamp of the sender's CONNECT, where known.
  void route(const slot::pb::Message& message, std::uint64_t connection, Stored stored, slot::Stamp connected = {});

 private:
  ShardParts& parts_;
};

}  // namespace hf::node
