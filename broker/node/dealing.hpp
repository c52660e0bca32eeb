// Whose turn it is: the pure part of a shared subscription.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>

namespace hf::node {

/// Members of one group. Invariants:
///  1. `turn` holds exactly the connected members whose window is not full.
///  2. Of those, whoever has the fewest deals under way is next; among equals, whoever was dealt to longest ago.
class Dealer {
 public:
  void put(const std::string& member, bool connected, std::uint32_t window) {
    Member& one = members_[member];
    leave(member, one);
    one.connected = connected;
    one.window = window;
    enter(member, one);
  }
  /// Deals under way stay counted for nobody: their ends are then ignored.
  void erase(const std::string& member) {
    const auto it = members_.find(member);
    if (it == members_.end()) return;
    leave(member, it->second);
    members_.erase(it);
  }
  void away(const std::string& member) {
    if (const auto it = members_.find(member); it != members_.end()) put(member, false, it->second.window);
  }
  /// Whose turn it is, if anybody can take a message now.
  [[nodiscard]] std::optional<std::string> next() const {
    if (turn_.empty()) return std::nullopt;
    return std::get<2>(*turn_.begin());
  }
  /// A deal to it began, or one that began before this dealer knew it.
  void began(const std::string& member) {
    const auto it = members_.find(member);
    if (it == members_.end()) return;
    leave(member, it->second);
    ++it->second.under_way;
    it->second.last = ++deals_;
    enter(member, it->second);
  }
  void ended(const std::string& member) {
    const auto it = members_.find(member);
    if (it == members_.end() || it->second.under_way == 0) return;
    leave(member, it->second);
    --it->second.under_way;
    enter(member, it->second);
  }
  [[nodiscard]] bool connected(const std::string& member) const {
    const auto it = members_.find(member);
    return it != members_.end() && it->second.connected;
  }
  [[nodiscard]] std::uint32_t under_way(const std::string& member) const {
    const auto it = members_.find(member);
    return it == members_.end() ? 0 : it->second.under_way;
  }

 private:
  struct Member {
    bool connected = false;
    std::uint32_t window = 0, under_way = 0;
    std::uint64_t last = 0;
  };
  void enter(const std::string& member, const Member& one) {
    if (one.connected && one.under_way < one.window) turn_.insert({one.under_way, one.last, member});
  }
  void leave(const std::string& member, const Member& one) { turn_.erase({one.under_way, one.last, member}); }

  std::map<std::string, Member> members_;
  std::set<std::tuple<std::uint32_t, std::uint64_t, std::string>> turn_;
  std::uint64_t deals_ = 0;
};

/// What a member's coordinator knows of one deal that has not ended.
struct DealFacts {
  bool entry = false;       ///< it lies in the session, not done
  bool given = false;       ///< a packet id was given out: it may have been sent
  std::uint32_t qos = 1;
  bool session = false;     ///< there is one
  bool connected = false;
  bool gone = false;        ///< its connection ended, or its front has been out of reach for too long
  bool subscribed = false;  ///< still a member
};
enum class Fate : std::uint8_t { keep, discard, revoke };

/// [MQTT-4.8.2-4, 4.8.2-5] QoS 2 that may have been sent waits for its member, and goes with its session. All else goes
/// to another member once this one is gone (it may, at QoS 1, have been received).
[[nodiscard]] constexpr Fate fate(const DealFacts& facts) {
  const bool promised = facts.qos == 2 && facts.given;
  if (!facts.entry || !facts.session) return promised ? Fate::discard : Fate::revoke;
  if (promised) return Fate::keep;
  if (facts.gone || (!facts.subscribed && !facts.given)) return Fate::revoke;
  return Fate::keep;
}

}  // namespace hf::node
