// The state as ordered key-value rows: what is stored, what goes over in a whole-state transfer, and what
// must be byte-equal on all replicas.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "broker/slot/state.hpp"

namespace hf::slot {

/// Keys (within a slot): "v" version vector; "s"+client session; "u"+client+NUL+filter subscription;
/// "e"+client+NUL+name entry; "i"+client+NUL+packet id (2 bytes) inbound; "m"+dot message;
/// "r"+topic retained; "t"+name retired identity; "w"+dot fired will. Binary parts are big-endian so that byte order is meaningful order.
/// The row under `key`, or nothing where the state has none (then a stored row is to be erased).
[[nodiscard]] std::optional<std::string> encode_row(const State& state, std::string_view key);

/// All rows in key order.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> rows(const State& state);

/// Takes one row into a state that is being built; false where it is not a row of this version or is damaged.
[[nodiscard]] bool decode_row(State& state, std::string_view key, std::string_view value);
/// After the last decode_row: builds what is derived. False where rows contradict each other.
[[nodiscard]] bool finish_decoding(State& state);

/// Of all rows; equal on equal states.
[[nodiscard]] std::uint64_t digest(const State& state);
/// For a person: one line a row.
[[nodiscard]] std::string describe(const State& state);

}  // namespace hf::slot
