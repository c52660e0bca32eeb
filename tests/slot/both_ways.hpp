// Operations of two writers in both orders, and as merged copies: what the tests of rules share.
#pragma once

#include <map>
#include <vector>

#include <gtest/gtest.h>

#include "broker/slot/rows.hpp"
#include "tests/slot/make.hpp"

namespace hf::slot::test {

constexpr Stamp stamp(std::uint64_t time, NodeId node = 1) {
  return {time, {node, 1}};
}

inline const Session& session(const State& state) {
  static const Session none;
  const auto it = state.sessions.find("c");
  return it == state.sessions.end() ? none : it->second;
}

/// Arguments of a call are made in no order: numbers operations as they stand.
inline void number(std::vector<pb::Operation>& operations, std::map<NodeId, std::uint64_t>& seq) {
  for (auto& op : operations) op.mutable_dot()->set_seq(++seq[op.dot().node()]);
}

/// Applies both ways round, and merges copies of either; all must be the same. `two` has writers of
/// its own.
inline State both(std::vector<pb::Operation> base,
           std::vector<pb::Operation> one,
           std::vector<pb::Operation> two) {
  std::map<NodeId, std::uint64_t> seq;
  for (auto* part : {&base, &one, &two}) number(*part, seq);
  const auto chain = [](std::initializer_list<std::vector<pb::Operation>> parts) {
    std::vector<pb::Operation> all;
    for (const auto& part : parts) all.insert(all.end(), part.begin(), part.end());
    return all;
  };
  State state = apply_all(chain({base, one, two}));
  EXPECT_EQ(describe(state), describe(apply_all(chain({base, two, one}))));
  Changes changes;
  State left = apply_all(chain({base, one}));
  State right = apply_all(chain({base, two}));
  State into_right = apply_all(chain({base, two}));
  merge(left, right, changes);
  EXPECT_EQ(describe(state), describe(left));
  merge(into_right, apply_all(chain({base, one})), changes);
  EXPECT_EQ(describe(state), describe(into_right));
  return state;
}

inline std::uint64_t forget_all(State& state) {
  Changes changes;
  const VersionVector seen = state.seen;
  forget(state, seen, ~std::uint64_t{0}, changes);
  return tombstones(state);
}

}  // namespace hf::slot::test
