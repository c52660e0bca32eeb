// Which connections of the administration have a place, and which one gives way when there is none left.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace hf::admin {

class Connection;

/// What a connection is at. The first of these goes first: it loses the least, or has shown the least.
/// Fresh: it has not said anything, but has not had the time either; silent: it has.
enum class Stage : std::uint8_t { leaving, silent, idle, fresh, answered, asking, tracing };

/// Whoever only holds a place must not keep a load balancer's question out, so newcomers are let in whatever there is:
/// no more than half of the places are for traces, and anything else may have to go.
class Places {
 public:
  explicit Places(std::size_t most) : most_(most) {}
  /// Who should go before another comes in; none: there is room. A full house of traces refuses (`has_room` stays false).
  [[nodiscard]] Connection* in_the_way() const;
  [[nodiscard]] bool has_room() const { return taken_.size() < most_; }
  [[nodiscard]] bool room_for_a_trace() const;
  [[nodiscard]] std::size_t traces_max() const { return (most_ + 1) / 2; }
  void take(Connection& connection) { taken_.push_back(&connection); }
  void leave(const Connection& connection);
  [[nodiscard]] std::size_t size() const { return taken_.size(); }
  [[nodiscard]] std::size_t most() const { return most_; }

 private:
  std::size_t most_;
  std::vector<Connection*> taken_;  ///< the oldest first
};

}  // namespace hf::admin
