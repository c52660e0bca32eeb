// What a SUBSCRIBE asked for besides its QoS: a message bears the identifiers of the subscriptions that it came through, does
// not come back to its publisher through no-local ones, has RETAIN as published where that was asked for, and retained messages
// come to those only who asked for them.
#include <algorithm>

#include "sim/check/case.hpp"
#include "sim/check/requests.hpp"

namespace hf::sim {
namespace {

class Judge {
 public:
  explicit Judge(const Case& c) : c_(c), requests_(c) {}

  Verdict run() {
    for (const Receipt& receipt : c_.index.receipts())
      if (requests_.any(receipt.client)) judge(receipt);
    return std::move(verdict_);
  }

 private:
  /// One filter of the client that matches, and what may have been in force of it when the message was matched.
  struct Way {
    std::size_t subscription = 0;
    Requests::Span possible;
  };

  void judge(const Receipt& receipt) {
    const Event& now = c_.event(receipt.event);
    const Message& message = c_.index.messages()[receipt.message];
    if (message.topic == no_id || (!message.sends.empty() && message.sends.front() > receipt.event)) return;
    std::vector<Way> ways;
    for (const std::size_t s : c_.subscriptions.matching(message.topic, receipt.client)) {
      // A retained message may be the answer to any SUBSCRIBE since, and nobody saw when a will was published.
      const bool live = !now.retained && !message.sends.empty();
      const Requests::Span possible = live ? requests_.possible(s, message, receipt.event) : requests_.all(s, receipt.event);
      if (possible.subscribes()) ways.push_back({s, possible});
    }
    if (ways.empty()) return;  // G4 judges that
    ++verdict_.exercised;
    judge_identifiers(receipt, message, ways);
    if (message.sends.empty()) return;
    judge_no_local(receipt, message, ways);
    judge_flag(receipt, message, ways);
  }

  void judge_identifiers(const Receipt& receipt, const Message& message, const std::vector<Way>& ways) {
    const Event& now = c_.event(receipt.event);
    for (const std::uint32_t identifier : now.identifiers) {
      const bool known = std::any_of(ways.begin(), ways.end(), [&](const Way& way) { return way.possible.has(identifier); });
      if (!known) wrong(receipt, "with identifier " + std::to_string(identifier) + ", which no subscription that matches has [MQTT-3.3.4-3]", ways);
    }
    const auto have = std::count_if(ways.begin(), ways.end(), [](const Way& way) { return way.possible.has_any(); });
    if (now.identifiers.size() > static_cast<std::size_t>(have))
      wrong(receipt, "with " + std::to_string(now.identifiers.size()) + " identifiers, " + std::to_string(have) + " subscriptions have one", ways);
    const auto missing = [&](std::uint32_t identifier) {
      return identifier != 0 && std::find(now.identifiers.begin(), now.identifiers.end(), identifier) == now.identifiers.end();
    };
    if (ways.size() == 1) {  // live or retained, dealt or not: it came through this one
      const std::uint32_t only = ways.front().possible.only_identifier();
      if (missing(only)) wrong(receipt, "without identifier " + std::to_string(only) + " of the one filter that matches [MQTT-3.3.4-3]", ways);
      return;
    }
    if (now.retained || c_.subscriptions.through_group(message.topic, receipt.client)) return;  // then it came through one of them
    for (const Way& way : ways) {
      const Request* sure = requests_.sure(way.subscription, way.possible, message, receipt.event);
      if (sure == nullptr || (sure->no_local && message.publisher == receipt.client)) continue;
      if (missing(sure->identifier))
        wrong(receipt, "without identifier " + std::to_string(sure->identifier) + " of " + c_.event(sure->sent).topic + " [MQTT-3.3.4-4]", ways);
    }
  }

  void judge_no_local(const Receipt& receipt, const Message& message, const std::vector<Way>& ways) {
    if (message.publisher != receipt.client) return;
    const bool only = std::all_of(ways.begin(), ways.end(), [](const Way& way) { return way.possible.all_of(&Request::no_local); });
    if (only) wrong(receipt, "of its own, through no-local subscriptions only [MQTT-3.8.3-3]", ways);
  }

  void judge_flag(const Receipt& receipt, const Message& message, const std::vector<Way>& ways) {
    const Event& now = c_.event(receipt.event);
    const bool published = c_.event(message.sends.front()).retained;
    if (now.retained && !published) return wrong(receipt, "with RETAIN, published without [MQTT-3.3.1-12]", ways);
    const auto as_published = [](const Way& way) { return way.possible.all_of(&Request::as_published); };
    if (!now.retained && published && std::all_of(ways.begin(), ways.end(), as_published))
      return wrong(receipt, "without RETAIN, though it was to be as published [MQTT-3.3.1-13]", ways);
    const auto may_flag = [](const Way& way) { return way.possible.may_bring_flag(); };
    if (now.retained && std::none_of(ways.begin(), ways.end(), may_flag))
      wrong(receipt, "with RETAIN, though nobody asked for retained messages or for RETAIN as published [MQTT-3.3.1-11], [MQTT-3.3.1-12]", ways);
  }

  void wrong(const Receipt& receipt, const std::string& how, const std::vector<Way>& ways) {
    const Message& message = c_.index.messages()[receipt.message];
    std::vector<std::size_t> story;
    if (!message.sends.empty()) story.push_back(message.sends.front());
    for (const Way& way : ways) {
      story.push_back(way.possible.last()->sent);
      story.push_back(way.possible.last()->answered);
    }
    const Event& now = c_.event(receipt.event);
    violate(verdict_, c_, receipt.event, now.client,
            now.client + " received " + named(c_, receipt.message) + " at " + in_seconds(now.at) + " from " + now.node + " " + how, story);
  }

  const Case& c_;
  Requests requests_;
  Verdict verdict_ = verdict("SUBS", "subscription options");
};

}  // namespace

Verdict judge_options(const Case& c) {
  Verdict v = Judge(c).run();
  judge_asked_again(v, c);
  return v;
}

}  // namespace hf::sim
