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
  /// Everybody who stores the message has done so; `matched`: how many targets there were.
  using Stored = std::function<void(std::uint32_t matched)>;

  explicit Publishing(ShardParts& parts) : parts_(parts) {}

  /// Routes one message. With `stored` each slot is asked, again after each change of coordinator, until all have
  /// confirmed: then `stored` is called, at once if there is nobody to ask. Without, nobody is waited for (QoS 0).
  /// `connection`: of the client here that sent it, whose end calls off what is not confirmed yet; 0: nobody's.
  void route(const slot::pb::Message& message, std::uint64_t connection, Stored stored);

 private:
  ShardParts& parts_;
};

}  // namespace hf::node
