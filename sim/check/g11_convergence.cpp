// G11: after heal and quiet all replicas of a slot are equal and nothing is left behind.
#include <algorithm>
#include <map>
#include <string_view>

#include "sim/check/case.hpp"

namespace hf::sim {
namespace {

std::string_view take_line(std::string_view& text) {
  const auto end = text.find('\n');
  const auto line = text.substr(0, end);
  text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  return line;
}

std::string first_difference(const SlotCopy& a, const SlotCopy& b) {
  std::string_view left = a.text, right = b.text;
  for (int line = 1; !left.empty() || !right.empty(); ++line) {
    const auto l = take_line(left), r = take_line(right);
    if (l != r)
      return "line " + std::to_string(line) + ": " + a.node + " has `" + std::string(l) + "`, " +
             b.node + " has `" + std::string(r) + "`";
  }
  return "their texts are equal, their digests are not";
}

}  // namespace

Verdict judge_convergence(const Case& c) {
  Verdict v = verdict("G11", "convergence and forgetting");
  const auto& facts = c.history.facts;
  const std::size_t wanted = std::min<std::size_t>(facts.replicas, facts.nodes.size());
  std::map<std::uint32_t, std::vector<const SlotCopy*>> slots;
  for (const SlotCopy& copy : c.history.copies) slots[copy.slot].push_back(&copy);
  std::size_t last = c.history.events.empty() ? no_event : c.history.events.size() - 1;
  for (const auto& [slot, copies] : slots) {
    ++v.exercised;
    const std::string name = "slot " + std::to_string(slot);
    const auto bad = [&](const std::string& text) {
      violate(v, c, last, "", name + ": " + text, {});
    };
    const SlotCopy* first = nullptr;
    std::size_t replicas = 0;
    std::string holders;
    for (const SlotCopy* copy : copies) {
      if (!copy->replica) {
        bad(copy->node + " is no replica and still holds a copy");
        continue;
      }
      ++replicas;
      holders += (holders.empty() ? "" : ", ") + copy->node;
      if (first == nullptr) first = copy;
      if (copy->digest != first->digest)
        bad("replicas " + first->node + " and " + copy->node +
            " differ: " + first_difference(*first, *copy));
    }
    for (const SlotCopy* copy : copies)
      if (copy->log_tail + copy->hints + copy->tombstones != 0)
        bad(copy->node + " still has " + std::to_string(copy->log_tail) +
            " operations of log tail, " + std::to_string(copy->hints) + " hints, " +
            std::to_string(copy->tombstones) + " tombstones");
    if (replicas != wanted)
      bad(std::to_string(replicas) + " replicas (" + holders + ") where there should be " +
          std::to_string(wanted));
  }
  return v;
}

}  // namespace hf::sim
