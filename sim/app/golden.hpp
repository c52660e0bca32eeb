// Golden digests: runs whose every event is known, to be the same whoever compiled the simulator and how.
#pragma once

#include <string>

namespace hf::app {

/// Checks every line "scenario seed until digest" of `file` (scenarios are those of `folder`; a run ends at `until`), or
/// with `update` writes the digests anew. Prints what differs. 0, 2 for bad input, 3 where a digest differs.
int golden(const std::string& file, const std::string& folder, bool update);

}  // namespace hf::app
