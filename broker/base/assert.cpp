// Programmer errors stop the process, in every build.
#include "broker/base/assert.hpp"

#include <cstdio>
#include <cstdlib>

namespace hf {

void assertion_failed(const char* what, const char* file, int line) noexcept {
  std::fprintf(stderr, "%s:%d: broken invariant: %s\n", file, line, what);
  std::abort();
}

}  // namespace hf
