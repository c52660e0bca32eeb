// Messages that a stand-in keeps for a slot none of whose replicas it can reach, until one can be.
#include "broker/node/hints.hpp"

#include <utility>
#include <vector>

#include "broker/node/parts.hpp"

namespace hf::node {

namespace {
std::string key_of(SlotId slot, std::uint64_t number) {
  return "H" + replica::big_endian(slot, 4) + replica::big_endian(number, 8);
}
}  // namespace

bool Hints::load(std::string_view key, std::string_view value) {
  if (key.size() != 13) return false;
  pb::Publish publish;
  if (!publish.ParseFromArray(value.data(), static_cast<int>(value.size()))) return false;
  const auto slot = static_cast<SlotId>(replica::from_big_endian(key.substr(1, 4)));
  const std::uint64_t number = replica::from_big_endian(key.substr(5));
  kept_[slot][number] = std::move(publish);
  next_ = std::max(next_, number + 1);
  return true;
}

void Hints::keep(SlotId slot, const pb::Publish& publish) {
  if (parts_.config.mutant.is("hints_dropped")) return;
  const std::uint64_t number = next_++;
  if (!parts_.config.mutant.is("hints_in_memory_only")) parts_.batch.put(key_of(slot, number), publish.SerializeAsString());
  auto& kept = kept_[slot];
  // Fronts hold newer messages for this slot until the hints are handed over, so they must hear of it first.
  kept[number] = publish;
  if (kept.size() == 1) parts_.broadcast_gossip();
  ++parts_.counters.hints;
  parts_.env.reached("hint.kept");
}

Requests::Batch Hints::due(SlotId slot) {
  Requests::Batch requests;
  const auto it = kept_.find(slot);
  if (it == kept_.end() || !parts_.slots.is_replica(slot, parts_.slots.coordinator(slot))) return requests;
  std::uint64_t& submitted = submitted_[slot];
  for (auto at = it->second.upper_bound(submitted); at != it->second.end(); ++at) {
    pb::Request request;
    *request.mutable_publish() = at->second;
    submitted = at->first;
    requests.emplace_back(std::move(request),
                          [this, slot, number = at->first](const pb::Reply&) { handed_over(slot, number); });
  }
  return requests;
}

void Hints::handed_over(SlotId slot, std::uint64_t number) {
  parts_.batch.erase(key_of(slot, number));
  auto& kept = kept_[slot];
  kept.erase(number);
  if (!kept.empty()) return;
  kept_.erase(slot);
  parts_.gossip_soon();
  parts_.env.reached("hints.handed_over");
}

void Hints::hand_over_all() {
  if (parts_.config.mutant.is("hints_behind_newer") && parts_.env.now().time_since_epoch() % 2s >= 250ms) return;
  std::vector<SlotId> slots;
  for (const auto& [slot, kept] : kept_) slots.push_back(slot);
  for (const SlotId slot : slots) {
    Requests::Batch requests = due(slot);
    if (requests.empty()) continue;
    if (!parts_.config.mutant.is("hints_behind_newer")) {
      parts_.requests.submit_ahead(slot, std::move(requests));
      continue;
    }
    for (auto& [request, then] : requests) parts_.requests.submit(slot, std::move(request), std::move(then));
  }
}

std::uint64_t Hints::count(SlotId slot) const {
  const auto it = kept_.find(slot);
  return it == kept_.end() ? 0 : it->second.size();
}

void Hints::fill_gossip(pb::Gossip& gossip) const {
  for (const auto& [slot, kept] : kept_)
    if (!kept.empty()) gossip.add_hints(slot);
}

}  // namespace hf::node
