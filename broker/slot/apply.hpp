// The one way a slot's state changes: apply an operation, merge a whole state, forget what is stable.
#pragma once

#include <set>
#include <string>

#include "broker/slot/state.hpp"

namespace hf::slot {

/// Applies `operation`. Precondition: its dot is the next of its origin (state.seen covers seq - 1, not
/// seq). Applying the same operations in any order that respects each sender's log gives equal rows.
/// Kinds this version does not know raise `seen` and change nothing else.
void apply(State& state, const pb::Operation& operation, Changes& changes);

/// Merges another copy of the same slot. A row that only one side has is dropped where the other side's
/// `seen` covers the dots that made it (it was delivered, ended or forgotten there): ORSWOT.
void merge(State& into, const State& other, Changes& changes);

/// Drops tombstones (absent subscriptions, ends, released inbound ids, done and retired identities,
/// deleted retained) whose dots `stable` covers and whose stamps are at most `horizon`. The caller owes
/// that no operation that could meet them is still under way: see "Forgetting" in README.md.
void forget(State& state, const VersionVector& stable, std::uint64_t horizon, Changes& changes);

/// The same within the sessions of these clients only.
void forget(State& state, const VersionVector& stable, std::uint64_t horizon, const std::set<std::string>& clients, Changes& changes);

/// Drops all that is left of a session that has ended: where nobody can have another word on it.
void forget_session(State& state, const std::string& client, Changes& changes);

/// How many tombstones there are (for G11 and metrics).
[[nodiscard]] std::uint64_t tombstones(const State& state);

}  // namespace hf::slot
