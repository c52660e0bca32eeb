// Who may publish to and receive what, by the scenario's own rules; the checks' own reading of them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sim/check/index.hpp"

namespace hf::sim {

/// Invariant: without a rule everybody may do everything; with any, what none allows and what one denies is not to happen.
class Rights {
 public:
  Rights(const History& history, const Index& index);

  /// There are rules.
  [[nodiscard]] bool any() const { return !rules_.empty(); }
  /// Clients and topics by their numbers in the index.
  [[nodiscard]] bool may_receive(std::uint32_t client, std::uint32_t topic) const { return may(client, topic, false); }
  [[nodiscard]] bool may_publish(std::uint32_t client, std::uint32_t topic) const { return may(client, topic, true); }

 private:
  [[nodiscard]] bool may(std::uint32_t client, std::uint32_t topic, bool publish) const;

  const Index& index_;
  const std::vector<RunFacts::Right>& rules_;
  std::vector<std::string> users_;  ///< by client
};

}  // namespace hf::sim
