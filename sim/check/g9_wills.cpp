// G9: a will is published when its client is gone, and only then, and once.
#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <tuple>

#include "sim/check/case.hpp"

namespace hf::sim {
namespace {

using Kind = Event::Kind;
constexpr VirtualTime slack = 500'000'000;  ///< delays are counted by wall clocks, which are skewed and drift
constexpr std::string_view prefix = "will-";

/// One connection that brought a will and got its CONNACK.
struct Will {
  std::uint32_t client = no_id, topic = no_id;
  const Connection* connection = nullptr;
  std::size_t seen = no_event;  ///< the last word of the broker on it
  VirtualTime delay = 0;        ///< or the session's expiry, if that is sooner
  std::uint8_t qos = 0;
  std::optional<std::uint32_t> lasts;    ///< seconds, once it is published
  std::optional<std::uint32_t> message;  ///< if anybody received it
  std::vector<std::size_t> receipts;     ///< events, answers to SUBSCRIBE left out
};

class Judge {
 public:
  Judge(const Case& c, Verdict& v) : c_(c), v_(v) {
    const auto& facts = c.history.facts;
    keeps_ = facts.disks_lost + 1 <= std::max<std::uint64_t>(facts.write_quorum, 1) && facts.dropped == 0;
    for (const auto& name : facts.nodes) nodes_.push_back(c.topology.node(name));
    for (const auto& client : facts.clients) by_name_[client.id] = &client;
    find_messages();
    find_last_words();
  }

  void run() {
    for (std::uint32_t client = 0; client < c_.index.clients().size(); ++client)
      for (const std::size_t i : c_.index.clients()[client].connections)
        if (const auto will = will_of(client, i)) judge(*will);
  }

 private:
  void find_messages() {
    const auto& messages = c_.index.messages();
    for (std::uint32_t m = 0; m < messages.size(); ++m) {
      const std::string& who = c_.index.clients()[messages[m].publisher].id;
      if (messages[m].sends.empty() && who.starts_with(prefix))
        messages_[{who.substr(prefix.size()), messages[m].number}] = m;
    }
    for (const Receipt& receipt : c_.index.receipts())
      if (!c_.event(receipt.event).retained) receipts_[receipt.message].push_back(receipt);
  }

  void find_last_words() {
    static const std::set<Kind> words = {Kind::connected,     Kind::subscribed,        Kind::unsubscribed,
                                         Kind::publish_acked, Kind::publish_completed, Kind::received};
    for (std::size_t e = 0; e < c_.history.events.size(); ++e)
      if (words.contains(c_.event(e).kind))
        if (const std::size_t at = c_.index.connection_of(e); at != no_event) last_words_[at] = e;
  }

  std::optional<Will> will_of(std::uint32_t client, std::size_t at) const {
    const Connection& connection = c_.index.connections()[at];
    if (connection.sent == no_event || connection.connected == no_event) return std::nullopt;
    const Event& sent = c_.event(connection.sent);
    if (sent.topic.empty()) return std::nullopt;
    Will will{client, c_.index.topic_of(connection.sent), &connection, last_words_.at(at), sent.delay, sent.qos, sent.expiry, {}, {}};
    if (const auto fact = by_name_.find(sent.client); fact != by_name_.end())
      will.delay = std::min(will.delay, fact->second->session_expiry);
    const auto found = messages_.find({sent.client, connection.number});
    if (found == messages_.end()) return will;
    will.message = found->second;
    if (const auto got = receipts_.find(found->second); got != receipts_.end())
      for (const Receipt& receipt : got->second) will.receipts.push_back(receipt.event);
    return will;
  }

  void judge(const Will& will) {
    never_twice(will);
    not_while_connected(will);
    not_after_goodbye(will);
    not_before_delay(will);
    not_after_resume(will);
    if (keeps_) comes(will);
  }

  [[nodiscard]] VirtualTime at(std::size_t e) const { return c_.event(e).at; }
  [[nodiscard]] const std::string& name(const Will& will) const { return c_.index.clients()[will.client].id; }

  void wrong(const Will& will, std::size_t receipt, const std::string& what, std::vector<std::size_t> story) {
    const Event& got = c_.event(receipt);
    story.insert(story.end(), {will.connection->sent, will.connection->connected, will.connection->disconnected});
    violate(v_, c_, receipt, got.client,
            "the will of " + name(will) + " (connection " + std::to_string(will.connection->number) + " at " +
                c_.event(will.connection->connected).node + ") reached " + got.client + " at " + in_seconds(got.at) + " " + what,
            std::move(story));
  }

  /// The longest time within [from, to] that node n was not surely heard by all: breaks shorter than the bound do not
  /// count as breaks.
  [[nodiscard]] VirtualTime outage(Topology::Node n, VirtualTime from, VirtualTime to) const {
    const Topology& topology = c_.topology;
    const auto good = [&](VirtualTime t) {
      return topology.undisturbed(t, t) && topology.running(n, t, t) &&
             std::all_of(nodes_.begin(), nodes_.end(), [&](Topology::Node m) { return topology.same_side(n, m, t); });
    };
    VirtualTime longest = 0, bad_since = -1, good_since = -1;
    for (std::optional<VirtualTime> t = std::max<VirtualTime>(0, from - topology.bound()); t && *t <= to; t = topology.next_change(*t)) {
      const auto next = topology.next_change(*t);
      const VirtualTime until = next ? std::min(*next, to) : to;
      if (good(*t)) {
        if (good_since < 0) good_since = *t;
        if (until - good_since >= topology.bound()) bad_since = -1;
        continue;
      }
      good_since = -1;
      if (bad_since < 0) bad_since = *t;
      longest = std::max(longest, until - bad_since);
    }
    return longest;
  }

  /// Its node was never silent, to anybody, for as long as the grace.
  [[nodiscard]] bool heard(const Will& will, VirtualTime until) const {
    return outage(c_.node(will.connection->connected), at(will.connection->connected), until) + slack <
           c_.history.facts.will_grace;
  }

  // --- what must not be

  void never_twice(const Will& will) {
    if (!will.message) return;
    const auto found = receipts_.find(*will.message);
    if (found == receipts_.end()) return;
    std::map<std::pair<std::uint32_t, std::uint32_t>, std::size_t> first;  // (client, session) -> event
    for (const Receipt& receipt : found->second) {
      ++v_.exercised;
      const auto [it, fresh] = first.emplace(std::pair(receipt.client, receipt.session), receipt.event);
      if (fresh) continue;
      const Event &one = c_.event(it->second), &two = c_.event(receipt.event);
      // Below QoS 2 a message may come again: not on the same connection, unasked, while nothing happens.
      const bool plain = one.connection == two.connection && !two.flag &&
                         c_.topology.steady(one.at - c_.topology.bound(), two.at) && c_.topology.undisturbed(one.at, two.at);
      if ((one.qos == 2 && two.qos == 2) || plain) wrong(will, receipt.event, "for the second time", {it->second});
    }
  }

  void not_while_connected(const Will& will) {
    const Connection& k = *will.connection;
    const VirtualTime alive = at(will.seen) - c_.history.facts.settle;
    if (k.replaced != no_event && at(k.replaced) <= at(will.seen)) return;  // taken over: the last words were on their way
    const VirtualTime silent = outage(c_.node(k.connected), at(k.connected), alive);
    if (silent >= c_.history.facts.detect_after && silent + slack < c_.history.facts.will_grace) ++v_.exercised;
    for (const std::size_t receipt : will.receipts)
      if (at(receipt) < alive && heard(will, at(receipt)))
        wrong(will, receipt, "while it was connected: the broker spoke to it till " + in_seconds(at(will.seen)), {will.seen});
  }

  void not_after_goodbye(const Will& will) {
    const std::size_t end = will.connection->disconnected;
    if (end == no_event || !c_.event(end).flag) return;
    const VirtualTime settle = c_.history.facts.settle, t = at(end);
    if (!c_.topology.steady(t - settle, t + settle) || !c_.topology.sound(t - settle, t + settle)) return;
    if (!c_.topology.running(c_.node(will.connection->connected), t - settle, t + settle) || !heard(will, t)) return;
    // A node that was down and is back has lost the connection, though its client need not have noticed.
    for (std::size_t e = will.connection->connected; e < end; ++e)
      if (c_.event(e).kind == Event::Kind::node_crashed && c_.event(e).node == c_.event(will.connection->connected).node) return;
    ++v_.exercised;
    for (const std::size_t receipt : will.receipts) wrong(will, receipt, "though it had said goodbye at " + in_seconds(t), {});
  }

  /// A later CONNECT with clean start before `until` ends the session, and with it the delay.
  [[nodiscard]] bool ended_by_clean_start(const Will& will, VirtualTime until) const {
    for (const std::size_t i : c_.index.clients()[will.client].connections) {
      const Connection& other = c_.index.connections()[i];
      if (other.number > will.connection->number && other.clean && other.sent != no_event && at(other.sent) <= until) return true;
    }
    return false;
  }

  void not_before_delay(const Will& will) {
    if (will.delay <= slack) return;
    for (const std::size_t receipt : will.receipts) {
      if (at(receipt) + slack >= at(will.seen) + will.delay || !c_.topology.undisturbed(at(will.seen), at(receipt))) continue;
      if (!heard(will, at(receipt)) || ended_by_clean_start(will, at(receipt))) continue;
      wrong(will, receipt, "before its delay of " + in_seconds(will.delay) + " had passed", {will.seen});
    }
  }

  /// A resume within the delay cancels it.
  void not_after_resume(const Will& will) {
    if (will.delay <= slack || will.connection->disconnected == no_event) return;
    for (const std::size_t i : c_.index.clients()[will.client].connections) {
      const Connection& other = c_.index.connections()[i];
      if (other.number <= will.connection->number || other.connected == no_event) continue;
      const VirtualTime back = at(other.connected), settle = c_.history.facts.settle;
      if (other.clean || !c_.event(other.connected).flag || back + slack >= at(will.seen) + will.delay) return;
      if (!c_.topology.sound(at(will.connection->connected), back + settle) || !heard(will, back)) return;
      ++v_.exercised;
      for (const std::size_t receipt : will.receipts)
        wrong(will, receipt, "though it had come back at " + in_seconds(back) + ", within its delay", {other.connected});
      return;
    }
  }

  // --- what must be

  void comes(const Will& will) {
    const Connection& k = *will.connection;
    if (k.disconnected == no_event || c_.event(k.disconnected).flag || will.qos == 0) return;
    const Topology& topology = c_.topology;
    const auto fact = by_name_.find(name(will));
    const VirtualTime silence = fact == by_name_.end() ? 0 : fact->second->keep_alive * 3 / 2;
    if (silence == 0) return;  // nobody need ever notice
    const VirtualTime due = topology.deadline(at(k.disconnected) + silence + will.delay + c_.history.facts.will_grace);
    if (k.replaced != no_event && at(k.replaced) <= due) {  // it came back: without a delay the will is due all the same
      const auto& all = c_.index.clients()[will.client].connections;
      const auto next = std::find_if(all.begin(), all.end(), [&](std::size_t i) {
        return c_.index.connections()[i].number > k.number && c_.index.connections()[i].connected != no_event;
      });
      if (will.delay != 0 || next == all.end()) return;
    }
    if (c_.end() - std::max(due, c_.history.facts.healed_at) < topology.bound()) return;
    std::uint32_t judged = no_id;
    for (const std::size_t s : c_.subscriptions.matching(will.topic)) {
      const Subscription& subscription = c_.subscriptions.all()[s];
      if (subscription.shared || subscription.client == judged || subscription.client == will.client) continue;
      if (!c_.rights.may_receive(subscription.client, will.topic)) continue;
      const Interval* interval = Subscriptions::covering(subscription, will.seen);
      if (interval == nullptr || interval->granted == 0 || !known_everywhere(*interval, at(will.seen))) continue;
      const Client& who = c_.index.clients()[subscription.client];
      const std::size_t receipt = will.message ? c_.index.first_receipt(subscription.client, *will.message) : no_event;
      if (receipt == no_event && (interval->end != no_event || !who.listed || !who.draining || !who.persistent)) continue;
      if (receipt == no_event && !had_time(will, subscription.client, due)) continue;
      judged = subscription.client;
      ++v_.exercised;
      if (receipt != no_event) continue;
      violate(v_, c_, k.disconnected, who.id,
              who.id + " never received the will of " + name(will) + " (connection " + std::to_string(k.number) + " at " +
                  c_.event(k.connected).node + ", gone at " + in_seconds(at(k.disconnected)) + ", due by " + in_seconds(due) +
                  "), and had held " + c_.event(interval->start).topic + " since " + in_seconds(at(interval->start)),
              {k.sent, k.connected, interval->start});
    }
  }

  /// The client was there to read it before it can have expired.
  [[nodiscard]] bool had_time(const Will& will, std::uint32_t client, VirtualTime due) const {
    if (!will.lasts) return true;
    const VirtualTime from = heard(will, at(will.seen)) ? at(will.seen) : at(will.connection->sent);
    return c_.expiry.had_time_until(client, due, from + *will.lasts * VirtualTime{1'000'000'000} - c_.history.facts.clock_spread);
  }

  /// Whoever may publish the will knows of the subscription.
  [[nodiscard]] bool known_everywhere(const Interval& interval, VirtualTime t) const {
    return std::all_of(nodes_.begin(), nodes_.end(), [&](Topology::Node n) {
      return c_.topology.owed(c_.node(interval.start), n, at(interval.start), t);
    });
  }

  const Case& c_;
  Verdict& v_;
  bool keeps_ = false;
  std::vector<Topology::Node> nodes_;
  std::map<std::string, const RunFacts::Client*, std::less<>> by_name_;
  std::map<std::pair<std::string, std::uint64_t>, std::uint32_t> messages_;
  std::map<std::uint32_t, std::vector<Receipt>> receipts_;
  std::map<std::size_t, std::size_t> last_words_;
};

}  // namespace

Verdict judge_wills(const Case& c) {
  Verdict v = verdict("G9", "wills are honest");
  Judge(c, v).run();
  return v;
}

}  // namespace hf::sim
