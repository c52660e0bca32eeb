// G8: who subscribes gets the last retained message written, from every node; what was deleted never returns.
#include <algorithm>
#include <map>
#include <string>

#include "sim/check/case.hpp"
#include "sim/check/topic_match.hpp"

namespace hf::sim {
namespace {

constexpr VirtualTime never = INT64_MAX;

/// One retained PUBLISH. After `closed` it can take effect no more.
struct Write {
  std::uint32_t message = no_id;
  VirtualTime sent = 0, acked = never, closed = never;
  VirtualTime expires = never;  ///< from then on it may be gone
  bool deletes = false;
};

struct Topic {
  std::string name;
  std::uint32_t number = no_id;                    ///< in the index
  std::vector<Write> writes;                       ///< by `sent`
  std::map<std::uint32_t, std::size_t> of_message;
  std::vector<std::pair<VirtualTime, VirtualTime>> last_sent;  ///< (acked, latest `sent` acked by then)
  VirtualTime closed = 0;                          ///< the last of all
  std::size_t first_answer = no_event;             ///< to a subscriber after that: all others must be equal
  std::uint32_t answer = no_id;
  std::string answered;
  VirtualTime until = 0;                           ///< the answer had come by then
};

/// A SUBSCRIBE that asks for retained messages, in a session that began with its connection, while all is calm.
struct Reading {
  std::size_t sent = no_event, acked = no_event;
  VirtualTime until = 0;
};

class Judge {
 public:
  explicit Judge(const Case& c) : c_(c) {}

  Verdict run() {
    find_writes();
    find_connections();
    for (std::size_t e = 0; e < c_.history.events.size(); ++e)
      if (c_.event(e).kind == Event::Kind::subscribe_sent) judge(e);
    return std::move(verdict_);
  }

 private:
  void find_writes() {
    const auto& messages = c_.index.messages();
    for (std::uint32_t m = 0; m < messages.size(); ++m) {
      const Message& message = messages[m];
      if (message.sends.empty() || !c_.event(message.sends.front()).retained) continue;
      if (!c_.rights.may_publish(message.publisher, message.topic)) continue;
      const Event& first = c_.event(message.sends.front());
      Topic& topic = topics_[first.topic];
      topic.name = first.topic;
      topic.number = message.topic;
      Write write;
      write.message = m;
      write.sent = first.at;
      write.deletes = first.empty;
      if (message.acked != no_event) write.acked = c_.event(message.acked).at;
      write.closed = closed(message);
      write.expires = c_.expiry.may_be_over(m);
      topic.writes.push_back(write);
    }
    for (auto& [name, topic] : topics_) {
      std::stable_sort(topic.writes.begin(), topic.writes.end(), [](const Write& a, const Write& b) { return a.sent < b.sent; });
      for (std::size_t i = 0; i < topic.writes.size(); ++i) {
        const Write& write = topic.writes[i];
        topic.of_message[write.message] = i;
        topic.closed = std::max(topic.closed, write.closed);
        if (write.acked != never) topic.last_sent.emplace_back(write.acked, write.sent);
      }
      std::sort(topic.last_sent.begin(), topic.last_sent.end());
      VirtualTime latest = -1;
      for (auto& [acked, sent] : topic.last_sent) sent = latest = std::max(latest, sent);
    }
  }

  /// Each send was acknowledged where it was sent, or has had its time: it lay in a node or on a wire that long.
  VirtualTime closed(const Message& message) const {
    VirtualTime last = 0;
    for (const std::size_t send : message.sends) {
      const std::size_t connection = c_.index.connection_of(send);
      if (message.acked != no_event && c_.index.connection_of(message.acked) == connection) {
        last = std::max(last, c_.event(message.acked).at);
        continue;
      }
      const Connection* on = connection == no_event ? nullptr : &c_.index.connections()[connection];
      const std::size_t end = on == nullptr ? no_event : on->disconnected;
      const bool qos0 = c_.event(send).qos == 0;
      if (end == no_event && !qos0) return never;
      VirtualTime here = c_.topology.deadline(qos0 ? c_.event(send).at : c_.event(end).at);
      // A node that was away may hold it until it is back, a side of a cut until the heal.
      const VirtualTime healed = c_.history.facts.healed_at;
      if (healed >= 0 && c_.event(send).at < healed && !c_.topology.undisturbed(c_.event(send).at, here))
        here = std::max(here, c_.topology.deadline(healed));
      if (healed >= 0 && !c_.topology.running(c_.node(send), c_.event(send).at, std::min(here, c_.end())))
        here = std::max(here, c_.topology.deadline(healed));
      last = std::max(last, here);
    }
    return last;
  }

  void find_connections() {
    for (std::size_t e = 0; e < c_.history.events.size(); ++e) {
      const Event& event = c_.event(e);
      if (event.kind == Event::Kind::subscribe_sent && event.as_published) as_published_[event.client] = true;
      const std::size_t on = c_.index.connection_of(e);
      if (on == no_event) continue;
      if (event.kind == Event::Kind::received) received_[on].push_back(e);
      if (event.kind == Event::Kind::subscribe_sent || event.kind == Event::Kind::unsubscribe_sent) asked_[on].push_back(e);
      if (event.kind == Event::Kind::subscribed) answered_[on].push_back(e);
    }
  }

  void judge(std::size_t sent) {
    const Event& ask = c_.event(sent);
    const std::size_t on = c_.index.connection_of(sent);
    if (on == no_event || is_shared(ask.topic) || as_published_.contains(ask.client)) return;
    const Connection& connection = c_.index.connections()[on];
    // A session of before may have a queue in front of the answer, or be owed one of before.
    if (connection.connected == no_event || c_.event(connection.connected).flag) return;
    Reading reading;
    reading.sent = sent;
    for (const std::size_t e : answered_[on])
      if (e > sent && c_.event(e).topic == ask.topic && c_.event(e).code < 3) {
        reading.acked = e;
        break;
      }
    if (reading.acked == no_event) return;
    reading.until = answered_by(on, reading.acked);
    const bool ended = connection.disconnected != no_event && c_.event(connection.disconnected).at <= reading.until;
    if (ended || reading.until > c_.end() || !calm(ask.at, reading.until)) return;
    for (auto& [name, topic] : topics_) {
      if (!filter_matches(ask.topic, name) || other_filter(on, sent, reading.until, name)) continue;
      if (!c_.rights.may_receive(connection.client, topic.number)) continue;
      if (ask.handling == 0) judge(reading, on, topic);
      if (ask.handling == 2) judge_unasked(reading, on, topic);
    }
  }

  /// How fast the rest of an answer comes is the client's doing, by its window: as long as some comes, more may.
  VirtualTime answered_by(std::size_t on, std::size_t acked) {
    VirtualTime until = c_.event(acked).at + c_.topology.bound();
    for (const std::size_t e : received_[on])
      if (e > acked && c_.event(e).retained && c_.event(e).at <= until) until = std::max(until, c_.event(e).at + c_.topology.bound());
    return until;
  }

  bool calm(VirtualTime from, VirtualTime to) const {
    const VirtualTime settle = c_.history.facts.settle;
    return from >= settle && c_.topology.calm_at(from - settle) && c_.topology.steady(from - settle, to);
  }

  /// Another request of the connection about this topic, whose answer cannot be told from this one's.
  bool other_filter(std::size_t on, std::size_t sent, VirtualTime until, const std::string& topic) {
    return std::any_of(asked_[on].begin(), asked_[on].end(), [&](std::size_t e) {
      return e != sent && c_.event(e).at <= until && filter_matches(without_share(c_.event(e).topic), topic);
    });
  }

  /// The latest send of a write that was acknowledged before `at`: all that had closed by then are superseded.
  static VirtualTime last_sent(const Topic& topic, VirtualTime at) {
    auto it = std::lower_bound(topic.last_sent.begin(), topic.last_sent.end(), std::pair<VirtualTime, VirtualTime>(at, -1));
    return it == topic.last_sent.begin() ? -1 : std::prev(it)->second;
  }

  bool superseded(const Write& write, VirtualTime by) const {
    return write.closed != never && by >= 0 && write.closed + c_.history.facts.clock_spread < by;
  }

  void judge(const Reading& reading, std::size_t on, Topic& topic) {
    const VirtualTime asked = c_.event(reading.sent).at;
    if (topic.writes.front().sent >= asked) return;
    const VirtualTime by = last_sent(topic, asked);
    std::size_t answer = no_event;
    bool live = false;
    for (const std::size_t e : received_[on]) {
      const Event& event = c_.event(e);
      if (e < reading.sent || event.at > reading.until || event.topic != topic.name) continue;
      const std::uint32_t message = c_.index.message_of(e);
      if (message == no_id || !topic.of_message.contains(message)) {
        if (event.retained) return;  // a will, say: nobody knows when it was written
        continue;
      }
      const Write& write = topic.writes[topic.of_message.at(message)];
      if (!event.retained) {
        live = live || !superseded(write, by);
        if (write.closed != never && write.closed + c_.history.facts.clock_spread < asked)
          violate(verdict_, c_, e, event.client,
                  who(reading) + " got " + named(c_, write.message) + ", which was acknowledged before, without RETAIN [MQTT-3.3.1-8]",
                  {c_.index.messages()[write.message].sends.front(), reading.sent});
        continue;
      }
      if (answer != no_event && !event.flag)
        violate(verdict_, c_, e, event.client, who(reading) + " got two retained messages of " + topic.name, {reading.sent, answer});
      answer = e;
      if (superseded(write, by)) violate_with(reading, topic, e, write, by);
    }
    ++verdict_.exercised;
    if (answer == no_event && !live && !may_be_nothing(topic, by, reading.until)) {
      violate(verdict_, c_, reading.acked, c_.event(reading.sent).client,
              who(reading) + " got no retained message of " + topic.name + ", although " + last_write(topic, by) +
                  " had been acknowledged and nothing deleted it since",
              {reading.sent});
    }
    if (topic.closed < asked) compare(reading, topic, answer);
  }

  bool may_be_nothing(const Topic& topic, VirtualTime by, VirtualTime until) const {
    if (by < 0) return true;
    return std::any_of(topic.writes.begin(), topic.writes.end(), [&](const Write& write) {
      return (write.deletes || write.expires <= until) && write.sent <= until && !superseded(write, by);
    });
  }

  /// Once no write can take effect any more, every subscriber anywhere gets the same.
  void compare(const Reading& reading, Topic& topic, std::size_t answer) {
    const std::uint32_t message = answer == no_event ? no_id : c_.index.message_of(answer);
    if (topic.first_answer == no_event) {
      topic.first_answer = answer == no_event ? reading.acked : answer;
      topic.answer = message;
      topic.answered = who(reading);
      topic.until = reading.until;
      return;
    }
    if (message == topic.answer) return;
    if (message == no_id || topic.answer == no_id) {  // it may have expired in between
      const std::uint32_t got = message == no_id ? topic.answer : message;
      if (c_.expiry.may_be_over(got) <= std::max(reading.until, topic.until)) return;
    }
    const auto what = [&](std::uint32_t m) { return m == no_id ? std::string("nothing") : named(c_, m); };
    violate(verdict_, c_, answer == no_event ? reading.acked : answer, c_.event(reading.sent).client,
            who(reading) + " got " + what(message) + " of " + topic.name + ", " + topic.answered + " got " + what(topic.answer) +
                ", and nothing was written in between",
            {reading.sent, topic.first_answer});
  }

  /// Retain handling 2 [MQTT-3.3.1-11].
  void judge_unasked(const Reading& reading, std::size_t on, const Topic& topic) {
    ++verdict_.exercised;
    for (const std::size_t e : received_[on])
      if (e > reading.sent && c_.event(e).at <= reading.until && c_.event(e).retained && c_.event(e).topic == topic.name)
        violate(verdict_, c_, e, c_.event(e).client, who(reading) + " got a retained message of " + topic.name + " unasked",
                {reading.sent});
  }

  void violate_with(const Reading& reading, const Topic& topic, std::size_t e, const Write& write, VirtualTime by) {
    const auto next = std::find_if(topic.writes.begin(), topic.writes.end(), [&](const Write& w) { return w.sent == by; });
    violate(verdict_, c_, e, c_.event(e).client,
            who(reading) + " got " + named(c_, write.message) + ", which had been " +
                (next->deletes ? "deleted" : "superseded") + ": " + last_write(topic, by),
            {reading.sent, c_.index.messages()[write.message].sends.front(), c_.index.messages()[next->message].sends.front(),
             c_.index.messages()[next->message].acked});
  }

  std::string who(const Reading& reading) const {
    const Event& ask = c_.event(reading.sent);
    return ask.client + " (" + ask.topic + " at " + ask.node + ", " + in_seconds(ask.at) + ")";
  }

  std::string last_write(const Topic& topic, VirtualTime by) const {
    for (const Write& write : topic.writes)
      if (write.sent == by)
        return named(c_, write.message) + (write.deletes ? ", a deletion," : "") + " sent at " + in_seconds(write.sent) +
               " and acknowledged at " + in_seconds(write.acked);
    return "nothing";
  }

  const Case& c_;
  Verdict verdict_ = verdict("G8", "retained converge");
  std::map<std::string, Topic> topics_;
  std::map<std::string, bool> as_published_;
  std::map<std::size_t, std::vector<std::size_t>> received_, asked_, answered_;  ///< by connection
};

}  // namespace

Verdict judge_retained(const Case& c) {
  Verdict none = verdict("G8", "retained converge");
  if (too_many_disks_lost(none, c)) return none;
  if (not_applicable(none, c.history.facts.dropped > 0, "messages were dropped at a declared limit, and counted")) return none;
  return Judge(c).run();
}

}  // namespace hf::sim
