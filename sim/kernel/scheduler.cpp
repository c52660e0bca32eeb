// The heap of the scheduler.
#include "sim/kernel/scheduler.hpp"

#include <algorithm>

#include "broker/base/assert.hpp"
#include "broker/base/hash.hpp"

namespace hf::sim {
namespace {
constexpr std::uint32_t slot_bits = 24;
constexpr std::uint64_t slot_mask = (std::uint64_t{1} << slot_bits) - 1;
constexpr std::uint64_t order_mask = (std::uint64_t{1} << (64 - slot_bits)) - 1;
}  // namespace

Ticket Scheduler::schedule(VirtualTime at, Actor& target, std::uint32_t kind, std::uint64_t a,
                           std::uint64_t b) {
  std::uint32_t index = 0;
  if (free_.empty()) {
    index = static_cast<std::uint32_t>(pool_.size());
    HF_ASSERT(index <= slot_mask);
    pool_.emplace_back();
  } else {
    index = free_.back();
    free_.pop_back();
  }
  Slot& slot = pool_[index];
  slot.target = &target;
  slot.kind = kind;
  slot.a = a;
  slot.b = b;
  const std::uint64_t number = inserted_++;
  const std::uint64_t order = tie_seed_ == 0 ? number : mix64(tie_seed_ ^ mix64(number));
  push({std::max(at, now_), ((order & order_mask) << slot_bits) | index});
  ++pending_;
  return (static_cast<Ticket>(slot.generation) << 32U) | (index + 1);
}

bool Scheduler::cancel(Ticket ticket) {
  const std::uint64_t place = ticket & 0xFFFFFFFFU;
  if (place == 0 || place > pool_.size()) return false;
  Slot& slot = pool_[place - 1];
  if (slot.generation != ticket >> 32U || slot.target == nullptr) return false;
  slot.target = nullptr;  // its key stays in the heap until it comes up
  --pending_;
  return true;
}

bool Scheduler::step(VirtualTime limit) {
  drop_cancelled();
  if (heap_.empty() || heap_.front().at > limit) return false;
  const Key key = heap_.front();
  const auto index = static_cast<std::uint32_t>(key.order & slot_mask);
  const Slot slot = pool_[index];
  pop();
  release(index);
  --pending_;
  now_ = key.at;
  ++events_;
  slot.target->act(slot.kind, slot.a, slot.b);
  return true;
}

void Scheduler::run_until(VirtualTime end) {
  stopping_ = false;
  while (!stopping_ && step(end)) {
  }
  if (!stopping_) now_ = std::max(now_, end);
}

std::optional<VirtualTime> Scheduler::next_at() {
  drop_cancelled();
  if (heap_.empty()) return std::nullopt;
  return heap_.front().at;
}

void Scheduler::drop_cancelled() {
  while (!heap_.empty()) {
    const auto index = static_cast<std::uint32_t>(heap_.front().order & slot_mask);
    if (pool_[index].target != nullptr) return;
    pop();
    release(index);
  }
}

void Scheduler::release(std::uint32_t slot) {
  pool_[slot].target = nullptr;
  ++pool_[slot].generation;
  free_.push_back(slot);
}

void Scheduler::push(Key key) {
  std::size_t hole = heap_.size();
  heap_.push_back(key);
  while (hole > 0) {
    const std::size_t parent = (hole - 1) / 4;
    if (!key.before(heap_[parent])) break;
    heap_[hole] = heap_[parent];
    hole = parent;
  }
  heap_[hole] = key;
}

void Scheduler::pop() {
  const Key last = heap_.back();
  heap_.pop_back();
  const std::size_t size = heap_.size();
  if (size == 0) return;
  std::size_t hole = 0;
  for (;;) {
    const std::size_t first = hole * 4 + 1;
    if (first >= size) break;
    const std::size_t past = std::min(first + 4, size);
    std::size_t least = first;
    for (std::size_t child = first + 1; child < past; ++child) {
      if (heap_[child].before(heap_[least])) least = child;
    }
    if (!heap_[least].before(last)) break;
    heap_[hole] = heap_[least];
    hole = least;
  }
  heap_[hole] = last;
}

}  // namespace hf::sim
