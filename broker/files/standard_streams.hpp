// Standard input, output and error of a process, before it opens anything.
#pragma once

namespace hf::files {

/// Whoever starts us may have closed some of them. Their numbers are taken, so that no file or socket gets one, and what is
/// written there for a person ends up in it; writing to them fails as before.
void hold_standard_streams();

}  // namespace hf::files
