// Virtual time: what happens next, in an order that only (time, insertion) decides.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace hf::sim {

/// Virtual nanoseconds since the start of the run.
using VirtualTime = std::int64_t;

/// Whoever events are for. `act` may schedule and cancel.
class Actor {
 public:
  Actor() = default;
  Actor(const Actor&) = delete;
  Actor& operator=(const Actor&) = delete;
  virtual void act(std::uint32_t kind, std::uint64_t a, std::uint64_t b) = 0;

 protected:
  ~Actor() = default;
};

/// Names one scheduled event. 0 is none; a ticket of an event that ran or was cancelled is stale.
using Ticket = std::uint64_t;

/// A 4-ary heap of 16-byte keys over a pool of small events. Invariants:
///  S1 events run in the order (time, insertion), or (time, seeded draw) when ties are shuffled;
///  S2 now() never goes back; what is scheduled in the past runs at now();
///  S3 a slot of the pool is reused only under a new generation: a stale ticket cancels nothing.
class Scheduler {
 public:
  Ticket schedule(VirtualTime at, Actor& target, std::uint32_t kind, std::uint64_t a = 0,
                  std::uint64_t b = 0);
  /// False when the ticket is stale.
  bool cancel(Ticket ticket);

  /// Runs the next event; false when there is none (up to `limit`).
  bool step(VirtualTime limit = INT64_MAX);
  /// Runs everything up to and including `end`, then stands at `end`, unless stop() was called.
  void run_until(VirtualTime end);
  /// Leaves run_until after the event that is running.
  void stop() { stopping_ = true; }
  /// From here on events of one instant run in an order drawn from `seed` (0: by insertion again).
  void shuffle_ties(std::uint64_t seed) { tie_seed_ = seed; }

  [[nodiscard]] VirtualTime now() const { return now_; }
  /// Events run so far.
  [[nodiscard]] std::uint64_t events() const { return events_; }
  /// Events waiting; cancelled ones do not count.
  [[nodiscard]] std::size_t pending() const { return pending_; }
  /// Time of the next event that will run.
  [[nodiscard]] std::optional<VirtualTime> next_at();

 private:
  struct Key {
    VirtualTime at;
    std::uint64_t order;  ///< 40 bits of order, 24 bits of slot
    [[nodiscard]] bool before(const Key& other) const {
      return at != other.at ? at < other.at : order < other.order;
    }
  };
  struct Slot {
    Actor* target = nullptr;  ///< null: free or cancelled
    std::uint64_t a = 0, b = 0;
    std::uint32_t kind = 0;
    std::uint32_t generation = 1;
  };

  void push(Key key);
  void pop();
  void release(std::uint32_t slot);
  void drop_cancelled();

  std::vector<Key> heap_;
  std::vector<Slot> pool_;
  std::vector<std::uint32_t> free_;
  VirtualTime now_ = 0;
  std::uint64_t inserted_ = 0, events_ = 0, tie_seed_ = 0;
  std::size_t pending_ = 0;
  bool stopping_ = false;
};

}  // namespace hf::sim
