// G4, beside: nothing of a session that ended comes in one that began later without it.
#include <algorithm>
#include <vector>

#include "sim/check/case.hpp"

namespace hf::sim {
namespace {

class Judge {
 public:
  Judge(const Case& c, Verdict& verdict) : c_(c), v_(verdict), receipts_(c.index.clients().size()) {
    for (const Receipt& r : c.index.receipts()) receipts_[r.client].push_back(&r);
  }

  void run() {
    const auto& facts = c_.history.facts.clients;  // the index begins with them
    for (std::uint32_t client = 0; client < facts.size(); ++client) {
      const Connection* before = nullptr;
      for (const std::size_t i : c_.index.clients()[client].connections) {
        const Connection& now = c_.index.connections()[i];
        if (before != nullptr && began_anew(now) && ended(*before, facts[client].session_expiry, at(now.sent))) {
          ++v_.exercised;
          judge(client, *before, now);
        }
        before = &now;
      }
    }
  }

 private:
  [[nodiscard]] VirtualTime at(std::size_t e) const { return c_.event(e).at; }
  [[nodiscard]] VirtualTime settle() const { return c_.history.facts.settle; }

  [[nodiscard]] bool began_anew(const Connection& now) const {
    return now.sent != no_event && now.connected != no_event && !now.clean && !c_.event(now.connected).flag;
  }

  /// Its connection is over, nothing was to outlive it, and a side that surely holds a replica knew so before the next CONNECT.
  [[nodiscard]] bool ended(const Connection& before, VirtualTime declared, VirtualTime asked) const {
    if (before.connected == no_event || before.disconnected == no_event || before.left != no_event) return false;
    const VirtualTime gone = at(before.disconnected);
    if (gone + settle() + c_.history.facts.clock_spread >= asked || !c_.event(before.disconnected).flag) return false;
    const bool nothing = declared == 0 || (c_.event(before.disconnected).expiry == 0U && c_.expiry.farewell_known(before.disconnected));
    const Topology::Node node = c_.node(before.connected);
    return nothing && c_.topology.steady(gone - settle(), gone + settle()) && c_.topology.undisturbed(gone - settle(), gone + settle()) &&
           c_.topology.clients_free(gone - settle(), gone + settle()) &&
           c_.topology.side_size(node, gone) + c_.history.facts.replicas > c_.topology.nodes();
  }

  void judge(std::uint32_t client, const Connection& before, const Connection& now) {
    const VirtualTime gone = at(before.disconnected);
    for (const Receipt* receipt : receipts_[client]) {
      const Receipt& r = *receipt;
      if (r.session != now.session || c_.event(r.event).retained) continue;
      const Message& message = c_.index.messages()[r.message];
      if (message.sends.empty() || !all_before(message, before, gone)) continue;
      violate(v_, c_, r.event, c_.event(r.event).client,
              c_.event(r.event).client + " received " + named(c_, r.message) + " at " + in_seconds(at(r.event)) + " from " + c_.event(r.event).node +
                  ", which its session had been owed that ended with the DISCONNECT at " + in_seconds(gone) + " to " + c_.event(before.disconnected).node +
                  "; it had been told since that there was none",
              {message.sends.front(), before.disconnected, now.sent, now.connected});
    }
  }

  /// Nothing of it was under way any more when the session ended.
  [[nodiscard]] bool all_before(const Message& message, const Connection& before, VirtualTime gone) const {
    const Topology::Node node = c_.node(before.connected);
    return std::all_of(message.sends.begin(), message.sends.end(), [&](std::size_t send) {
      return at(send) + settle() < gone && c_.topology.steady(at(send) - settle(), gone) && c_.topology.same_side(c_.node(send), node, gone);
    });
  }

  const Case& c_;
  Verdict& v_;
  std::vector<std::vector<const Receipt*>> receipts_;  ///< by client
};

}  // namespace

void judge_ended_sessions(const Case& c, Verdict& verdict) { Judge(c, verdict).run(); }

}  // namespace hf::sim
