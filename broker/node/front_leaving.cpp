// The node stops: its clients are sent away, at once or at an even pace.
#include "broker/node/front.hpp"
#include "broker/node/parts.hpp"

namespace hf::node {

void Front::send_away(Duration over) {
  away_ = parts_.config.server_reference.empty() ? mqtt::Reason::server_shutting_down
          : parts_.config.server_moved           ? mqtt::Reason::server_moved
                                                 : mqtt::Reason::use_another_server;
  leave_ = Leave{parts_.env.now(), over, connections_.size(), 0};
  leave_on(parts_.env.now());
}

/// Those who have been here longest go first. Who came after the drain began is refused at its CONNECT, and goes at the end.
void Front::leave_on(Instant now) {
  if (!leave_) return;
  const bool last = now >= leave_->begin + leave_->over;
  while (!connections_.empty() && (last || leave_->next() <= now)) {
    ++leave_->sent;
    fail(*connections_.begin()->second, *away_, "");
  }
  if (last || connections_.empty()) leave_.reset();
}

}  // namespace hf::node
