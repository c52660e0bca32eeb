// The meaning of a slot, naively: one broker that sees every operation once, in stamp order. Shares
// no code with broker/slot but the types of names.
#pragma once

#include <string>
#include <vector>

#include "broker/slot/state.hpp"

namespace hf::slot::test {

/// What a user could tell apart, one line a fact, sorted.
[[nodiscard]] std::vector<std::string> visible(const State& state);

/// The same of the model, after `operations` in any order.
[[nodiscard]] std::vector<std::string> expected(std::vector<pb::Operation> operations);

}  // namespace hf::slot::test
