// Message expiry [MQTT-3.3.2-5, -6]: nobody gets a message whose time is over, and who gets one is told what is left of it.
#include <algorithm>

#include "sim/check/case.hpp"

namespace hf::sim {
namespace {

constexpr VirtualTime second = 1'000'000'000;

class Judge {
 public:
  explicit Judge(const Case& c) : c_(c), spread_(c.history.facts.clock_spread) {}

  Verdict run() {
    for (const Receipt& receipt : c_.index.receipts()) judge(receipt);
    count_withheld();
    return std::move(verdict_);
  }

 private:
  void judge(const Receipt& receipt) {
    const Event& now = c_.event(receipt.event);
    const auto lasts = c_.expiry.lasts(receipt.message);
    if (!lasts) {
      if (now.expiry) wrong(receipt, "with an expiry of " + std::to_string(*now.expiry) + " s, though it was sent with none");
      return;
    }
    ++verdict_.exercised;
    // Of a wire that is bad, or was a moment ago, it is not known when the node wrote to it.
    const auto taken = c_.expiry.taken_by(receipt.message, receipt.event);
    const bool known = taken && c_.expiry.prompt(*taken, now.at);
    if (known) {
      const VirtualTime over = *taken + *lasts + spread_ + c_.expiry.on_the_wire();
      if (now.at > over && !(now.flag && may_have_begun(receipt, over))) {
        wrong(receipt, lasting(*lasts) + "after it was over by every clock" + (now.flag ? ", and had not been sent to it before" : ""));
        return;
      }
    }
    if (now.expiry) return judge_rest(receipt, *lasts, known ? *taken : now.at);
    const auto& clients = c_.history.facts.clients;  // the index begins with them; of others nothing is known
    if (receipt.client < clients.size() && clients[receipt.client].properties) wrong(receipt, lasting(*lasts) + "without one");
  }

  /// What is told is what was sent less the time it waited, in whole seconds.
  void judge_rest(const Receipt& receipt, VirtualTime lasts, VirtualTime taken) {
    const Event& now = c_.event(receipt.event);
    const VirtualTime told = *now.expiry * second;
    const VirtualTime waited = std::max<VirtualTime>(0, now.at - c_.expiry.on_the_wire() - taken);
    const std::string text = lasting(lasts) + "with " + std::to_string(*now.expiry) + " s left";
    if (told > std::max<VirtualTime>(0, lasts + spread_ - waited)) wrong(receipt, text + ", though it had waited for at least " + in_seconds(waited));
    const VirtualTime longest = now.at - c_.expiry.began(receipt.message);
    if (told + second < lasts - longest - spread_) wrong(receipt, text + ", though it can have waited for " + in_seconds(longest) + " at most");
  }

  /// What was begun is finished, expired or not: was there a connection on which it can have been?
  [[nodiscard]] bool may_have_begun(const Receipt& receipt, VirtualTime over) const {
    const Client& client = c_.index.clients()[receipt.client];
    const auto& clients = c_.history.facts.clients;
    const VirtualTime silence = receipt.client < clients.size() ? clients[receipt.client].keep_alive * 3 / 2 : 0;
    return std::any_of(client.connections.begin(), client.connections.end(), [&](std::size_t i) {
      const Connection& connection = c_.index.connections()[i];
      if (connection.sent == no_event || c_.event(connection.sent).at > over) return false;
      if (connection.disconnected == no_event || silence == 0) return true;
      const VirtualTime noticed = c_.topology.deadline(c_.event(connection.disconnected).at + silence);
      return noticed >= c_.expiry.began(receipt.message);
    });
  }

  /// Those that were over before their receiver came back for them, and did not come: each was a test, too.
  void count_withheld() {
    const auto& messages = c_.index.messages();
    for (std::uint32_t m = 0; m < messages.size(); ++m) {
      const auto lasts = c_.expiry.lasts(m);
      if (!lasts || messages[m].sends.empty() || c_.event(messages[m].sends.front()).qos == 0) continue;
      const VirtualTime over = c_.event(messages[m].sends.front()).at + *lasts + spread_;
      std::uint32_t counted = no_id;
      for (const std::size_t s : c_.subscriptions.matching(messages[m].topic)) {
        const Subscription& one = c_.subscriptions.all()[s];
        if (one.shared || one.client == counted || Subscriptions::covering(one, messages[m].sends.front()) == nullptr) continue;
        counted = one.client;
        if (c_.index.first_receipt(one.client, m) == no_event && came_back(one.client, over)) ++verdict_.exercised;
      }
    }
  }

  [[nodiscard]] bool came_back(std::uint32_t client, VirtualTime after) const {
    const auto& all = c_.index.clients()[client].connections;
    return std::any_of(all.begin(), all.end(), [&](std::size_t i) {
      const std::size_t connected = c_.index.connections()[i].connected;
      return connected != no_event && c_.event(connected).flag && c_.event(connected).at > after;
    });
  }

  static std::string lasting(VirtualTime lasts) { return "(expiry " + std::to_string(lasts / second) + " s) "; }

  void wrong(const Receipt& receipt, const std::string& what) {
    const Event& now = c_.event(receipt.event);
    const auto& sends = c_.index.messages()[receipt.message].sends;
    violate(verdict_, c_, receipt.event, now.client,
            now.client + " received " + named(c_, receipt.message) + (now.retained ? ", retained, " : " ") + what + ": from " + now.node +
                " at " + in_seconds(now.at) + (sends.empty() ? "" : ", first sent at " + in_seconds(c_.event(sends.front()).at)),
            sends.empty() ? std::vector<std::size_t>{} : std::vector<std::size_t>{sends.front(), sends.back()});
  }

  const Case& c_;
  const VirtualTime spread_;
  Verdict verdict_ = verdict("EXPIRY", "messages expire");
};

}  // namespace

Verdict judge_expiry(const Case& c) { return Judge(c).run(); }

}  // namespace hf::sim
