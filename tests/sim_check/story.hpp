// Hand-made histories: one call an event, times in milliseconds, five nodes n1..n5.
#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "sim/check/check.hpp"

namespace hf::sim {

constexpr VirtualTime ms = 1'000'000;

/// detect 1 s, settle 2 s, so the bound is 4 s; R 3, W 2; healed at 60 s, ended at 100 s.
class Story {
 public:
  History h;
  Story() {
    h.facts.detect_after = 1000 * ms;
    h.facts.settle = 2000 * ms;
    h.facts.healed_at = 60000 * ms;
    h.facts.ended_at = 100000 * ms;
    h.facts.nodes = {"n1", "n2", "n3", "n4", "n5"};
    for (const char* id : {"sub", "pub"}) h.facts.clients.push_back({id, false, true, true});
  }
  Event& add(Event::Kind kind, VirtualTime t, std::string client = "", std::string node = "") {
    Event e;
    e.kind = kind;
    e.at = t * ms;
    e.number_in_run = h.events.size() + 1;
    e.client = std::move(client);
    e.node = std::move(node);
    h.events.push_back(e);
    return h.events.back();
  }
  Event& on(Event::Kind kind,
            VirtualTime t,
            const std::string& client,
            const std::string& node,
            std::uint64_t connection) {
    Event& e = add(kind, t, client, node);
    e.connection = connection;
    return e;
  }
  Event& ask(VirtualTime t,
             const std::string& c,
             const std::string& n,
             std::uint64_t k,
             bool clean = false) {
    Event& e = on(Event::Kind::connect_sent, t, c, n, k);
    e.flag = clean;
    return e;
  }
  void connect(VirtualTime t,
               const std::string& c,
               const std::string& n,
               std::uint64_t k,
               bool present,
               bool clean = false) {
    ask(t, c, n, k, clean);
    on(Event::Kind::connected, t, c, n, k).flag = present;
  }
  void disconnect(VirtualTime t,
                  const std::string& c,
                  const std::string& n,
                  std::uint64_t k,
                  std::uint8_t code = 0) {
    on(Event::Kind::disconnected, t, c, n, k).code = code;
  }
  void filter(Event::Kind kind,
              VirtualTime t,
              const std::string& c,
              const std::string& n,
              std::uint64_t k,
              const std::string& f,
              std::uint8_t qos = 0) {
    Event& e = on(kind, t, c, n, k);
    e.topic = f;
    e.qos = qos;
  }
  void subscribe(VirtualTime t,
                 const std::string& c,
                 const std::string& n,
                 std::uint64_t k,
                 const std::string& f,
                 std::uint8_t qos = 2) {
    filter(Event::Kind::subscribe_sent, t, c, n, k, f, qos);
    filter(Event::Kind::subscribed, t, c, n, k, f, qos);
  }
  void unsubscribe(VirtualTime t,
                   const std::string& c,
                   const std::string& n,
                   std::uint64_t k,
                   const std::string& f) {
    filter(Event::Kind::unsubscribe_sent, t, c, n, k, f);
    filter(Event::Kind::unsubscribed, t, c, n, k, f);
  }
  void send(VirtualTime t,
            const std::string& n,
            std::uint64_t k,
            std::uint64_t number,
            std::uint8_t qos = 1,
            bool dup = false,
            const std::string& topic = "t/1") {
    Event& e = on(Event::Kind::publish_sent, t, "pub", n, k);
    e.topic = topic;
    e.qos = qos;
    e.number = number;
    e.flag = dup;
  }
  void ack(VirtualTime t, const std::string& n, std::uint64_t k, std::uint64_t number) {
    on(Event::Kind::publish_acked, t, "pub", n, k).number = number;
  }
  void publish(VirtualTime t,
               const std::string& n,
               std::uint64_t k,
               std::uint64_t number,
               std::uint8_t qos = 1) {
    send(t, n, k, number, qos);
    ack(t + 1, n, k, number);
  }
  Event& receive(VirtualTime t,
                 const std::string& n,
                 std::uint64_t k,
                 std::uint64_t number,
                 std::uint8_t qos = 1,
                 const std::string& topic = "t/1") {
    Event& e = on(Event::Kind::received, t, "sub", n, k);
    e.topic = topic;
    e.qos = qos;
    e.publisher = "pub";
    e.number = number;
    return e;
  }
  void split(VirtualTime t, std::vector<std::vector<std::string>> groups) {
    add(Event::Kind::partition_changed, t).groups = std::move(groups);
  }
  void whole(VirtualTime t) { split(t, {{"n1", "n2", "n3", "n4", "n5"}}); }
  void node(Event::Kind kind, VirtualTime t, const std::string& n) { add(kind, t, "", n); }
  void fault(VirtualTime from, VirtualTime to, const std::string& text) {
    add(Event::Kind::fault_began, from).text = text;
    add(Event::Kind::fault_ended, to).text = text;
  }
  /// sub on n1 with t/+ at 5 s, pub on n2; both calm and settled.
  void begin(std::uint8_t qos = 2) {
    connect(5000, "sub", "n1", 1, false);
    subscribe(5100, "sub", "n1", 1, "t/+", qos);
    connect(5200, "pub", "n2", 1, false);
  }
  [[nodiscard]] Verdict judged(const std::string& id) const {
    for (Verdict& v : judge(h))
      if (v.id == id) return v;
    return {};
  }
};

struct Score {
  std::uint64_t exercised, violated;
  bool operator==(const Score&) const = default;
};
inline Score score(const Story& s, const std::string& id) {
  const Verdict v = s.judged(id);
  return {v.exercised, v.violated};
}
inline void PrintTo(const Score& s, std::ostream* out) {
  *out << s.violated << " of " << s.exercised << " violated";
}

}  // namespace hf::sim
