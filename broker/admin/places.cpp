// Which connections of the administration have a place, and which one gives way when there is none left.
#include "broker/admin/places.hpp"

#include <algorithm>

#include "broker/admin/connection.hpp"

namespace hf::admin {

Connection* Places::in_the_way() const {
  if (has_room()) return nullptr;
  const auto least = std::min_element(taken_.begin(), taken_.end(),
                                      [](const Connection* one, const Connection* other) { return one->stage() < other->stage(); });
  return least == taken_.end() || (*least)->stage() == Stage::tracing ? nullptr : *least;
}

bool Places::room_for_a_trace() const {
  const auto traces = std::count_if(taken_.begin(), taken_.end(), [](const Connection* one) { return one->stage() == Stage::tracing; });
  return static_cast<std::size_t>(traces) < traces_max();
}

void Places::leave(const Connection& connection) {
  taken_.erase(std::remove(taken_.begin(), taken_.end(), &connection), taken_.end());
}

}  // namespace hf::admin
